"""What the controller shows over HTTP, and what people may ask of it there: web.view's Protocols, made true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from controller.api.events import Event
from controller.api.keys import Place, ServiceKey
from controller.aws.ports import AwsError
from controller.reconciling.controller import Controller
from controller.reconciling.guarding import approve
from controller.reconciling.notes import Kind, Note
from controller.reconciling.shards import Shards
from controller.reconciling.statuses import StatusError, merged, read_one
from controller.reconciling.world import STATE, World
from controller.state import history
from controller.telemetry.journal import Journal
from controller.web.view import Refusal, Unknown

FRESH_SECONDS = 10.0
"""What other replicas tell is read anew after so long, where somebody asks."""
MADE_SECONDS = 1.0
"""All rows are put together once in so long at the most, however often something changes."""
NOTHING: Mapping[str, Any] = {
    "revision": "",
    "places": [],
    "sourceError": "",
    "errors": {},
    "lostConfigs": [],
    "routes": {},
    "services": {},
    "rollouts": [],
    "suspended": {},
    "garbage": {},
    "problems": [],
}


@dataclass(slots=True)
class _Made:
    at: float = -1e9
    version: int = -1
    status: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


class Overview:
    """web.view.View and web.view.Actions. Thread-safe; nothing here runs on the event loop."""

    def __init__(
        self,
        world: World,
        controller: Controller,
        shards: Shards,
        journal: Journal,
        monotonic: Callable[[], float],
    ) -> None:
        self._world, self._controller, self._shards = world, controller, shards
        self._journal, self._monotonic = journal, monotonic
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._made = _Made()
        self._elsewhere: dict[Place, tuple[float, dict[str, Any] | None]] = {}
        self._read: dict[Place, tuple[float, list[Event]]] = {}

    # web.view.View

    def version(self) -> tuple[int, int]:
        return self._controller.board.version, self._journal.told

    def status(self) -> Mapping[str, Any]:
        """Where somebody makes it anew already, or S3 keeps them waiting, what was made before."""
        if not self._making.acquire(blocking=self._made.version < 0):
            return self._made.status
        try:
            now, version = self._monotonic(), self._controller.board.version
            stale = version != self._made.version or self._others_are_old(now)
            if stale and now - self._made.at >= MADE_SECONDS:
                own = {**NOTHING, **self._controller.board.plain()}
                others = [found for place in self._others() if (found := self._of(place, now))]
                status = self._world.without_secrets(merged([own, *others]))
                self._made = _Made(now, version, status)
        finally:
            self._making.release()
        return self._made.status

    def plans(self) -> list[dict[str, Any]]:
        found = self._controller.plans.plain(self._world.notes.all(Kind.BLOCKED))
        plain: list[dict[str, Any]] = self._world.without_secrets(found)
        return plain

    def events(self) -> list[Event]:
        """The latest first: of this process, of the process before, and of other replicas."""
        own = [entry.event for entry in self._journal.after()]
        return _latest_first(own, *(self._events_of(place) for place in sorted(self._world.sites)))

    def history(self, about: str) -> list[Event]:
        """Raises Unknown where `about` is no service; AwsError."""
        try:
            path, place = history.service_path(about), self._world.shard_of(ServiceKey.parse(about))
        except (ValueError, StopIteration):
            raise Unknown(f"there is no service {about}") from None
        site = self._world.sites[place]
        kept = history.read(site.shelf.objects, site.install.store.key(STATE) + "/" + path)
        fresh = [one.event for one in self._journal.after() if one.event.about == about]
        return _latest_first(fresh, kept)

    # web.view.Actions

    def reconcile(self, route: str, who: str, why: str) -> str:
        if self._suspended(route) is not None:
            raise Refusal(f"{route} is suspended: resume it first")
        self._write(Kind.RECONCILE, route, who, why)
        return f"{route} is looked at now"

    def suspend(self, route: str, who: str, why: str) -> str:
        self._write(Kind.SUSPENDED, route, who, why)
        return f"{route} is suspended"

    def resume(self, route: str) -> str:
        found = self._suspended(route)
        self._known(route)
        self._world.notes.write(Kind.SUSPENDED, route, None)
        self._controller.on_change()
        if found and found.get("bySpec"):
            raise Refusal(f"{route} is suspended by its spec: take `suspend: true` out there")
        return f"{route} is resumed" if found else f"{route} was not suspended"

    def approve(self, digest: str, who: str) -> str:
        self._may_write()
        self._world.notes.ledger.load()
        found = [one for one in self._world.notes.all(Kind.BLOCKED) if one.startswith(digest)]
        if not found:
            raise Unknown(f"no blocked plan has a digest that starts with {digest}")
        note = approve(self._world.notes, digest, who)
        self._controller.on_change()
        return f"approved for 24 hours: {note.why}"

    def _write(self, kind: Kind, route: str, who: str, why: str) -> None:
        self._known(route)
        notes = self._world.notes
        notes.write(kind, route, Note(who, notes.now(), why))
        self._controller.on_change()

    def _known(self, route: str) -> None:
        self._may_write()
        if route not in self.status()["routes"]:
            raise Unknown(f"there is no route {route}")

    def _may_write(self) -> None:
        if self._world.read_only:
            raise Refusal("readOnly is set: nothing is written here")

    def _suspended(self, route: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.status()["suspended"].get(route)
        return found

    # Other replicas

    def _others(self) -> list[Place]:
        return [place for place in sorted(self._world.sites) if not self._shards.holds(place)]

    def _others_are_old(self, now: float) -> bool:
        return any(now - self._elsewhere.get(place, (-1e9, None))[0] > FRESH_SECONDS for place in self._others())

    def _of(self, place: Place, now: float) -> dict[str, Any] | None:
        """What another replica told of a place; what it told before, where that cannot be read."""
        at, found = self._elsewhere.get(place, (-1e9, None))
        if now - at > FRESH_SECONDS:
            with suppress(AwsError, StatusError):
                found = read_one(self._world.objects, self._world.status_key(place))
            self._elsewhere[place] = (now, found)
        return found

    def _events_of(self, place: Place) -> list[Event]:
        """Of our own places once, for what was before this process; of others' now and then."""
        now = self._monotonic()
        with self._lock:
            at, found = self._read.get(place, (-1e9, []))
        if now - at <= FRESH_SECONDS or (found and self._shards.holds(place)):
            return found
        site = self._world.sites[place]
        with suppress(AwsError):
            key = site.install.store.key(STATE) + "/" + history.place_path(place)
            found = history.read(site.shelf.objects, key)
        with self._lock:
            self._read[place] = (now, found)
        return found


def _latest_first(*some: Iterable[Event]) -> list[Event]:
    """One that several tell of once, as the first tells it: not all keep its diff."""
    every: dict[tuple[float, str, str, str], Event] = {}
    for events in some:
        for one in events:
            every.setdefault((one.at, one.kind, one.about, one.message), one)
    return sorted(every.values(), key=lambda one: -one.at)
