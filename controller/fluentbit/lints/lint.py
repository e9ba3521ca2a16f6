"""A lint: what it sees, why that matters, how to mend it; and how lints read options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding, Path

Options = Mapping[str, Any]
"""A section with its option names in lower case. Its values may be anything: what is no text is told elsewhere."""


@dataclass(frozen=True, slots=True)
class Lint:
    code: str
    severity: Severity
    """By harm: certain loss or a loop is an error, likely loss or a leak a warning, the rest a hint."""
    sees: str
    why: str
    mend: str
    """The hint of its findings, too, where the place has none of its own."""

    def at(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> Finding:
        return Finding(path, self.code, self.severity, message, hint or self.mend, key)


def text(options: Options, key: str) -> str:
    """Empty where it is not there or no text."""
    value = options.get(key)
    return value if isinstance(value, str) else ""


def texts(options: Options, key: str) -> list[str]:
    """The values of an option that may be there more than once."""
    value = options.get(key)
    if isinstance(value, list | tuple):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


def plugin(options: Options) -> str:
    return text(options, "name").lower()


def number(value: str) -> int | None:
    digits = value.removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None  # noqa: PLR2004 - any bound
