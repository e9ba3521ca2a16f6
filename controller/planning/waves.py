"""A changed spec goes over its services in waves.

A *change* is what one spec revision asks of several services of one account and region under the same rollout
settings. Its members go batch by batch, and a batch begins when the members before it have ended. A service belongs to
the newest change that asks the same of it as its specs do now: so a newer revision takes over at once, and one that has
nothing to do with it neither restarts nor resumes anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.plain import well_typed
from controller.api.values import amount
from controller.planning.guards import EXPLAINED
from controller.planning.memory import ASLEEP, ServiceMemory, Stage
from controller.planning.model import Kind, ServicePlan

WAITS = frozenset({Reason.WAITING_FOR_TURN, Reason.OUTSIDE_WINDOW, Reason.ROLLOUT_PAUSED, Reason.ROLLOUT_ABORTED})
"""Holds of waves themselves: what they hold still waits for its turn."""
ON_THEIR_WAY = (Stage.ASKED, Stage.ROLLING, Stage.BACK)


class State(StrEnum):
    """How far a member of a change is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """It runs what was asked for and has proven itself, or wants no task and proves nothing."""
    FAILED = "failed"
    """It was rolled back."""
    ASIDE = "aside"
    """Something else holds it: suspended, somebody's deployment, an error. It goes later, and nobody waits for it."""


OPEN = frozenset({State.WAITING, State.RUNNING})


@dataclass(frozen=True, slots=True)
class Change:
    """`members`: service → what the specs ask of it, in the order in which they go. `batches`: how many go together."""

    id: str
    revision: str
    """Of the source, when it began."""
    begun: float
    """Seconds since the epoch."""
    members: Mapping[str, str]
    batches: tuple[int, ...]
    acknowledged: tuple[str, ...] = ()
    """Members that failed and over which a person resumed it."""

    def as_plain(self) -> dict[str, Any]:
        """The order of the members is told by lists: state is written with its keys sorted."""
        return {**asdict(self), "members": list(self.members), "tags": list(self.members.values())}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Change:
        """TypeError, ValueError or KeyError where `plain` is no change."""
        rest = {name: value for name, value in plain.items() if name != "tags"}
        change = {**rest, "members": dict(zip(plain["members"], plain["tags"], strict=True))}
        well_typed(cls, change)
        batches, members = tuple(map(int, plain["batches"])), change["members"]
        if sum(batches) != len(members) or min(batches, default=0) < 1:
            raise ValueError("the batches do not hold the members")
        for key in members:
            ServiceKey.parse(key)
        return cls(**{**change, "batches": batches, "acknowledged": tuple(plain["acknowledged"])})

    def batch_of(self) -> dict[str, int]:
        """Member → the number of its batch, from 0."""
        numbers = (number for number, size in enumerate(self.batches) for _ in range(size))
        return dict(zip(self.members, numbers, strict=True))


def is_explained(plan: ServicePlan) -> bool:
    """A changed spec asks for it; everything else that is written is a repair."""
    return plan.kind is Kind.RESTORE or (
        plan.kind is Kind.ROUTE and any(one.reason in EXPLAINED for one in plan.reasons)
    )


def joins(plan: ServicePlan, memory: ServiceMemory | None) -> bool:
    """Also what waits for a deployment to end, ours among them: it has its place when that is over. And what is on its
    way already by an older revision of its specs: the others wait for how that ends.
    """
    if memory and is_on_its_way(memory) and memory.why in EXPLAINED and plan.asks:
        return True
    return plan.changes and is_explained(plan) and (plan.hold is None or plan.hold.seconds is not None)


def state_of(plan: ServicePlan, memory: ServiceMemory | None) -> State:
    if plan.kind is Kind.HOLD_DIGEST or (plan.hold and plan.hold.reason is Reason.ROLLED_BACK):
        return State.FAILED
    if is_on_its_way(memory):
        return State.RUNNING
    if plan.hold and plan.hold.reason not in WAITS:
        return State.ASIDE
    return State.WAITING if plan.changes else State.DONE


def is_on_its_way(memory: ServiceMemory | None) -> bool:
    return memory is not None and memory.stage in ON_THEIR_WAY and memory.progress != ASLEEP


def new_changes(candidates: Iterable[ServicePlan], revision: str, now: float) -> Iterator[Change]:
    """One for all that have the same rollout settings."""
    alike = sorted(candidates, key=lambda plan: (plan.rollout.model_dump_json(), plan.stage, str(plan.key)))
    for settings, plans in groupby(alike, key=lambda plan: plan.rollout.model_dump_json()):
        some = list(plans)
        members = {str(plan.key): plan.asks for plan in some}
        size = amount(some[0].rollout.batch, len(some))
        stages = [len(list(same)) for _, same in groupby(some, key=lambda plan: plan.stage)]
        batches = tuple(min(size, count - at) for count in stages for at in range(0, count, size))
        said = "\n".join([settings, revision, *(f"{key} {tag}" for key, tag in members.items())])
        yield Change(hashlib.sha256(said.encode()).hexdigest()[:8], revision, now, members, batches)
