"""A problem is a value: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` and `column` count from 1; 0 where a problem has no place in the file (a file too large)."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.severity} {self.code}: {self.message}"
        return f"{text}\n    {self.hint}" if self.hint else text

    def as_json(self) -> dict[str, str | int]:
        return {**asdict(self), "severity": self.severity.value}


def has_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
