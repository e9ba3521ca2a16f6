"""A pass in which nothing changed: its calls, its CPU, its memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil
from statistics import mean
from typing import Any

import boto3

from controller.api.keys import Place
from controller.applying.group_watch import AT_ONCE
from controller.aws.accounts import CLIENTS, AwsAccount, Options, Role
from controller.aws.logs import PAGE as LOGS_PAGE
from tests.bench.bucket import PAGE
from tests.bench.estate import BUCKET, PREFIX, WIDE_OPEN, Estate, settled
from tests.bench.figures import Figure, at_most, exactly, told
from tests.bench.measuring import ROOT
from tests.bench.specs import REGION

SMALL, LARGE = 200, 10_000
SHARDS = 64 + 16 + 16
"""Objects that the state of the services, of the routes and of the notes is kept in."""
ROUNDS = 2
OWN_CPU = 0.25
"""Of what the SDK takes for the same calls, as it comes."""
MEGABYTES = 250


def calls() -> Iterator[Figure]:
    """docs/calls.md, counted."""
    for size in (SMALL, LARGE):
        yield from _calls(settled(size))


def cpu() -> Iterator[Figure]:
    """The pass beside the same calls made bare. What is ours is what the SDK, set up as we do, does not take."""
    estate = settled(LARGE)
    controller = estate.controller()
    controller.poll_source()
    controller.resync()
    usual, ours = _Bare(estate, boto3.Session()), _Bare(estate, _our_session())
    rounds = [[estate.wire.net_cpu(work) for work in (controller.resync, ours.run, usual.run)] for _ in range(ROUNDS)]
    passed, with_ours, baseline = (mean(column) for column in zip(*rounds, strict=True))
    yield told("pass.10000.cpu", passed, "s")
    yield told("pass.10000.sdk_cpu", baseline, "s")
    yield told("pass.10000.sdk_cpu.our_parser", with_ours, "s")
    yield told("pass.10000.cpu_to_sdk", passed / baseline, "ratio")
    yield at_most("pass.10000.own_cpu_to_sdk", (passed - with_ours) / baseline, OWN_CPU)


def memory() -> Iterator[Figure]:
    """Of a process of its own that starts, reads the specs and the state, and makes two passes: with a spec for
    each service, and with one for a hundred.
    """
    for shared, name in ((False, "10000_routes"), (True, "shared_routes")):
        estate = settled(LARGE, shared=shared)
        command = [sys.executable, "-m", "tests.bench.fresh", str(estate.size), str(estate.folder)]
        done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT)
        label, megabytes = f"pass.10000.{name}.peak_memory", int(done.stdout) / 1024
        yield at_most(label, megabytes, MEGABYTES, "MB")


def _calls(estate: Estate) -> Iterator[Figure]:
    name = f"pass.{estate.size}"
    controller = estate.controller()
    with estate.wire.counting() as starting:
        controller.poll_source()
        estate.app.world.load_shared()  # a pass would do it first
        estate.app.world.home_site.memories.ensure_loaded()
    yield from _start(name, starting)
    for when in ("first_after_start", "later"):
        with estate.wire.counting() as made:
            controller.resync()
        yield from _counted(f"{name}.{when}", made, _documented(estate))
        states = controller.board.plain()["services"].values()
        yield exactly(f"{name}.{when}.services_in_sync", sum(one["ready"] for one in states), estate.size, "services")


def _start(name: str, made: Counter[str]) -> Iterator[Figure]:
    """One listing and at most one read a shard, for the services, for the routes and for the notes."""
    yield exactly(f"{name}.start.s3:ListObjectsV2", made.pop("s3:ListObjectsV2", 0), 3)
    yield at_most(f"{name}.start.s3:GetObject", made.pop("s3:GetObject", 0), SHARDS, "calls")
    yield exactly(f"{name}.start.others", made.total(), 0)


def _counted(name: str, made: Counter[str], documented: Mapping[str, int]) -> Iterator[Figure]:
    for operation, count in documented.items():
        yield exactly(f"{name}.{operation}", made.pop(operation, 0), count)
    yield exactly(f"{name}.others", made.total(), 0)


def _documented(estate: Estate) -> dict[str, int]:
    sizes = [len(names) for names in estate.clusters.values()]
    groups = min(2 * estate.size, AT_ONCE)
    return {
        "logs:DescribeLogGroups": ceil(groups / LOGS_PAGE),
        "ecs:ListServices": sum(ceil(size / 100) for size in sizes),
        "ecs:DescribeServices": sum(ceil(size / 10) for size in sizes),
        "s3:ListObjectsV2": ceil(estate.bucket.count(f"{PREFIX}/") / PAGE),
    }


class _Bare:
    """A script that makes the calls of a pass, and looks at nothing."""

    def __init__(self, estate: Estate, session: Any) -> None:
        self._clusters = estate.clusters
        self._ecs = session.client("ecs", region_name=REGION, config=CLIENTS)
        self._s3 = session.client("s3", region_name=REGION, config=CLIENTS)

    def run(self) -> None:
        for cluster in self._clusters:
            arns = [arn for page in self._listed(cluster) for arn in page["serviceArns"]]
            for start in range(0, len(arns), 10):
                some = arns[start : start + 10]
                self._ecs.describe_services(cluster=cluster, services=some, include=["TAGS"])
        for _ in self._s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/"):
            pass

    def _listed(self, cluster: str) -> Any:
        pages = self._ecs.get_paginator("list_services")
        return pages.paginate(cluster=cluster, PaginationConfig={"PageSize": 100})


def _our_session() -> Any:
    return AwsAccount(Place("main", REGION), Role(), Options(share=WIDE_OPEN))._session()
