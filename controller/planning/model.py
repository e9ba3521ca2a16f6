"""A decision as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.kinds import Rollout
from controller.api.starters import Starter
from controller.desired.model import Desired
from controller.planning.memory import ServiceMemory
from controller.taskdef.body import Body

NO_ROUTE = Rollout()


class Kind(StrEnum):
    """What a service needs."""

    NOTHING = "nothing"
    ROUTE = "route"
    """A revision with the router as it should be."""
    RESTORE = "restore"
    """A revision without the router, the originals back."""
    ADOPT = "adopt"
    """The world is right already; only the memory is not."""
    WATCH = "watch"
    """Our revision is on its way."""
    FORGET = "forget"
    """The originals are back for good; nothing is left to remember."""
    HOLD_DIGEST = "hold-digest"
    """Our revision was rolled back: remember, and leave it."""
    ROLL_BACK = "roll-back"
    """Our revision failed, and ECS does not go back: we do, to the revision that it was derived from."""
    REPOINT = "repoint"
    """Rules and schedules that pin a revision are moved, to ours or back; the family is as it should be."""
    CONTEST = "contest"
    """Somebody set the service back once too often: remember, and leave it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What stops a write. `seconds`: look again after so long; None: only when something changes."""

    reason: Reason
    message: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Because:
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Running:
    """Of the router that the service runs now: the digest in its mark, and its config objects. Empty: no router."""

    digest: str = ""
    configs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A rule or schedule as it is, and the revision ARN that it goes to. `former`: where it was before us, and ""
    where it goes back there.
    """

    starter: Starter
    to: str
    former: str = ""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """`before` and `after` are register bodies; `base` is the revision ARN that `after` is derived from."""

    key: ServiceKey
    kind: Kind
    reasons: tuple[Because, ...] = ()
    hold: Hold | None = None
    base: str = ""
    registered_by: str = ""
    """ARN of who registered `base`."""
    before: Body | None = field(default=None, repr=False)
    after: Body | None = field(default=None, repr=False)
    desired: Desired | None = field(default=None, repr=False)
    app: str = ""
    """Digest of the application's own definition."""
    originals: Body = field(default_factory=dict, repr=False)
    primary: str = ""
    """The PRIMARY deployment's id when it was looked at."""
    running: Running = Running()
    fingerprint: str = ""
    asks: str = ""
    """What the specs ask, in short. "" where nobody looked."""
    policy: str = "restore"
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Routes that select the service and have no part in it → reason and message."""
    memory: ServiceMemory | None = field(default=None, repr=False)
    """What is to be remembered, where the kind is about nothing else; for ROLL_BACK, before it is written."""
    again: float | None = None
    """Seconds until it is worth another look."""
    hints: tuple[Because, ...] = ()
    ended: Literal["", "succeeded", "rolled_back", "failed"] = ""
    """How our rollout ended, told once. `failed`: it was us who went back."""
    rollout: Rollout = NO_ROUTE
    """How the first of its routes is rolled out."""
    controller: str = "ECS"
    """Who deploys the service: ECS itself, or CODE_DEPLOY."""
    stage: int = 0
    """Which entry of `rollout.order` it belongs to."""
    ignored: tuple[str, ...] = ()
    """The pointers of `spec.ignore`, of all routes together."""

    moves: tuple[Move, ...] = ()
    """Of REPOINT."""
    diff: str = field(default="", repr=False)
    """Unified, where somebody made it before the bodies went."""

    @property
    def changes(self) -> bool:
        """It would write to AWS, if nothing held it."""
        return self.kind in (Kind.ROUTE, Kind.RESTORE, Kind.ROLL_BACK, Kind.REPOINT)

    @property
    def digest(self) -> str:
        return self.desired.digest if self.desired else ""

    def in_short(self) -> ServicePlan:
        """Without the bodies, which are forty times the rest: a pass over ten thousand services keeps their plans."""
        overlay = self.desired.overlay if self.desired else None
        bare = replace(overlay, router={}, log_configurations={}) if overlay else None
        desired = replace(self.desired, overlay=bare, configs=()) if self.desired else None
        return replace(self, before=None, after=None, originals={}, desired=desired, memory=None)

    def step(self, kind: Kind, *reasons: Because, memory: ServiceMemory | None = None) -> ServicePlan:
        """This plan, as one of that kind."""
        return replace(self, kind=kind, reasons=reasons, memory=memory)

    def held_by(self, hold: Hold) -> ServicePlan:
        return self if self.hold else replace(self, hold=hold)
