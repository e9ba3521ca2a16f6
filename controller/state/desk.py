"""What people ask for by command: suspensions, and requests to reconcile. One small object each, under its own name.

    <prefix>/suspend/route/web/httpd.json
    <prefix>/reconcile/service/main/eu-west-1/web/api.json

The key says it all; the body only says who, when and why. So a damaged body suspends all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum

import orjson

from controller.aws.ports import NotFound, ObjectStore

JSON = "application/json"
LARGEST = 64 * 1024
SUFFIX = ".json"


class Verb(StrEnum):
    SUSPEND = "suspend"
    RECONCILE = "reconcile"


class What(StrEnum):
    ROUTE = "route"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Subject:
    """`name`: `namespace/name` of a route, `account/region/cluster/service` of a service."""

    what: What
    name: str


@dataclass(frozen=True, slots=True)
class Note:
    """Who asked, when (ISO 8601) and why; each may be unknown, and then is empty."""

    by: str = ""
    at: str = ""
    reason: str = ""

    def __str__(self) -> str:
        said = f"by {self.by or 'somebody'}" + (f" at {self.at}" if self.at else "")
        return f"{said}: {self.reason}" if self.reason else said


class Desk:
    """Thread-safe; `refresh` reads what is new, everything else answers from what was read last."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store, self._prefix, self._lock = store, prefix, threading.Lock()
        self._seen: dict[str, str] = {}
        self._notes: dict[Verb, dict[Subject, Note]] = {verb: {} for verb in Verb}

    def refresh(self) -> bool:
        """One listing, and a read for each new object. Whether anything changed. Raises AwsError."""
        listed = {info.key: info.etag for info in self._store.list(f"{self._prefix}/")}
        with self._lock:
            if listed == self._seen:
                return False
            notes: dict[Verb, dict[Subject, Note]] = {verb: {} for verb in Verb}
            for key, etag in listed.items():
                if (entry := self._entry(key)) is not None:
                    verb, subject = entry
                    same = self._seen.get(key) == etag
                    notes[verb][subject] = self._notes[verb][subject] if same else self._read(key)
            self._seen, self._notes = listed, notes
        return True

    def suspended(self, what: What) -> Mapping[str, Note]:
        return self._of(Verb.SUSPEND, what)

    def requests(self, what: What) -> Mapping[str, Note]:
        return self._of(Verb.RECONCILE, what)

    def put(self, verb: Verb, subject: Subject, note: Note) -> None:
        """Raises AwsError."""
        body = orjson.dumps(asdict(note), option=orjson.OPT_INDENT_2)
        self._store.put(self._key(verb, subject), body, content_type=JSON)

    def drop(self, verb: Verb, subjects: Iterable[Subject]) -> None:
        """What is not there is fine. Raises AwsError."""
        for subject in subjects:
            self._store.delete(self._key(verb, subject))
            with self._lock:
                self._notes[verb].pop(subject, None)
                self._seen.pop(self._key(verb, subject), None)

    def _of(self, verb: Verb, what: What) -> dict[str, Note]:
        with self._lock:
            return {subject.name: note for subject, note in self._notes[verb].items() if subject.what is what}

    def _read(self, key: str) -> Note:
        with suppress(NotFound, ValueError, TypeError, AttributeError):
            plain = orjson.loads(self._store.get(key, max_bytes=LARGEST).body)
            return Note(*(str(plain.get(name, "")) for name in ("by", "at", "reason")))
        return Note()

    def _entry(self, key: str) -> tuple[Verb, Subject] | None:
        """None for what is no entry of ours; it is left alone."""
        parts = key.removeprefix(f"{self._prefix}/").removesuffix(SUFFIX).split("/", 2)
        try:
            verb, what, name = parts
            return Verb(verb), Subject(What(what), name)
        except ValueError:
            return None

    def _key(self, verb: Verb, subject: Subject) -> str:
        return f"{self._prefix}/{verb}/{subject.what}/{subject.name}{SUFFIX}"
