"""A route's conditions, from how its services stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from controller.api.conditions import Condition, Reason, Status
from controller.planning.model import Because, Hold
from controller.reconciling.service_state import IN_SYNC, MOVING, ServiceState

NOBODY = Because(Reason.NO_SERVICE, "no service matches its target")


def conditions(
    states: Iterable[ServiceState],
    lost: Because | None = None,
    *,
    broken: bool,
    suspended: tuple[bool, ServiceState | None] = (False, None),
) -> tuple[Status, ...]:
    """A route's conditions from its services': the worst decides, and is named."""
    some = list(states)
    bad = next((state for state in some if not state.ready), None)
    held = next((state for state in some if state.held and state.reason not in MOVING), None)
    moving = next((state for state in some if state.reason in MOVING or (state.changes and not state.held)), None)
    drifted = next((found for state in some if (found := state.drifted())), None)
    permissions = sorted(filter(None, (state.permissions() for state in some)), key=lambda one: one.status is None)
    invalid = ServiceState(Reason.INVALID_SPEC, "its last good version is in force", held=False, changes=False)
    worst = bad or (invalid if broken else None)
    if not some or lost:
        why = lost or NOBODY
        worst = ServiceState(why.reason, why.message, held=False, changes=False)
    return (
        _say(Condition.READY, worst is None, worst),
        _say(Condition.RECONCILING, moving is not None, moving),
        _say(Condition.STALLED, held is not None or broken, held or (invalid if broken else None)),
        _say(Condition.DRIFTED, drifted is not None, drifted),
        _say(Condition.SUSPENDED, *suspended),
        *permissions[:1],
    )


@lru_cache(maxsize=1024)
def _say(condition: Condition, status: bool, state: ServiceState | None) -> Status:
    found = state or IN_SYNC
    return Status(condition, status, found.reason, found.message)


def suspended_by(
    route: str, frozen: Mapping[str, Hold], freezes: Iterable[Hold | None]
) -> tuple[bool, ServiceState | None]:
    """A route that is not suspended itself still says what freezes a service of it."""
    own = frozen.get(route)
    itself = own is not None and own.reason is Reason.SUSPENDED
    hold = own or next(filter(None, freezes), None)
    return itself, ServiceState(hold.reason, hold.message, held=True, changes=False) if hold else None
