"""What a check finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):  # noqa: UP042 - printed by its value
    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `check` is a name for good, as `bucket-versioning`; `place` is account/region, or "here"."""

    check: str
    place: str
    verdict: Verdict
    message: str
    hint: str = ""
    """What to do; "" where nothing is to be done."""


HERE = "here"


def failed(findings: Sequence[Finding]) -> bool:
    return any(one.verdict is Verdict.FAIL for one in findings)
