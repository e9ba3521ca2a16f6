"""Inputs from inputs: a seeded mutator that knows bytes, words, lines, and how to make a little much."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.fuzz.target import MAX_INPUT, Target

SMALL = 20_000
"""Most inputs stay below it: they are quick, and find crashes. The rest grows up to MAX_INPUT, and finds the slow."""
SIZES = (1_000, 10_000, 100_000, MAX_INPUT)
NASTY: tuple[bytes, ...] = (
    *(b"\0", b"\x01", b"\x1b[31m", b"\x7f", b"\x80", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x90\x8d\x88", b"\xef\xbb\xbf"),
    *(b"\xff\xfe", b"\xc2\x85", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xd9\xa1", b"\xc2\xb2", b"\xef\xbc\x91"),
    *(b"\n", b"\r\n", b"\r", b"\t", b" ", b"  ", b"\x0b", b"\\", b'"', b"'", b"`", b"$", b"${", b"}", b"*", b"?", b"["),
    *(b"]", b"{", b"(", b")", b"|", b"^", b"~", b"%", b"%00", b"&", b"!", b"#", b"@", b":", b"::", b";", b",", b"/", b"//"),
    *(b"../", b"-", b"--", b"=", b"+", b".", b"..", b"<", b">", b"0", b"-1", b"1e999", b"NaN", b"Infinity", b"0x10", b"1_0"),
    *(b"00", b"9" * 30, b"9" * 400, b"9" * 5000, b"1.10", b"4294967296", b"9223372036854775808", b"-9223372036854775809"),
    *(b"true", b"null", b"None", b"[]", b"{}", b'""', b"a" * 300, b"(a+)+$", b"(?:a|a)*b", b"(?<n>.*)*", b"\\p{L}", b"(?=", b"x{99}"),
    *(b"<<", b"&a [*a]", b"\\u0000", b"\\ud800", b"\\U00110000", b"2026-02-31", b"2026-01-01T00:00:00Z", b"0:0:0", b"0b1"),
)  # fmt: skip
T = TypeVar("T")
_WORD = re.compile(rb"[A-Za-z0-9_.-]+|\s+|[^A-Za-z0-9_.\s-]")


@dataclass(frozen=True, slots=True)
class Mutator:
    target: Target
    random: Random
    pool: list[bytes]

    def next(self) -> bytes:
        """A new input of at most MAX_INPUT bytes."""
        if self.random.random() < 0.15:
            return self._much()[:MAX_INPUT]
        data = self._choice(self.pool)
        for _ in range(self.random.choice((1, 1, 2, 3, 5, 8))):
            data = self._choice(_SMALL)(self, data)[:SMALL]
        return data

    def _choice(self, some: Sequence[T]) -> T:
        return some[self.random.randrange(len(some))]

    def token(self) -> bytes:
        own = self.target.tokens
        if own and self.random.random() < 0.6:
            return self._choice(own)
        return self._choice(NASTY)

    def span(self, data: bytes) -> tuple[int, int]:
        """A place in `data`, short more often than long; words rather than bytes, mostly."""
        if self.random.random() < 0.6 and (words := [found.span() for found in _WORD.finditer(data[:SMALL])]):
            first = self.random.randrange(len(words))
            last = min(len(words) - 1, first + int(self.random.expovariate(0.5)))
            return words[first][0], words[last][1]
        start = self.random.randrange(len(data) + 1)
        return start, min(len(data), start + int(self.random.expovariate(0.1)))

    def _much(self) -> bytes:
        """One small thing very often: deep, long, or many."""
        base, size = self._choice(self.pool), self._choice(SIZES)
        if self.target.nests and self.random.random() < 0.3:
            opening, closing = self._choice(self.target.nests)
            levels = size // (len(opening) + len(closing))
            middle = opening * levels + self._choice((b"", b"1", b"a")) + closing * self._choice((levels, 0))
        else:
            middle = self._repeated(base, size)
        start, end = self.span(base)
        whole = base[:start] + middle + base[self._choice((start, end)) :]
        return self._choice((whole, middle, whole, base[:start] + middle))

    def _repeated(self, base: bytes, size: int) -> bytes:
        start, end = self.span(base)
        lines = base.split(b"\n")
        line = self.random.randrange(len(lines))
        unit = self._choice(
            (
                self.token(),
                self.token() + self.token(),
                base[start:end],
                base[start:end] + self.token(),
                b"\n".join(lines[line : line + self.random.randrange(1, 5)]) + b"\n",
                base,
            )
        )
        times = size // max(1, len(unit))
        if unit and self.random.random() < 0.4:
            return _numbered(unit, size)
        return unit * times + self._choice((b"", b"", b"\n", b"!", unit[:1]))


def _numbered(unit: bytes, size: int) -> bytes:
    """Each a little different from the others: many keys, not one key often. The number ends the first word."""
    found = re.search(rb"[A-Za-z_]+", unit)
    at = found.end() if found else len(unit)
    some, total = list[bytes](), 0
    while total < size:
        some.append(b"%s%d%s" % (unit[:at], len(some), unit[at:]))
        total += len(some[-1])
    return b"".join(some)


def _flip(by: Mutator, data: bytes) -> bytes:
    if not data:
        return by.token()
    at = by.random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << by.random.randrange(8)]) + data[at + 1 :]


def _insert(by: Mutator, data: bytes) -> bytes:
    at = by.span(data)[0]
    return data[:at] + by.token() + data[at:]


def _replace(by: Mutator, data: bytes) -> bytes:
    start, end = by.span(data)
    return data[:start] + by.token() + data[end:]


def _delete(by: Mutator, data: bytes) -> bytes:
    start, end = by.span(data)
    return data[:start] + data[end:]


def _double(by: Mutator, data: bytes) -> bytes:
    start, end = by.span(data)
    return data[:end] + data[start:end] * by.random.choice((1, 1, 2, 10, 100)) + data[end:]


def _move(by: Mutator, data: bytes) -> bytes:
    start, end = by.span(data)
    at = by.span(data)[0]
    return data[:at] + data[start:end] + data[at:]


def _splice(by: Mutator, data: bytes) -> bytes:
    other = by.pool[by.random.randrange(len(by.pool))]
    start, end = by.span(other)
    at, stop = by.span(data)
    return data[:at] + by.random.choice((other[start:end], other[start:])) + data[stop:]


def _line(by: Mutator, data: bytes) -> bytes:
    """A line goes, comes twice, or changes its place."""
    lines = data.split(b"\n")
    one = lines.pop(by.random.randrange(len(lines)))
    for _ in range(by.random.randrange(3)):
        lines.insert(by.random.randrange(len(lines) + 1), one)
    return b"\n".join(lines)


_SMALL: tuple[Callable[[Mutator, bytes], bytes], ...] = (
    _flip, _insert, _insert, _replace, _replace, _replace, _delete, _double, _move, _splice, _splice, _line,
)  # fmt: skip
