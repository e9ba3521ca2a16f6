"""What happened to each service, as small JSON objects in the config store: a bounded list in each, the oldest first.

Nothing of it decides anything, and none of it stays in memory. `history/<account>/<region>/<cluster>/<service>.json`
has a service's own events, `events/<place>.json` the latest of all that a place's replica told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from controller.api.events import Event, EventKind
from controller.api.keys import Place, ServiceKey
from controller.aws.ports import AwsError, LeaseLost, NotFound, ObjectStore, PreconditionFailed

FORMAT = 1
SERVICES, PLACES = "history", "events"
"""Folders below `_state`."""
MOST_OF_SERVICE, MOST_OF_PLACE = 50, 300
MOST_APPLIES = 20
"""Of a service's events, so many that tell of a revision stay whatever else happens meanwhile."""
APPLIES = frozenset(
    {EventKind.ROLLOUT_STARTED, EventKind.ROLLOUT_SUCCEEDED, EventKind.ROLLED_BACK, EventKind.REPOINTED}
)
MOST_WAITING = 5_000
"""Events that wait for S3 to come back; beyond it the oldest go, told as a number."""
MAX_BYTES = 8 * 2**20
ATTEMPTS = 4
JSON = "application/json"


def service_path(about: str) -> str:
    """Below `_state`. ValueError where `about` is no service's or family's key."""
    ServiceKey.parse(about)
    if any(part in ("", ".", "..") for part in about.split("/")):
        raise ValueError(f"{about} is no key")
    return f"{SERVICES}/{about}.json"


def place_path(place: Place) -> str:
    return f"{PLACES}/{place}.json"


def read(objects: ObjectStore, key: str) -> list[Event]:
    """The oldest first; empty where there is none, or nothing that this version can read. Raises AwsError."""
    return _read(objects, key)[0]


def _read(objects: ObjectStore, key: str) -> tuple[list[Event], str | None]:
    """With its ETag, None where there is no object."""
    try:
        found = objects.get(key, max_bytes=MAX_BYTES)
    except NotFound as error:
        if error.code == "NoSuchBucket":
            raise
        return [], None
    return _events(found.body), found.etag


def _events(body: bytes) -> list[Event]:
    """What cannot be read is nothing: history is for people, and the next event begins it anew."""
    try:
        plain = orjson.loads(body)
        rows: list[Mapping[str, Any]] = plain["events"] if plain["format"] == FORMAT else []
        return [event for row in rows if (event := _event(row))]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _event(row: Mapping[str, Any]) -> Event | None:
    try:
        return Event.from_plain(row)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def bounded(events: Iterable[Event], most: int, applies: int = 0) -> list[Event]:
    """The last `most` that were told, and beyond them the last that tell of a revision, until there are `applies`. In
    the order in which they were told: clocks jump.
    """
    some = list(events)
    kept = some[-most:]
    lacking = applies - sum(one.kind in APPLIES for one in kept)
    older = [one for one in some[:-most] if one.kind in APPLIES] if lacking > 0 else []
    return [*older[-lacking:], *kept] if older else kept


class History:
    """Thread-safe. `tell` never touches S3; `flush` writes what was told, and may raise AwsError."""

    def __init__(
        self,
        store_of: Callable[[Place], tuple[ObjectStore, str]],
        home: Place,
        place_of: Callable[[str], Place | None],
        without_secrets: Callable[[Any], Any] = lambda plain: plain,
    ) -> None:
        """`store_of`: the bucket of a place's config store and the prefix of its `_state` there, with its slash.
        `place_of`: the place that what an event is about lies in, None for `home`.
        """
        self._store_of, self._home, self._place_of = store_of, home, place_of
        self._without_secrets = without_secrets
        self._lock = threading.Lock()
        self._waiting: list[Event] = []
        self.dropped = 0
        """Events that were never written, since the start."""

    def tell(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[0]
                self.dropped += 1

    def flush(self) -> bool:
        """Whether there was anything to write. What could not be written waits for the next time."""
        with self._lock:
            some, self._waiting = self._waiting, []
        if not some:
            return False
        left, failed = dict[Event, None](), list[AwsError]()
        for (place, path), events in self._by_object(some).items():
            try:
                self._append(place, path, events)
            except LeaseLost:
                self.dropped += len(events)  # what happens there now, another replica tells
            except AwsError as error:
                failed.append(error)
                left |= dict.fromkeys(events)
        with self._lock:
            self._waiting = [*left, *self._waiting]
        if failed:
            raise failed[0]
        return True

    def _by_object(self, events: Iterable[Event]) -> dict[tuple[Place, str], list[Event]]:
        found: dict[tuple[Place, str], list[Event]] = {}
        for event in events:
            place = self._place_of(event.about) or self._home
            with suppress(ValueError):
                found.setdefault((place, service_path(event.about)), []).append(event)
            found.setdefault((place, place_path(place)), []).append(event)
        return found

    def _append(self, place: Place, path: str, events: list[Event]) -> None:
        objects, prefix = self._store_of(place)
        for attempt in range(1, ATTEMPTS + 1):
            before, etag = _read(objects, prefix + path)
            body = self._packed(path, [*before, *(one for one in events if one not in before)])
            try:
                objects.put(prefix + path, body, content_type=JSON, create=etag is None, replaces=etag)
            except (PreconditionFailed, NotFound):
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _packed(self, path: str, events: list[Event]) -> bytes:
        own = path.startswith(f"{SERVICES}/")
        kept = bounded(events, MOST_OF_SERVICE, MOST_APPLIES) if own else bounded(events, MOST_OF_PLACE)
        rows = [one.as_plain() for one in kept]
        if not own:
            rows = [{name: value for name, value in row.items() if name != "diff"} for row in rows]
        return orjson.dumps(self._without_secrets({"format": FORMAT, "events": rows}), option=orjson.OPT_INDENT_2)
