"""The stages of a blue/green, linear or canary deployment, and the hooks that stand in their way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from controller.sandbox.model import Json


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of at least `seconds`, at whose start so many percent of the traffic go to the new revision."""

    stage: str
    seconds: float
    test: float
    production: float


@dataclass(slots=True)
class Hook:
    """A hook that a deployment has met. `action` is what its time-out does: CONTINUE or ROLLBACK."""

    id: str
    target_type: str
    target_arn: str | None
    status: str
    expires_at: float
    action: str

    @property
    def waiting(self) -> bool:
        return self.status == "AWAITING_ACTION"

    @property
    def refuses(self) -> bool:
        """Whether the deployment has to go back for it."""
        return self.status == "FAILED" or (self.status == "TIMED_OUT" and self.action == "ROLLBACK")

    def view(self) -> Json:
        answer: Json = {
            "hookId": self.id,
            "targetType": self.target_type,
            "status": self.status,
            "expiresAt": self.expires_at,
            "timeoutAction": self.action,
        }
        return answer | ({"targetArn": self.target_arn} if self.target_arn else {})


@dataclass(slots=True)
class Progress:
    """How far a staged deployment has come: the step it is in, since when, and those ahead."""

    step: Step
    since: float
    ahead: deque[Step]
    hooks: list[Hook] = field(default_factory=list)
