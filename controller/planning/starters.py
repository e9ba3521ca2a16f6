"""Rules and schedules that start jobs of a family from one revision, which no new revision reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from controller.api.conditions import Reason
from controller.api.starters import Starter
from controller.planning.memory import ServiceMemory
from controller.planning.model import Because, Kind, Move, ServicePlan
from controller.specs.model import Route


def with_starters(
    plan: ServicePlan, memory: ServiceMemory | None, routes: Sequence[Route], starters: Iterable[Starter]
) -> ServicePlan:
    """The plan of a family with what starts it: moved where every route asks for it, and listed otherwise.

    The family comes first: they are moved to a revision that is the latest, and back only after the originals are.
    """
    if plan.kind is Kind.FORGET and memory and memory.moved:
        back = [Move(Starter.of(one, to), former) for one, (former, to, *_) in memory.moved.items()]
        # Our own restore, whose digest is "", was counted; where somebody else took the router out, this is it.
        return _repoint(plan, back, Reason.ROUTE_GONE if memory.digest else Reason.PINNED_REVISION)
    pins = list(_pinned(plan.base, starters)) if routes else []
    wanted = all(route.document.spec.target.repoint_schedules for route in routes)
    if pins and wanted and plan.kind is Kind.NOTHING and plan.hold is None and memory and memory.revision == plan.base:
        undone = any(_is_set_back(memory, pin) for pin in pins)
        moves = [Move(pin, plan.base, _former(memory, pin)) for pin in pins]
        return _repoint(plan, moves, Reason.REVERTED if undone else Reason.PINNED_REVISION)
    hints = [Because(Reason.PINNED_REVISION, _told(pin, plan.base, wanted=wanted)) for pin in pins]
    return replace(plan, hints=(*plan.hints, *hints))


def _repoint(plan: ServicePlan, moves: Sequence[Move], why: Reason) -> ServicePlan:
    """PINNED_REVISION: the spec asks for it, or it follows what was done to the family. Any other reason is counted."""
    reasons = [
        Because(
            why,
            f"{move.starter} goes from {_short(move.starter.task_definition)} "
            f"{'' if move.former else 'back '}to {_short(move.to)}",
        )
        for move in moves
    ]
    return replace(plan.step(Kind.REPOINT, *reasons), moves=tuple(moves))


def _pinned(latest: str, starters: Iterable[Starter]) -> Iterator[Starter]:
    """Families of one name in another account or region are other families."""
    family = latest.rsplit(":", 1)[0]
    return (one for one in starters if one.pinned and one.family == family and one.task_definition != latest)


def _is_set_back(memory: ServiceMemory, pin: Starter) -> bool:
    """We moved it once, and it is not where we put it."""
    return memory.moved.get(pin.id, ("", pin.task_definition))[1] != pin.task_definition


def _former(memory: ServiceMemory, pin: Starter) -> str:
    """Where it was before we moved it first, unless somebody moved it since. Where we found it when we moved it last
    it still is if we were killed just then.
    """
    former, *since = memory.moved.get(pin.id, ("",))
    return former if pin.task_definition in since else pin.task_definition


def _told(pin: Starter, latest: str, *, wanted: bool) -> str:
    what = f"{pin} runs {_short(pin.task_definition)}, not the latest revision {_short(latest)}, which gets the router"
    return what if wanted else f"{what}; set target.repointSchedules: true, or name the family without a revision"


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
