"""stdout carries results, stderr everything else; colours only where a person looks."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from controller.telemetry.redaction import DEFAULT

RED, GREEN, YELLOW, CYAN, BOLD, DIM = "31", "32", "33", "36", "1", "2"


def is_terminal(stream: TextIO) -> bool:
    """NO_COLOR (no-color.org) and TERM=dumb turn colours off, FORCE_COLOR on."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """For stdout, as it is now, where no stream is named."""
    return f"\x1b[{colour}m{text}\x1b[0m" if is_terminal(stream or sys.stdout) else text


def say(text: str) -> None:
    """A word to the person, on stderr, without secrets."""
    print(DEFAULT.text(text), file=sys.stderr, flush=True)


def show(text: str, end: str = "\n") -> None:
    """A result, on stdout. What looks like a secret was masked where it was read; what is known to be one, here."""
    print(DEFAULT.values(text), end=end)


def fail(text: str) -> None:
    say(f"{paint('error:', RED, sys.stderr)} {text}")
