"""Ten thousand services that are in sync, and a controller that has neither state nor cache, under ECS's own buckets.

Waits are played through: the limiter's sleep turns the clock, and each call takes its time on it.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import orjson

from controller.aws.limiter import FAMILIES, Limiter
from controller.desired.model import Desired
from controller.sandbox.ecs.buckets import Buckets
from controller.taskdef.overlay import put
from tests.bench.bucket import Bucket
from tests.bench.ecs import Ecs
from tests.bench.estate import PREFIX, Estate
from tests.bench.figures import Figure, at_least, at_most, exactly, told
from tests.bench.logs import Logs
from tests.bench.measuring import say
from tests.bench.passes import LARGE
from tests.bench.specs import DAYS, REGION
from tests.bench.wire import Reply, Service, Wire

SHARE, LATENCY = 0.5, 0.03
REACHED = 0.9
"""Of the time in which the calls of the slowest family may be made at all."""
REPAIRED_IN = 60.0
SHARDS = 64
EPOCH = 1_795_000_000.0
LOST_AFTER = LARGE // 2
"""Definitions that have been read when a config object goes."""


class _Clock:
    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class _Timed:
    """A service of the wire whose calls take time and draw from ECS's buckets."""

    def __init__(self, name: str, service: Service, clock: _Clock, made: Counter[str]) -> None:
        self._name, self._service, self._clock, self._made = name, service, clock, made
        self._family, self._buckets, self.throttled = Limiter().bucket, Buckets(), 0

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self._made[self._family(self._name, operation)[0]] += 1
        allowed = self._buckets.allow("main", REGION, operation, self._clock.now) or self._name != "ecs"
        self._clock.sleep(LATENCY)
        if not allowed:
            self.throttled += 1
            return Reply(400, orjson.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}))
        found = self._service.answer(operation, url, headers, body)
        date = {"Date": formatdate(EPOCH + self._clock.now, usegmt=True)}
        return Reply(found.status, found.body, {**found.headers, **date})


class _Routed:
    """ECS in which every service runs what the specs ask for. In the middle of it a config object is lost."""

    def __init__(self, plain: Service, desired: Mapping[str, Desired], lose: Callable[[], None]) -> None:
        self._plain, self._desired, self._lose = plain, desired, lose
        self._read = 0

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = self._plain.answer(operation, url, headers, body)
        if operation != "DescribeTaskDefinition":
            return found
        self._read += 1
        if self._read > LOST_AFTER:
            self._lose()
        app = orjson.loads(found.body)["taskDefinition"]
        overlay = self._desired[app["family"]].overlay
        assert overlay is not None
        routed = put(app, overlay)
        return Reply(200, orjson.dumps({"tags": routed.pop("tags", []), "taskDefinition": routed}), found.headers)


class _Store:
    """The config store; notes what is written, and when."""

    def __init__(self, bucket: Bucket, clock: _Clock) -> None:
        self._bucket, self._clock = bucket, clock
        self.written: list[tuple[str, float]] = []
        self.listed_at = 0.0

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = self._bucket.answer(operation, url, headers, body)
        if operation == "PutObject":
            self.written.append((url, self._clock.now))
        if operation == "ListObjectsV2":
            self.listed_at = self._clock.now
        return found

    def puts(self, what: str) -> list[float]:
        return [at for url, at in self.written if what in url]


def cold() -> Iterator[Figure]:
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="cold-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        try:
            yield from _measured(Path(folder))
        finally:
            os.environ.clear()
            os.environ.update(before)


def _measured(folder: Path) -> Iterator[Figure]:
    say(f"preparing {LARGE:,} services that only have to be found …")
    estate, clock, made = Estate(LARGE, folder), _Clock(), Counter[str]()
    estate.wire.plug_in()
    desired = {key.service: one for key, one in estate.settle().items()}
    estate.bucket.drop(f"{PREFIX}/_state/services/")
    lost, lost_at = f"{PREFIX}/{desired['svc-00000'].configs[0].path}", list[float]()

    store = _Store(estate.bucket, clock)

    def lose() -> None:
        """Right after a look, so that nobody looks for as long as may be."""
        if not lost_at and clock.now - store.listed_at < 1:
            estate.bucket.drop(lost)
            lost_at.append(clock.now)

    ecs = _Timed("ecs", _Routed(Ecs(estate.clusters), desired, lose), clock, made)
    others = {"s3": _Timed("s3", store, clock, made), "logs": _Timed("logs", Logs(DAYS), clock, made)}
    Wire(ecs=ecs, **others).plug_in()
    controller = estate.controller(SHARE, sleep=clock.sleep, monotonic=lambda: clock.now)
    controller.poll_source()
    controller.resync()
    yield from _told(made, clock.now, ecs.throttled)
    back = next((at for at in store.puts(lost) if at >= lost_at[0]), float("inf"))
    yield at_most(f"cold.{LARGE}.repair_wait", back - lost_at[0], REPAIRED_IN, "s")
    yield at_most(f"cold.{LARGE}.state_writes", len(store.puts("/_state/services/")), SHARDS, "calls")
    yield exactly(f"cold.{LARGE}.left_to_workers", estate.queue.depth(), 0, "services")
    states = controller.board.plain()["services"].values()
    yield exactly(f"cold.{LARGE}.services_in_sync", sum(one["ready"] for one in states), LARGE, "services")


def _told(made: Counter[str], seconds: float, throttled: int) -> Iterator[Figure]:
    """The slowest family tells how long it has to take: the others' calls can be made meanwhile."""
    needed = {family: count / (FAMILIES[family].sustained * SHARE) for family, count in made.items()}
    for family, count in sorted(made.items()):
        yield told(f"cold.{LARGE}.{family}", count, "calls")
    yield told(f"cold.{LARGE}.first_pass", seconds, "s")
    yield at_least(f"cold.{LARGE}.of_the_permitted_rate", max(needed.values()) / seconds, REACHED)
    yield exactly(f"cold.{LARGE}.throttled", throttled, 0)
