"""How one service stands: by what was planned for it, and what came of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from controller.api.conditions import Condition, Reason, Status
from controller.applying.apply import Done
from controller.planning.model import Because, Kind, ServicePlan

TOLD_AS_HELD = (Kind.HOLD_DIGEST, Kind.ROLL_BACK, Kind.CONTEST)
MOVING = (
    Reason.ROLLING_OUT,
    Reason.WAITING_FOR_DEPLOYMENT,
    Reason.WAITING_FOR_TURN,
    Reason.OUTSIDE_WINDOW,
)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`held`: something stops what the service needs; `changes`: it needs something."""

    reason: Reason
    message: str
    held: bool
    changes: bool
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """Routes without a part in it → reason and message."""
    hints: tuple[Because, ...] = ()
    drift: tuple[Because, ...] = ()
    """In what the world differs from the specs, whatever holds the repair."""
    denied: str = ""
    """The call that AWS refused for want of a right."""

    @property
    def ready(self) -> bool:
        return not self.held and not self.changes and self.reason is not Reason.ROLLING_OUT

    def drifted(self) -> ServiceState | None:
        """The state as the condition Drifted tells it: by what differs, and not by what holds the repair."""
        if self.drift:
            return replace(self, reason=self.drift[0].reason, message=self.drift[0].message)
        return self if self.changes else None

    def permissions(self) -> Status | None:
        """PermissionsReady, where there is something to say."""
        said = (Because(self.reason, self.message), *self.hints)
        lacks = next((one for one in said if one.reason is Reason.PERMISSIONS_MISSING), None)
        if lacks is None and self.denied:
            lacks = Because(Reason.AWS_ERROR, self.denied)
        if lacks:
            return Status(Condition.PERMISSIONS_READY, False, lacks.reason, lacks.message)
        unknown = next((one for one in self.hints if one.reason is Reason.PERMISSIONS_UNKNOWN), None)
        return Status(Condition.PERMISSIONS_READY, None, unknown.reason, unknown.message) if unknown else None

    def needing(self, standing: tuple[Because, ...], denied: str) -> ServiceState:
        """With what stands outside its definition. Without a config or a group no new task starts; a retention
        harms no log.
        """
        state = replace(self, drift=(*self.drift, *standing), denied=denied)
        if not standing or self.reason is not Reason.IN_SYNC:
            return state
        blocking = next((one for one in standing if one.reason is not Reason.LOG_GROUP_RETENTION), None)
        shown = blocking or standing[0]
        return replace(state, reason=shown.reason, message=shown.message, held=blocking is not None)

    def for_route(self, route: str) -> ServiceState:
        """How the service stands as this route sees it."""
        if why := self.left_out.get(route):
            reason, message = why
            return ServiceState(Reason(reason), message, held=True, changes=False)
        return self


IN_SYNC = ServiceState(Reason.IN_SYNC, "", held=False, changes=False)


def state_of(plan: ServicePlan, done: Done = Done.NOTHING) -> ServiceState:
    state = _state_of(plan, done)
    drift = plan.reasons if plan.changes and done is not Done.WROTE else ()
    if not (plan.left_out or plan.hints or drift):
        return state  # ten thousand that are in sync are one
    return replace(state, left_out=plan.left_out, hints=plan.hints, drift=drift)


def _state_of(plan: ServicePlan, done: Done) -> ServiceState:
    if plan.hold:
        return ServiceState(plan.hold.reason, plan.hold.message, held=True, changes=plan.changes)
    why = plan.reasons[0] if plan.reasons else None
    if done is Done.WROTE and plan.kind is not Kind.ROLL_BACK:
        return ServiceState(Reason.ROLLING_OUT, why.message if why else "", held=False, changes=False)
    if why and plan.kind in TOLD_AS_HELD:
        return ServiceState(why.reason, why.message, held=True, changes=False)
    if why and not plan.changes and why.reason in (Reason.ROLLING_OUT, Reason.UNPROVEN, Reason.ROLLOUT_STUCK):
        return ServiceState(why.reason, why.message, held=why.reason is Reason.ROLLOUT_STUCK, changes=False)
    if plan.changes and why:
        return ServiceState(why.reason, why.message, held=False, changes=True)
    return IN_SYNC
