"""Several replicas share shards: each shard is one replica's at a time, and none is left alone for long.

A replica beats: it writes a record of its own anew every few seconds. A shard's lease names the replica that holds it,
and is written only when it changes hands, so that many shards cost no more than one. Nobody's clock is compared with
anybody else's: a replica is dead when its record has stood still for as long as it may, as the observer's own clock
tells; the replica itself stops a little sooner, counted from before its last beat. Who takes over deletes the dead
one's record first, on condition that it still stands still; so one that merely slept finds out at its next beat.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, inf
from typing import Any, Protocol

BEAT = 4.0
"""Seconds between two beats."""
TTL = 15.0
"""Seconds after the beginning of its last beat for which a replica may write."""
GRACE = 1.0
"""Others wait that much longer: clocks run at nearly the same pace, not quite."""
HELD, REPLICAS = "held/", "replicas/"
RUN, COMMAND = "run", "apply"
"""Kinds of replica: a controller, which shares, and a command, which takes what it needs and goes."""


class Taken(Exception):
    """A conditional write or delete came too late: the record is another one by now, or gone."""


class LeaseStore(Protocol):
    """Small records with versions. Whatever else than Taken a method raises means that nothing is known."""

    def versions(self) -> Mapping[str, str]:
        """Name → version of all records, those under HELD read before those under REPLICAS."""

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Version and body."""

    def put(self, name: str, body: bytes, *, over: str | None) -> str:
        """The new version. `over`: the version that it replaces, None: there is none yet. Raises Taken."""

    def delete(self, name: str, *, over: str) -> None:
        """Raises Taken."""


class Holding(Protocol):
    """Who is asked and told, by the thread that beats: all must be quick."""

    def is_free(self, shard: str) -> bool:
        """Nothing is done in it any more that began when it was held before."""

    def prepare(self, shard: str) -> None:
        """It is about to be held: forget what was known of it, for somebody else held it meanwhile."""

    def gained(self, shard: str) -> None: ...

    def lost(self, shard: str) -> None:
        """Given up, or taken away: no write begins any more."""


@dataclass(frozen=True, slots=True)
class _Lease:
    version: str
    holder: str
    epoch: int


