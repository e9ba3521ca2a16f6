"""A changed spec over many services under ECS's own buckets, while somebody's CI draws from the same ones.

On the sandbox's clock: the limiter waits by turning it, so that an hour of waiting is measured in a minute.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from controller import app as composition
from controller.api.keys import ServiceKey
from controller.aws.limiter import FAMILIES
from controller.reconciling.controller import Controller
from controller.runtime.clock import ManualClock
from controller.runtime.queue import WorkQueue
from controller.sandbox import Sandbox
from controller.sandbox.settings import Settings as SandboxSettings
from controller.settings import Settings
from controller.telemetry.metrics import Metrics
from controller.telling import Teller
from tests.bench.figures import Figure, at_least, exactly, told
from tests.support.playground import ALL_AT_ONCE, CLUSTER, REGION, STORE, plain_definition, route_yaml

SERVICES = 2_000
UNDER_THROTTLES = SandboxSettings(throttle=True)
SHARE = 0.5
ALLOWED = FAMILIES["ecs:task-definition-modify"].sustained * SHARE
REACHED = 0.95
"""Of the register rate that the limiter allows."""
BURST = 60.0
"""Seconds after the first register that are not counted: the burst is spent by then."""


class Run:
    """A controller, a fleet and a CI on one clock; `more` are settings."""

    def __init__(self, sandbox: Sandbox, folder: Path, **more: Any) -> None:
        self.sandbox, self.clock = sandbox, ManualClock()
        self.ci: Any = sandbox.client("ecs")
        self.wanted, self.next_ci, self.ci_done, self.ci_throttled = 0, 0.0, 0, 0
        self.registers: list[float] = []
        self.throttled = 0
        teller = Teller(Metrics("bench"))
        given = {"source": str(folder), "config_store": f"s3://{STORE}/logroute", "region": REGION, **more}
        settings = Settings(**given)
        self.app = composition.build(settings, observer=self, sleep=self.sleep, monotonic=self.clock.monotonic)
        self.home = self.app.world.home_site.place
        self.queues = {place: WorkQueue[ServiceKey](self.clock) for place in self.app.world.sites}
        self.controller = Controller(self.app.world, self.app.keeper, self.queues, teller, self.clock.monotonic)

    def aws_call(self, _service: str, operation: str, code: str) -> None:
        if operation == "RegisterTaskDefinition" and not code:
            self.registers.append(self.clock.monotonic())
        self.throttled += "hrottl" in code

    def sleep(self, seconds: float) -> None:
        """In steps, so that the CI has its turn at its own pace."""
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until - 1e-9:
            step = min(until, max(self.next_ci, now + 1e-3)) - now
            self.sandbox.advance(step)
            self.clock.advance(step)
            self._ci()

    def _ci(self) -> None:
        """One register every two seconds: the half that is not ours."""
        if not self.registers or self.clock.monotonic() < self.next_ci:
            return
        self.next_ci = self.clock.monotonic() + 1 / (FAMILIES["ecs:task-definition-modify"].sustained * (1 - SHARE))
        try:
            self.ci.register_task_definition(**copy.deepcopy(plain_definition("ci")))
            self.ci_done += 1
        except ClientError:
            self.ci_throttled += 1

    def until_all_are_registered(self, count: int) -> None:
        """At home."""
        self.controller.poll_source()
        self.controller.resync(self.home)
        queue = self.queues[self.home]
        while len(self.registers) < count:
            if not queue.depth():
                self.sleep(1.0)
                continue
            key = queue.get()
            assert key is not None
            again = self.controller.reconcile(key)
            queue.forget(key)
            if again is not None:
                queue.add_after(key, again)
            queue.done(key)

    def rate(self) -> float:
        """Registers a second, once the burst is spent."""
        steady = [at for at in self.registers if at >= self.registers[0] + BURST]
        return (len(steady) - 1) / (steady[-1] - steady[0])


@contextmanager
def under_throttles() -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox that this process's AWS clients talk to, and an empty folder."""
    with tempfile.TemporaryDirectory() as name, Sandbox(region=REGION, settings=UNDER_THROTTLES) as sandbox:
        before = dict(os.environ)
        os.environ.update(sandbox.environment())
        try:
            yield sandbox, Path(name)
        finally:
            os.environ.clear()
            os.environ.update(before)


def populate(sandbox: Sandbox, ecs: Any, s3: Any, bucket: str, count: int) -> None:
    """An account with a config store and so many services."""
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    ecs.create_cluster(clusterName=CLUSTER)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    with sandbox.at_leisure():
        for number in range(count):
            name = f"s{number:04}"
            arn = ecs.register_task_definition(**plain_definition(name))["taskDefinition"]["taskDefinitionArn"]
            where = {"cluster": CLUSTER, "serviceName": name, "launchType": "FARGATE", "networkConfiguration": network}
            ecs.create_service(taskDefinition=arn, desiredCount=1, **where)


def fan_out() -> Iterator[Figure]:
    with under_throttles() as (sandbox, folder):
        populate(sandbox, sandbox.client("ecs"), sandbox.client("s3"), STORE, SERVICES)
        sandbox.advance(600)
        (folder / "class.yaml").write_text(ALL_AT_ONCE)
        (folder / "all.yaml").write_text(route_yaml("all", services='["s*"]'))
        run = Run(sandbox, folder)
        run.until_all_are_registered(SERVICES)
    rate = run.rate()
    yield told("fan_out.2000.registers_per_second", rate, "1/s")
    yield at_least("fan_out.2000.of_the_allowed_rate", rate / ALLOWED, REACHED)
    yield exactly("fan_out.2000.throttled", run.throttled, 0)
    yield exactly("fan_out.2000.ci_throttled", run.ci_throttled, 0)
    yield told("fan_out.2000.ci_registers", run.ci_done, "calls")
