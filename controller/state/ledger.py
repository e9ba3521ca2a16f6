"""A map from keys to records, kept as a few JSON objects in S3.

Sharded, so that ten thousand services cost sixteen reads at a start and one small write a change. Writes are
conditional: where somebody else (the CLI, another replica) wrote a shard first, it is read again and our
entries go on top of theirs.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import orjson

from controller.aws.ports import NotFound, ObjectStore, PreconditionFailed

FORMAT = 1
SHARDS = 16
ATTEMPTS = 8
JSON = "application/json"


class Record(Protocol):
    def as_plain(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class _Shard:
    entries: dict[str, Any] = field(default_factory=dict)
    etag: str | None = None
    unreadable: str = ""
    """Why, where the object is there but cannot be understood."""


class Ledger(Generic[R]):
    """Thread-safe. `load` first; every method that touches S3 may raise AwsError."""

    def __init__(self, store: ObjectStore, prefix: str, read: Callable[[Mapping[str, Any]], R]) -> None:
        self._store, self._prefix, self._read = store, prefix, read
        self._shards: dict[str, _Shard] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Read all shards anew; one listing, then those that are there."""
        there = {info.key for info in self._store.list(f"{self._prefix}/")}
        fresh = {name: self._fetch(name) if self._key(name) in there else _Shard() for name in _names()}
        with self._lock:
            self._shards = fresh

    def get(self, key: str) -> R | None:
        with self._lock:
            return self._shard(key).entries.get(key)

    def unknown(self, key: str) -> str:
        """Why nothing is known of `key`: its shard cannot be read. "" where it is readable."""
        with self._lock:
            return self._shard(key).unreadable

    def items(self) -> Iterator[tuple[str, R]]:
        with self._lock:
            pairs = [pair for shard in self._shards.values() for pair in shard.entries.items()]
        return iter(sorted(pairs, key=lambda pair: pair[0]))

    def put(self, key: str, record: R | None) -> None:
        """Set, or with None forget, one record."""
        self.update({key: record})

    def update(self, changes: Mapping[str, R | None]) -> None:
        """Several changes, one write a shard; nothing is written where nothing changes."""
        by_shard: dict[str, dict[str, R | None]] = {}
        for key, record in changes.items():
            by_shard.setdefault(_shard_of(key), {})[key] = record
        for name, some in sorted(by_shard.items()):
            with self._lock:
                self._write(name, some)

    def _write(self, name: str, changes: Mapping[str, R | None]) -> None:
        for _ in range(ATTEMPTS):
            shard = self._shards.setdefault(name, _Shard())
            entries = {**shard.entries, **changes}
            entries = {key: record for key, record in entries.items() if record is not None}
            if entries == shard.entries or shard.unreadable:
                return
            body = orjson.dumps(
                {"format": FORMAT, "entries": {key: record.as_plain() for key, record in entries.items()}},
                option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
            )
            try:
                etag = self._store.put(
                    self._key(name), body, content_type=JSON, create=shard.etag is None, replaces=shard.etag
                )
            except (PreconditionFailed, NotFound):
                self._shards[name] = self._fetch(name)
                continue
            self._shards[name] = _Shard(entries, etag)
            return
        raise PreconditionFailed(
            "s3:PutObject",
            self._key(name),
            "PreconditionFailed",
            f"somebody else wrote first, {ATTEMPTS} times",
        )

    def _fetch(self, name: str) -> _Shard:
        try:
            found = self._store.get(self._key(name))
        except NotFound:
            return _Shard()
        try:
            plain = orjson.loads(found.body)
            if plain["format"] != FORMAT:
                raise ValueError(f"it is of format {plain['format']}, this version reads {FORMAT}")
            entries = {key: self._read(one) for key, one in plain["entries"].items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return _Shard(etag=found.etag, unreadable=f"{self._key(name)} is not readable: {error}")
        return _Shard(entries, found.etag)

    def _shard(self, key: str) -> _Shard:
        return self._shards.get(_shard_of(key)) or _Shard()

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}.json"


def _names() -> list[str]:
    return [f"{number:x}" for number in range(SHARDS)]


def _shard_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[0]
