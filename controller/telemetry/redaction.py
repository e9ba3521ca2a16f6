"""Taking secrets out of what people will read: by name, by shape, and by value.

By name: the value of a key, or of `name=value`, that is called like a secret. By shape: the user part of a
URL, and what follows Bearer or Basic. By value: everything that was registered, wherever it turns up.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus

from controller.api.secrecy import USERINFO, WORDS, names_secret

MASK = "***"
MIN_LENGTH = 4
"""Registered values below this are not masked: they would blot out ordinary words, and protect nothing."""

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_URL_SAFE = str.maketrans("+/", "-_")
MOST = 128
"""Registered values, the latest: credentials change every hour."""
_MAX_DEPTH = 8
_MIN_LINE, _MIN_ENCODED = 16, 8

_ASSIGNED = re.compile(
    # `:secret:` is a part of an ARN, and what follows it a name that people have to read
    rf"((?:(?<!:)|(?!secret:))(?:{WORDS})s?(?:\\?[\"'])?\s{{0,3}}[:=]\s{{0,3}})(?:(?:bearer|basic)\s+)?"
    r"(\\\"[^\"\\]*\\\"|[bru]?\"[^\"]*\"|[bru]?'[^']*'|[^\s,;&\"'\])}\\]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[a-z0-9._~+/=-]{16,}", re.IGNORECASE)


def without_userinfo(text: str) -> str:
    """`https://user:pass@host/x` → `https://host/x`, wherever in the text."""
    return USERINFO.sub(r"\1", text)


def without_shapes(text: str) -> str:
    """The text without what looks like a secret."""
    text = _ASSIGNED.sub(rf"\g<1>{MASK}", without_userinfo(text))
    return _SCHEME.sub(rf"\g<1> {MASK}", text)


def spellings(value: str) -> set[str]:
    """How a value may turn up in a text: as it is, in a URL, in JSON, in base64 whatever stands before it, and, of a
    PEM key, line by line.
    """
    bare = value.strip()
    lines = {line.strip() for line in bare.splitlines() if len(line.strip()) >= _MIN_LINE and "-----" not in line}
    forms = {bare, quote(bare, safe=""), quote(bare), quote_plus(bare), json.dumps(bare)[1:-1], *lines}
    encoded = _in_base64(bare.encode(errors="surrogatepass")) if len(bare) >= _MIN_ENCODED else ()
    return {form for form in (*forms, *encoded) if len(form) >= MIN_LENGTH}


def _in_base64(value: bytes) -> Iterator[str]:
    """Its own digits: three bytes are four of them, so where it begins among three tells them. Basic authorization has
    a secret so.
    """
    for before in range(3):
        digits = b64encode(bytes(before) + value).decode().rstrip("=")
        first, last = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        yield digits[first:last]
        yield digits[first:last].translate(_URL_SAFE)


class Redactor:
    """Knows the registered values. Safe to use from any thread."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, frozenset[str]] = {}
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.register(value)

    def register(self, value: str) -> None:
        """From now on this value is masked wherever it turns up. Values below MIN_LENGTH are ignored."""
        with self._lock:
            if value in self._known:
                return
            self._known[value] = frozenset(spellings(value))
            while len(self._known) > MOST:
                del self._known[next(iter(self._known))]
            every = {one for some in self._known.values() for one in some}
            # The longest first: of two secrets, one may begin with the other.
            text = "|".join(map(re.escape, sorted(every, key=len, reverse=True)))
            self._pattern = re.compile(text) if text else None

    def values(self, text: str) -> str:
        """Without registered values. Nothing else is touched, so JSON stays JSON."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text

    def text(self, text: str) -> str:
        return without_shapes(self.values(text))

    def leaves(self, value: Any) -> Any:
        """JSON's own kinds of value with each text in it masked, whatever its key is called. What holds no secret is
        given back as it is, not copied.
        """
        seen: dict[str, str] = {}  # ten thousand services say mostly the same

        def leaf(one: Any) -> Any:
            if isinstance(one, str):
                if one not in seen:
                    seen[one] = self.text(one)
                return seen[one]
            if isinstance(one, Mapping):
                changed = {key: new for key, inner in one.items() if (new := leaf(inner)) != inner}
                return {**one, **changed} if changed else one
            if not isinstance(one, list | tuple):
                return one
            return one if all(leaf(inner) == inner for inner in one) else [leaf(inner) for inner in one]

        return leaf(value)

    def plain(self, value: object, name: str = "", depth: int = 0) -> Plain:
        """The value as JSON can hold it, without secrets. What JSON does not know becomes its text."""
        if value is None or isinstance(value, bool):
            return value
        if name and names_secret(name):
            return MASK
        if isinstance(value, int | float):
            return value if isinstance(value, int) or isfinite(value) else str(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset) and depth < _MAX_DEPTH:
            return self._container(value, depth + 1)
        return self.text(value if isinstance(value, str) else _text(value))

    def _container(self, value: Mapping[object, object] | Iterable[object], depth: int) -> Plain:
        if isinstance(value, Mapping):
            items = ((_text(key), item) for key, item in value.items())
            return {self.text(key): self.plain(item, key, depth) for key, item in items}
        return [self.plain(item, depth=depth) for item in value]


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a value that cannot be shown must not stop the log line
        return f"<{type(value).__name__}: {type(error).__name__}>"


DEFAULT = Redactor()
"""The one of this process: what is logged, said and written for people goes through it, and every secret that is read
or sent is registered in it, where that is done.
"""

register = DEFAULT.register
