"""What the world does not tell of a service: what was applied last, and what rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from sys import intern
from typing import Any

from controller.api.conditions import Reason
from controller.api.plain import well_typed
from controller.api.starters import Starter
from controller.planning.groups import Group


class Stage(StrEnum):
    """How far an applied revision is."""

    ASKED = "asked"
    """Registered; UpdateService may or may not have been called."""
    ROLLING = "rolling"
    """UpdateService answered."""
    BACK = "back"
    """It failed, and nobody but us goes back: UpdateService to `base` may or may not have been called."""
    SETTLED = "settled"
    """The service runs it and it has proven itself, or it was found in sync."""


ASLEEP = -1
"""As `progress`: the service wanted no task when it was looked at last, so nothing was to be seen."""


@dataclass(frozen=True, slots=True)
class Held:
    """A digest that rolled back. Held until the digest or the application's part changes."""

    reason: str
    app: str
    at: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """`digest` "" means that the originals were put back."""

    revision: str
    base: str
    """The revision that `revision` was derived from: where a failed rollout goes back to."""
    digest: str
    fingerprint: str
    """Of everything that `digest` was made from but the application's definition."""
    stage: Stage
    routes: Mapping[str, str] = field(default_factory=dict)
    """Route key → its digest when applied."""
    configs: tuple[str, ...] = ()
    """Config objects by path below the store's prefix; during a rollout those of both revisions."""
    groups: tuple[Group, ...] = ()
    """Log groups that the router, or an output of it, writes to."""
    originals: Mapping[str, Any] = field(default_factory=dict)
    policy: str = "restore"
    """The deletion policy that counts when the last route leaves."""
    deployment: str = ""
    """The number in `ecs-svc/<number>` of the deployment that UpdateService started."""
    held: Mapping[str, Held] = field(default_factory=dict)
    app: str = ""
    """Digest of the application's part that `revision` was made for."""
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Routes that select the service and have no part in it → reason and message."""
    why: str = ""
    """The first reason for `revision`, kept while it is not settled."""
    asked_at: float = 0.0
    """When `revision` was asked for. This and the times below in seconds since the epoch."""
    progress: int = 0
    """The most tasks of `revision` that were seen running at once."""
    progress_at: float = 0.0
    """When that was first so: the deadline of a rollout is one of progress."""
    reverts: tuple[float, ...] = ()
    """When somebody set the service back, of the last hour; each was repaired."""
    contested: str = ""
    """The fingerprint for which it was set back once too often: left alone until that changes."""
    bare_at: float = 0.0
    """When the application was last deployed without the router."""
    ignored: tuple[str, ...] = ()
    """The pointers of `spec.ignore` that held for `revision`: what they left out was not put right in it."""

    moved: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Rules and schedules that we moved to another revision of the family → where they were, where we put them,
    and where they were just before that."""

    def holding(self, digest: str, held: Held) -> Mapping[str, Held]:
        return {**self.held, digest: held}

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ServiceMemory:
        """TypeError, ValueError or KeyError where `plain` is not a memory. What specs and services say too is kept
        once: there may be ten thousand.
        """
        well_typed(cls, plain)
        for one in plain["held"].values():
            well_typed(Held, one)
        for reason in (plain.get("why"), *(reason for reason, _message in plain.get("left_out", {}).values())):
            Reason(reason or Reason.UNKNOWN)
        held = {digest: Held(**one) for digest, one in plain["held"].items()}
        shared: dict[str, Any] = {name: intern(plain[name]) for name in _SHARED if name in plain}
        shared["routes"] = {intern(route): intern(digest) for route, digest in plain.get("routes", {}).items()}
        tuples = {
            "configs": tuple(map(intern, plain["configs"])),
            "groups": tuple(map(Group.from_plain, plain["groups"])),
        }
        tuples |= {"ignored": tuple(plain.get("ignored", ())), "reverts": tuple(map(float, plain.get("reverts", ())))}
        moved = plain.get("moved", {}).items()
        shared["moved"] = {Starter.of(one, "").id: _places(*places) for one, places in moved}
        return cls(**{**plain, **shared, **tuples, "stage": Stage(plain["stage"]), "held": held})


def _places(was: str, to: str, *before: str) -> tuple[str, ...]:
    return (was, to, *before)


_SHARED = ("revision", "base", "digest", "policy")


def forgiven(memory: ServiceMemory) -> ServiceMemory:
    """Without what a person may clear with `logroute reconcile`."""
    return replace(memory, held={}, reverts=(), contested="", fingerprint="")