class Leases:
    """Thread-safe. `tick` has to be called every BEAT seconds by one thread."""

    def __init__(
        self,
        store: LeaseStore,
        shards: Collection[str],
        name: str,
        holding: Holding,
        *,
        now: Callable[[], float],
        kind: str = RUN,
    ) -> None:
        """`name` is for people, and of letters, digits, `-` and `_`. `now`: seconds that pass also while the machine
        sleeps.
        """
        self._store, self._shards, self._holding, self._now = store, sorted(shards), holding, now
        self._kind, self._name = kind, name
        self._changed = threading.Condition()
        self._mine: dict[str, _Lease] = {}
        self._leaving: dict[str, _Lease] = {}
        """Given up, and written to still."""
        self._writes: Counter[str] = Counter()
        self._known: dict[str, _Lease] = {}
        self._seen: dict[str, tuple[str, float]] = {}
        """Other replicas → version of their record, and when it was first seen."""
        self._start_anew()

    def _start_anew(self) -> None:
        self.replica = f"{self._kind}.{self._name}.{uuid.uuid4().hex[:8]}"
        self._version: str | None = None
        self._until = -inf
        self._sent: set[str] = set()

    # What others ask

    def holds(self, shard: str) -> bool:
        return shard in self._mine and self._now() < self._until

    def keeps(self, shard: str) -> bool:
        """Holds, or would with the next beat: nobody has taken it."""
        return shard in self._mine

    @property
    def lives(self) -> bool:
        """It beat not too long ago."""
        return self._now() < self._until

    @property
    def held(self) -> tuple[str, ...]:
        return tuple(sorted(self._mine)) if self._now() < self._until else ()

    def enter(self, shard: str) -> bool:
        """Whether a write may begin now; `leave` must follow where it may. "": one that belongs to no shard."""
        with self._changed:
            if self._now() >= self._until or (shard and shard not in self._mine):
                return False
            self._writes[shard] += 1
            return True

    def leave(self, shard: str) -> None:
        with self._changed:
            self._writes[shard] -= 1
            self._changed.notify_all()

    def missing(self) -> dict[str, str]:
        """Shards that are not held → the replica that their lease named when it was last looked at."""
        known = {shard: lease.holder for shard, lease in self._known.items()}
        return {shard: known.get(shard, "nobody yet") for shard in self._shards if not self.holds(shard)}

    # What happens by and by

    def tick(self) -> None:
        """Beat, look at the others, give up and take. Raises what the store raises: then nothing is known, and after
        TTL nothing held.
        """
        self._beat()
        there = self._store.versions()
        self._watch(there)
        self._look_at_leases(there)
        self._give_back()
        self._give_up()
        self._take(there)

    def close(self, deadline_seconds: float) -> bool:
        """Give everything back, once the writes that have begun are over; False where some were not by the deadline:
        then TTL has to pass. Raises what the store raises.
        """
        for shard in tuple(self._mine):
            self._let_go(shard)
        with self._changed:
            over = self._changed.wait_for(lambda: not any(self._writes.values()), deadline_seconds)
        self._give_back()
        if over and self._version is not None:
            self._delete(REPLICAS + self.replica, self._version)
            self._start_anew()
        return over

    def _beat(self) -> None:
        begun = self._now()
        for _ in range(2):
            try:
                self._write(begun)
            except Taken:
                if not self._was_ours():
                    break
            else:
                return
        self._lose_all()
        self._write(begun)

    def _write(self, begun: float) -> None:
        """A record that is never the same twice: equal bytes have equal versions."""
        nonce = uuid.uuid4().hex
        self._sent.add(nonce)
        self._version = self._store.put(REPLICAS + self.replica, _packed(at=_date(), nonce=nonce), over=self._version)
        self._sent = {nonce}
        with self._changed:
            self._until = begun + TTL

    def _was_ours(self) -> bool:
        """A beat without an answer may have been written all the same; and S3 refuses one that meets another."""
        found = self._store.read(REPLICAS + self.replica)
        if found is None or str(_unpacked(found[1]).get("nonce")) not in self._sent:
            return False
        self._version = found[0]
        return True

    def _lose_all(self) -> None:
        """Somebody took us for dead."""
        with self._changed:
            gone, self._mine, self._leaving = tuple(self._mine), {}, {}
            self._start_anew()
        for shard in gone:
            self._holding.lost(shard)

    def _watch(self, there: Mapping[str, str]) -> None:
        now = self._now()  # later than whatever was seen: nobody is taken for dead too soon
        others = {name.removeprefix(REPLICAS): one for name, one in there.items() if name.startswith(REPLICAS)}
        others.pop(self.replica, None)
        self._seen = {
            one: self._seen[one] if one in self._seen and self._seen[one][0] == version else (version, now)
            for one, version in others.items()
        }

    def _look_at_leases(self, there: Mapping[str, str]) -> None:
        """Reads those that changed."""
        for shard in self._shards:
            version, known = there.get(HELD + shard), self._known.get(shard)
            if version is None:
                self._known.pop(shard, None)
            elif known is None or known.version != version:
                self._read(shard)
        for shard, lease in tuple(self._mine.items()):
            if self._known.get(shard) != lease:  # deleted by a person, or overwritten
                del self._mine[shard]
                self._holding.lost(shard)

    def _read(self, shard: str) -> None:
        found = self._store.read(HELD + shard)
        if found is None:
            self._known.pop(shard, None)
            return
        plain = _unpacked(found[1])
        epoch = plain.get("epoch")
        self._known[shard] = _Lease(found[0], str(plain.get("holder", "")), epoch if isinstance(epoch, int) else 0)

    def _give_up(self) -> None:
        """Half of what we have more than the one who has least."""
        counts = self._counts()
        most = len(self._mine) - min(counts.values(), default=len(self._mine))
        for shard in list(self._mine)[len(self._mine) - most // 2 :] if self._kind == RUN else ():
            self._let_go(shard)
        self._give_back()

    def _counts(self) -> dict[str, int]:
        """Shards of each other controller that lives."""
        holders = Counter(lease.holder for lease in self._known.values())
        return {one: holders[one] for one in self._seen if one.startswith(f"{RUN}.") and self._lives(one)}

    def _let_go(self, shard: str) -> None:
        with self._changed:
            self._leaving[shard] = self._mine.pop(shard)
        self._holding.lost(shard)

    def _give_back(self) -> None:
        for shard, lease in tuple(self._leaving.items()):
            if not self._writes[shard]:
                self._delete(HELD + shard, lease.version)
                self._leaving.pop(shard, None)
                self._known.pop(shard, None)

    def _delete(self, name: str, version: str) -> None:
        with suppress(Taken):  # it is not ours any more
            self._store.delete(name, over=version)

    def _take(self, there: Mapping[str, str]) -> None:
        """Up to a fair part of all shards, as long as the next beat is not due."""
        due = self._until - TTL + BEAT
        fair = ceil(len(self._shards) / (1 + len(self._counts()))) if self._kind == RUN else len(self._shards)
        for shard in self._shards:
            if len(self._mine) >= fair or self._now() >= due:
                return
            if shard not in self._mine and shard not in self._leaving and self._holding.is_free(shard):
                self._try(shard, there.get(HELD + shard))

    def _try(self, shard: str, version: str | None) -> None:
        known = self._known.get(shard)
        if known is not None and known.holder == self.replica:  # a write of ours that had no answer
            self._gain(shard, known)
            return
        if version != (known.version if known else None) or not self._is_free(known):
            return
        epoch = known.epoch + 1 if known else 1
        body = _packed(holder=self.replica, epoch=epoch, since=_date(), nonce=uuid.uuid4().hex)
        try:
            lease = _Lease(self._store.put(HELD + shard, body, over=version), self.replica, epoch)
        except Taken:
            return
        self._known[shard] = lease
        self._gain(shard, lease)

    def _is_free(self, lease: _Lease | None) -> bool:
        """Nobody's, or a dead one's, which then can never come back to it."""
        if lease is None:
            return True
        if self._lives(lease.holder):
            return False
        seen = self._seen.get(lease.holder)
        if seen is None:
            return self._store.read(REPLICAS + lease.holder) is None
        try:
            self._store.delete(REPLICAS + lease.holder, over=seen[0])
        except Taken:
            return False
        del self._seen[lease.holder]
        return True

    def _lives(self, replica: str) -> bool:
        seen = self._seen.get(replica)
        return seen is not None and self._now() - seen[1] < TTL + GRACE

    def _gain(self, shard: str, lease: _Lease) -> None:
        self._holding.prepare(shard)
        with self._changed:
            self._mine[shard] = lease
        self._holding.gained(shard)


@contextmanager
def writing(leases: Leases, shard: str, refuse: Callable[[], Exception]) -> Iterator[None]:
    """Around one write. Raises what `refuse` makes where the shard is not ours to write to."""
    if not leases.enter(shard):
        raise refuse()
    try:
        yield
    finally:
        leases.leave(shard)


def _packed(**plain: Any) -> bytes:
    return json.dumps(plain, sort_keys=True).encode()


def _unpacked(body: bytes) -> dict[str, Any]:
    """Empty where it is none of ours."""
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _date() -> str:
    """For people; nothing is decided by it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
