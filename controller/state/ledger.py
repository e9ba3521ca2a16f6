"""A map from keys to records, kept as a few JSON objects in S3.

Sharded, so that ten thousand records cost few reads at a start and one small write a change. Writes are
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
ATTEMPTS = 8
MAX_BYTES = 64 * 2**20
"""Of one object; ten thousand routes take half a megabyte each. Beyond it is none of ours, and not read whole."""
JSON = "application/json"


class Record(Protocol):
    def as_plain(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class _Shard:
    """`etag` None: there is no such object."""

    entries: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    unreadable: str = ""
    """Why nothing is known of what it holds."""


class Ledger(Generic[R]):
    """Thread-safe; reading never waits for S3. `load` first; what touches S3 may raise AwsError.

    What is in memory was in S3: it changes only once S3 has taken a write, or was read.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefix: str,
        read: Callable[[Mapping[str, Any]], R],
        checks: Callable[[str], object] = str,
        shards: int = 16,
    ) -> None:
        """`read` and `checks` raise ValueError, TypeError or KeyError where something is no record, or no key.
        `shards`: more where many records change one by one.
        """
        self._store, self._prefix, self._read, self._checks = store, prefix, read, checks
        self._names = [_name(number, shards) for number in range(shards)]
        self._shards = {name: _Shard() for name in self._names}
        self._writing = {name: threading.Lock() for name in self._names}
        self._loading, self._loaded, self._wanted = threading.Lock(), 0, 1
        self.version = 0
        """Another one after each change that was read or written."""

    def ensure_loaded(self) -> None:
        """Load, where that has not succeeded yet. Until then nothing is known, so nothing may be decided."""
        with self._loading:
            if self._loaded < self._wanted:
                self.load()

    def outdate(self) -> None:
        """What was read may be old by now: `ensure_loaded` reads it once more. Waits for nobody."""
        self._wanted += 1

    @property
    def complete(self) -> bool:
        """All of it was read."""
        return self._loaded == self._wanted and not self.unreadable()

    def load(self) -> None:
        """Read what is there: one listing, then those shards that are new."""
        wanted = self._wanted
        self.refresh({info.key: info.etag for info in self._store.list(f"{self._prefix}/")})
        self._loaded = wanted

    def refresh(self, etags: Mapping[str, str]) -> None:
        """Read again what others changed. `etags`: whole key → ETag, of a listing that somebody made anyway.

        Costs a request for each shard that differs, so none where nothing changed. The listing may be
        older than our own writes: what it lacks counts as gone only where a read says so too.
        """
        for name in self._names:
            with self._writing[name]:
                if etags.get(self._key(name)) != self._shards[name].etag:
                    self._keep(name, self._fetch(name))

    def get(self, key: str) -> R | None:
        found: R | None = self._shards[self._shard(key)].entries.get(key)
        return found

    def unknown(self, key: str) -> str:
        """Why nothing is known of `key`: its shard cannot be read. "" where it is readable."""
        return self._shards[self._shard(key)].unreadable

    def unreadable(self) -> dict[str, str]:
        """Shards that cannot be read, by name, and why: whatever they hold is unknown, and in no `items`."""
        return {name: shard.unreadable for name in self._names if (shard := self._shards[name]).unreadable}

    def items(self) -> Iterator[tuple[str, R]]:
        pairs = [pair for name in self._names for pair in self._shards[name].entries.items()]
        return iter(sorted(pairs, key=lambda pair: pair[0]))

    def put(self, key: str, record: R | None) -> None:
        """Set, or with None forget, one record."""
        self.update({key: record})

    def update(self, changes: Mapping[str, R | None], *, over: Mapping[str, R | None] | None = None) -> None:
        """Several changes, one write a shard; nothing is written where nothing changes.

        What is unknown stays so: a shard that cannot be read is never written, and `get` tells. With `over`, a change
        is made only where the record is still what `over` says it was.
        """
        by_shard: dict[str, dict[str, R | None]] = {}
        for key, record in changes.items():
            by_shard.setdefault(self._shard(key), {})[key] = record
        for name, some in sorted(by_shard.items()):
            with self._writing[name]:
                self._write(name, some, over)

    def _write(self, name: str, changes: Mapping[str, R | None], over: Mapping[str, R | None] | None) -> None:
        for _ in range(ATTEMPTS):
            shard = self._shards[name]
            if over is not None:
                changes = {key: record for key, record in changes.items() if shard.entries.get(key) == over[key]}
            entries = {**shard.entries, **changes}
            entries = {key: record for key, record in entries.items() if record is not None}
            if entries == shard.entries or shard.unreadable:
                return
            try:
                etag = self._store.put(
                    self._key(name),
                    _packed(entries),
                    content_type=JSON,
                    create=shard.etag is None,
                    replaces=shard.etag,
                )
            except (PreconditionFailed, NotFound) as error:
                if isinstance(error, NotFound) and shard.etag is None:
                    raise  # not the object is missing, but the bucket
                self._keep(name, self._fetch(name))
                continue
            self._keep(name, _Shard(entries, etag))
            return
        raise PreconditionFailed(
            "s3:PutObject",
            f"s3://{self._store.bucket}/{self._key(name)}",
            "PreconditionFailed",
            f"somebody else wrote first, {ATTEMPTS} times",
        )

    def _keep(self, name: str, shard: _Shard) -> None:
        self._shards[name] = shard
        self.version += 1

    def _fetch(self, name: str) -> _Shard:
        try:
            found = self._store.get(self._key(name), max_bytes=MAX_BYTES)
        except NotFound:
            return self._absent(name)
        try:
            entries = self._parse(found.body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            return _Shard(etag=found.etag, unreadable=f"{self._key(name)} is not readable: {what}")
        return _Shard(entries, found.etag)

    def _parse(self, body: bytes) -> dict[str, R]:
        if len(body) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
        plain = orjson.loads(body)
        if plain["format"] != FORMAT:
            raise ValueError(f"it is of format {plain['format']}, this version reads {FORMAT}")
        for key in plain["entries"]:
            self._checks(key)
        return {key: self._read(one) for key, one in plain["entries"].items()}

    def _absent(self, name: str) -> _Shard:
        """Where we knew of entries, a lost object is a loss; where there never were any, it is nothing."""
        before = self._shards[name]
        if before.entries or before.unreadable:
            return _Shard(unreadable=f"{self._key(name)} is not readable: the object is gone")
        return _Shard()

    def _shard(self, key: str) -> str:
        return shard_of(key, len(self._names))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}.json"


def _packed(entries: Mapping[str, Record]) -> bytes:
    return orjson.dumps(
        {"format": FORMAT, "entries": {key: record.as_plain() for key, record in entries.items()}},
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
    )


def shard_of(key: str, shards: int = 16) -> str:
    return _name(int.from_bytes(hashlib.sha256(key.encode()).digest()[:2], "big") * shards >> 16, shards)


def _name(number: int, shards: int) -> str:
    return f"{number:0{len(f'{shards - 1:x}')}x}"
