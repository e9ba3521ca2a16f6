"""A pass without changes beside what people write first: a batched boto3 script that looks at everything once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3

from controller.aws.accounts import CLIENTS
from controller.aws.limiter import Limiter
from controller.sandbox.ecs.buckets import Buckets
from tests.bench.estate import BUCKET, Estate, settled
from tests.bench.figures import Figure, at_most, exactly, told
from tests.bench.passes import LARGE
from tests.bench.specs import REGION

CALLS, WALL = 1 / 8, 1.0
LATENCY, RETRY = 0.03, 0.1
"""Seconds that a call takes, and until one that was throttled is made again: the same for both."""
SHARE = 0.5


def recheck() -> Iterator[Figure]:
    """Calls are made and counted; how long ECS's buckets would make them take is played through with its own rates."""
    estate = settled(LARGE)
    controller = estate.controller()
    controller.poll_source()
    controller.resync()
    ours, theirs = _calls(estate, controller.resync), _calls(estate, _Script(estate).run)
    yield told("recheck.10000.script", len(theirs), "calls")
    yield told("recheck.10000.pass", len(ours), "calls")
    yield at_most("recheck.10000.pass_to_script.calls", len(ours) / len(theirs), CALLS)
    script_seconds, _ = _played(theirs, limited=False)
    pass_seconds, throttled = _played(ours, limited=True)
    yield told("recheck.10000.script.wall", script_seconds, "s")
    yield told("recheck.10000.pass.wall", pass_seconds, "s")
    yield at_most("recheck.10000.pass_to_script.wall", pass_seconds / script_seconds, WALL)
    yield exactly("recheck.10000.pass.throttled", throttled, 0)


def _calls(estate: Estate, work: Callable[[], object]) -> list[str]:
    """`service:Operation` of each, by kind: the order within a pass changes no wait."""
    with estate.wire.counting() as made:
        work()
    return list(made.elements())


def _played(calls: list[str], *, limited: bool) -> tuple[float, int]:
    """Seconds that the calls take one after the other, and how many of them ECS throttles."""
    now, throttled, buckets = 0.0, 0, Buckets()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    ours = Limiter(SHARE, now=lambda: now, sleep=sleep) if limited else None
    for call in calls:
        service, operation = call.split(":")
        if ours:
            ours.acquire(service, operation)
        while service == "ecs" and not buckets.allow("main", REGION, operation, now):
            throttled += 1
            sleep(RETRY)
        sleep(LATENCY)
    return now, throttled


class _Script:
    """DescribeServices by ten, each definition, each config object; nothing is kept from last time."""

    def __init__(self, estate: Estate) -> None:
        self._clusters, self._configs = estate.clusters, estate.bucket.ending("/pipeline.conf")
        self._ecs: Any = boto3.Session().client("ecs", region_name=REGION, config=CLIENTS)
        self._s3: Any = boto3.Session().client("s3", region_name=REGION, config=CLIENTS)

    def run(self) -> None:
        for cluster in self._clusters:
            pages = self._ecs.get_paginator("list_services").paginate(
                cluster=cluster, PaginationConfig={"PageSize": 100}
            )
            arns = [arn for page in pages for arn in page["serviceArns"]]
            for start in range(0, len(arns), 10):
                found = self._ecs.describe_services(cluster=cluster, services=arns[start : start + 10])
                for service in found["services"]:
                    self._ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        for key in self._configs:
            self._s3.head_object(Bucket=BUCKET, Key=key)
