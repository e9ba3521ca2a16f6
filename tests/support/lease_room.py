"""Replicas that share shards over a store in memory, by a clock that is turned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

from controller.runtime.leases import HELD, RUN, Leases, Taken


class Records:
    """A LeaseStore as S3 is one, without the network. `fails`: errors for the next calls, raised before or after."""

    def __init__(self) -> None:
        self.there: dict[str, tuple[str, bytes]] = {}
        self._numbers = count(1)
        self.fail_before: list[Exception] = []
        self.fail_after: list[Exception] = []

    def versions(self) -> Mapping[str, str]:
        self._fail(self.fail_before)
        return {name: version for name, (version, _) in sorted(self.there.items())}

    def read(self, name: str) -> tuple[str, bytes] | None:
        self._fail(self.fail_before)
        return self.there.get(name)

    def put(self, name: str, body: bytes, *, over: str | None) -> str:
        self._fail(self.fail_before)
        there = self.there.get(name)
        if (there[0] if there else None) != over:
            raise Taken
        self.there[name] = (f"v{next(self._numbers)}", body)
        self._fail(self.fail_after)
        return self.there[name][0]

    def delete(self, name: str, *, over: str) -> None:
        self._fail(self.fail_before)
        there = self.there.get(name)
        if there is None or there[0] != over:
            raise Taken
        del self.there[name]

    @staticmethod
    def _fail(errors: list[Exception]) -> None:
        if errors:
            raise errors.pop(0)


class Replica:
    def __init__(self, room: Room, name: str, kind: str) -> None:
        self.told: list[tuple[str, str]] = []
        self.awake = True
        self.busy: set[str] = set()
        self.leases = Leases(room.records, room.shards, name, self, now=lambda: room.time, kind=kind)

    def is_free(self, shard: str) -> bool:
        return shard not in self.busy

    def prepare(self, shard: str) -> None:
        self.told.append(("prepare", shard))
        assert not self.leases.holds(shard)

    def gained(self, shard: str) -> None:
        self.told.append(("gained", shard))
        assert self.leases.holds(shard)

    def lost(self, shard: str) -> None:
        self.told.append(("lost", shard))
        assert not self.leases.enter(shard)


class Room:
    def __init__(self, shards: Collection[str]) -> None:
        self.records, self.shards, self.time = Records(), tuple(shards), 1000.0
        self.replicas: list[Replica] = []

    def replica(self, name: str, kind: str = RUN) -> Replica:
        self.replicas.append(Replica(self, name, kind))
        return self.replicas[-1]

    def tick(self, *replicas: Replica) -> None:
        for one in replicas or [one for one in self.replicas if one.awake]:
            one.leases.tick()

    def run(self, seconds: float, step: float = 4.0) -> None:
        """All who are awake, beating."""
        until = self.time + seconds
        while self.time < until:
            self.time = min(until, self.time + step)
            self.tick()

    def holders(self) -> dict[str, list[Replica]]:
        return {shard: [one for one in self.replicas if one.leases.holds(shard)] for shard in self.shards}

    def lease_of(self, shard: str) -> bytes:
        return self.records.there[HELD + shard][1]
