"""What is fuzzed, and what counts as a failure: a crash, more than a second of CPU, or more than 200 MB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MIB = 2**20
MAX_INPUT = MIB
MAX_SECONDS = 1.0
NOISY = 3.0
"""How much longer the same takes where a machine has other work. What grows with its square is far beyond."""
"""CPU of the thread that runs the input: what else the machine does is not counted."""
MAX_MEMORY = 200 * 10**6
"""Bytes beyond what the process held before."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run` takes any bytes; what it returns is how it ended, for people and for the mutator: an input that ends as
    none before it did is worth building upon. `allowed`: the documented errors. `nests`: what opens and what
    closes a level.
    """

    name: str
    run: Callable[[bytes], object]
    allowed: tuple[type[BaseException], ...]
    corpus: tuple[bytes, ...]
    tokens: tuple[bytes, ...] = ()
    nests: tuple[tuple[bytes, bytes], ...] = ()


def text(data: bytes) -> str:
    """Any bytes as text, lone surrogates among it: what is not UTF-8 becomes some."""
    return data.decode(errors="surrogateescape")
