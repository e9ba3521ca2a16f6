"""What a check finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from controller.aws.ports import AwsError

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"})


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


@dataclass(frozen=True, slots=True)
class Sheet:
    """Makes the findings of one place."""

    place: str

    def ok(self, check: str, message: str) -> Finding:
        return Finding(check, self.place, Verdict.PASS, message)

    def warn(self, check: str, message: str, hint: str) -> Finding:
        return Finding(check, self.place, Verdict.WARN, message, hint)

    def fail(self, check: str, message: str, hint: str) -> Finding:
        return Finding(check, self.place, Verdict.FAIL, message, hint)

    def failed(self, check: str, error: AwsError) -> Finding:
        """AWS's own words, and where a right is missing, where to get the policy that has it."""
        message = f"{error.operation} on {error.resource}: {error.code}: {error.detail.rstrip('.')}"
        hint = error.hint.replace("; it is tried again", "") or "Look the error up in AWS's API reference"
        if error.code in DENIED:
            hint = f"Allow {error.operation} on {error.resource}: logroute iam controller prints the whole policy"
        return self.fail(check, message, hint)
