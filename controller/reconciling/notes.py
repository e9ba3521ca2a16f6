"""What people ask of the controller, and what it asks of people: one ledger of notes in the config store.

A note's key says which kind it is and what it is about. A pass reads them with the listing that it makes anyway, so
where nothing was asked nothing is read; a command and a controller that write at once both get their way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from controller.api.conditions import Reason
from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.api.plain import well_typed
from controller.aws.ports import ObjectStore
from controller.planning.model import Hold
from controller.state.ledger import Ledger

LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
FOLDER = "notes"
"""Below `_state`, in the store of the controller's own account and region."""


class Kind(StrEnum):
    SUSPENDED = "suspended"
    """About a route or a service: it is not written. Stays until it is resumed."""
    RECONCILE = "reconcile"
    """About a route or a service: look now, and clear what a person may clear. Dropped by the pass that did."""
    BLOCKED = "blocked"
    """About a digest: the plan that waits for approval. There is one at most."""
    APPROVED = "approved"
    """About a digest: what of it is still to be done."""
    ROLLOUT_PAUSED = "rollout-paused"
    """About a change: no more of its services begin. Stays until it is resumed, or over."""
    ROLLOUT_RESUMED = "rollout-resumed"
    """About a change: it goes on, whatever failed so far. Dropped by the pass that did."""
    ROLLOUT_ABORTED = "rollout-aborted"
    """About a change: no more of its services begin, ever. Stays until it is over."""
    FIRST_RUN = "first-run"
    """Whether a first run, told to plan only, is over."""


class NoteError(Explained):
    """A note could not be written, or is not there."""


@dataclass(frozen=True, slots=True)
class Note:
    who: str
    at: float
    """Seconds since the epoch."""
    why: str = ""
    lines: tuple[str, ...] = ()
    """Of a blocked or approved plan: planning.guards.line."""
    answered: tuple[str, ...] = ()
    """Places that have carried a request out."""

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"by {self.who} at {when}" + (f": {self.why}" if self.why else "")

    def as_plain(self) -> dict[str, Any]:
        plain = asdict(self)
        return plain if self.answered else {name: value for name, value in plain.items() if name != "answered"}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Note:
        """TypeError, ValueError or KeyError where `plain` is not a note."""
        well_typed(cls, plain)
        if not 0 <= plain["at"] <= LATEST:
            raise ValueError("at is no time")
        texts = {name: tuple(plain.get(name, ())) for name in ("lines", "answered")}
        note = cls(**{**plain, **texts})
        for line in note.lines:
            ServiceKey.parse(line.rsplit(" ", 2)[0])
        return note


class Notes:
    """`now` in seconds since the epoch. `ledger` has to be loaded first."""

    def __init__(self, objects: ObjectStore, prefix: str, now: Callable[[], float]) -> None:
        self.ledger: Ledger[Note] = Ledger(objects, prefix, Note.from_plain)
        self.now = now

    def all(self, kind: Kind) -> dict[str, Note]:
        """What they are about → the note."""
        start = f"{kind} "
        return {key.removeprefix(start): note for key, note in self.ledger.items() if key.startswith(start)}

    def said(self) -> dict[str, tuple[str, float]]:
        """What people said: who, and when. Using up a part of an approval says nothing new."""
        own = tuple(f"{kind} " for kind in (Kind.BLOCKED, Kind.FIRST_RUN))
        return {key: (note.who, note.at) for key, note in self.ledger.items() if not key.startswith(own)}

    def get(self, kind: Kind, about: str) -> Note | None:
        return self.ledger.get(f"{kind} {about}")

    def unknown(self, kind: Kind, about: str) -> str:
        """Why it cannot be said whether there is such a note. "" where it can."""
        return self.ledger.unknown(f"{kind} {about}")

    def keep(self, kind: Kind, notes: Mapping[str, Note | None]) -> None:
        """Set, or with None drop. What lies in an unreadable part stays as it is. Raises AwsError."""
        self.ledger.update({f"{kind} {about}": note for about, note in notes.items()})

    def change(self, kind: Kind, before: Mapping[str, Note], after: Mapping[str, Note | None]) -> None:
        """The same where they still are what they were `before`: somebody may have asked anew. Raises AwsError."""
        changes = {f"{kind} {about}": note for about, note in after.items()}
        self.ledger.update(changes, over={f"{kind} {about}": before[about] for about in after})

    def write(self, kind: Kind, about: str, note: Note | None) -> None:
        """The same for one note that a person waits for. Raises NoteError where it could not be kept, AwsError."""
        self.keep(kind, {about: note})
        if why := self.unknown(kind, about):
            raise NoteError(f"nothing was written: {why}; put it right, or delete it, and start the controller anew")

    def hold(self, about: str) -> Hold | None:
        """Why a route or a service may not be written, as far as people said so."""
        if note := self.get(Kind.SUSPENDED, about):
            return Hold(Reason.SUSPENDED, f"{about} was suspended {note}")
        if why := self.unknown(Kind.SUSPENDED, about):
            return Hold(Reason.UNKNOWN, f"whether {about} is suspended is not known: {why}")
        return None

    def holds(self, names: Iterable[str]) -> dict[str, Hold]:
        return {name: hold for name in names if (hold := self.hold(name))}
