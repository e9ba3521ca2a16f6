"""What happened, as values: kept as history, shown on the page, sent as notifications. Metrics and logs tell it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from controller.api.plain import well_typed

ALWAYS = ("about", "message")
LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
MESSAGE, DIFF = 2_000, 6_000
"""Characters of an event's message and of its diff that are kept."""


class Level(IntEnum):
    """How much it wants a person."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class EventKind(StrEnum):
    """What can happen. A closed set; each says when, and how severe it is."""

    SPECS_CHANGED = "SpecsChanged"
    """Another revision of the source is in force."""
    SPEC_INVALID = "SpecInvalid"
    """A spec has an error that it had not before; its last good version stays in force."""
    SPEC_MENDED = "SpecMended"
    """A spec that had an error has none any more."""
    SOURCE_FAILED = "SourceFailed"
    """The source could not be read, or its head is not signed; told once until it can be read again."""
    SOURCE_READ = "SourceRead"
    """The source can be read again."""
    DRIFT_FOUND = "DriftFound"
    """A service, log group or config object is not as it was left."""
    REPAIRED = "Repaired"
    """What had drifted was put right outside a rollout: a config object, a log group's retention."""
    CONFIG_LOST = "ConfigLost"
    """A config object that a live revision names is gone for good."""
    ROLLOUT_STARTED = "RolloutStarted"
    """A revision with the router, or without it any more, was asked for; reasons and diff say why and what."""
    REPOINTED = "Repointed"
    """Rules and schedules were moved to another revision."""
    ROLLOUT_SUCCEEDED = "RolloutSucceeded"
    """Our revision runs, and its router stayed up."""
    ROLLED_BACK = "RolledBack"
    """Our revision did not come up: ECS, or LogRoute, went back."""
    CONTESTED = "Contested"
    """Somebody else sets the service back again and again: left alone."""
    HELD = "Held"
    """Something stops what the service needs, and it is neither time nor its turn."""
    RELEASED = "Released"
    """Nothing of that stops it any more."""
    FAILED = "Failed"
    """LogRoute itself failed on the service, or AWS refused a call."""
    PLAN_BLOCKED = "PlanBlocked"
    """A guard stopped all that no changed spec explains: a person has to approve."""
    APPROVED = "Approved"
    """A person approved a blocked plan."""
    SUSPENDED = "Suspended"
    """A person, or a spec, suspended a route or a service."""
    RESUMED = "Resumed"
    """A suspension was taken back."""
    ASKED = "Asked"
    """A person asked for a look now."""
    HINT = "Hint"
    """Something that a person may want to mend: InjectInCI, PermissionsUnknown …"""
    PLACE_UNREAD = "PlaceUnread"
    """An account, region or cluster could not be read; told once until it can be read again."""


LEVELS: Mapping[EventKind, Level] = {
    EventKind.SPEC_INVALID: Level.ERROR,
    EventKind.SOURCE_FAILED: Level.WARNING,
    EventKind.DRIFT_FOUND: Level.WARNING,
    EventKind.REPAIRED: Level.WARNING,
    EventKind.CONFIG_LOST: Level.ERROR,
    EventKind.ROLLED_BACK: Level.ERROR,
    EventKind.CONTESTED: Level.ERROR,
    EventKind.HELD: Level.WARNING,
    EventKind.FAILED: Level.ERROR,
    EventKind.PLAN_BLOCKED: Level.ERROR,
    EventKind.HINT: Level.WARNING,
    EventKind.PLACE_UNREAD: Level.ERROR,
}
"""Those that are no mere news."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `at`: seconds since the epoch. `about`: a service's or family's key, a route's `namespace/name`, a place, a spec's
    file, or "" for the installation. `routes`: those that select the service. `source`: the revision of the specs in
    force. `revision`: the ARN that was asked for, `base` the one that it was derived from. `by`: who did it, where it
    was not LogRoute. `diff`: unified, of what was registered.
    """

    at: float
    kind: EventKind
    about: str
    message: str
    reason: str = ""
    routes: tuple[str, ...] = ()
    source: str = ""
    revision: str = ""
    base: str = ""
    digest: str = ""
    by: str = ""
    diff: str = ""

    @property
    def level(self) -> Level:
        return LEVELS.get(self.kind, Level.INFO)

    def cut(self) -> Event:
        """As long as may be kept."""
        return replace(self, message=_cut(self.message, MESSAGE), diff=_cut(self.diff, DIFF))

    def as_plain(self) -> dict[str, Any]:
        """Without what may be left out and is empty."""
        plain = {name: value for name, value in asdict(self).items() if value not in ("", ()) or name in ALWAYS}
        return {**plain, "kind": self.kind.value, "level": self.level.word}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Event:
        """TypeError, ValueError or KeyError where `plain` is no event."""
        known = {one.name for one in fields(cls)}
        found = {name: value for name, value in plain.items() if name in known}
        found = {**found, "kind": EventKind(plain["kind"]), "routes": tuple(plain.get("routes", ()))}
        well_typed(cls, found)
        if not 0 <= found["at"] <= LATEST:
            raise ValueError("at is no time")
        return cls(**found)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
