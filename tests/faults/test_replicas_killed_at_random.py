"""Two controllers and two hundred services; for ten minutes one of them, or both, are killed at random moments."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError

from controller.sandbox import RealClock, Sandbox
from tests.support.playground import ALL_AT_ONCE, CLUSTER, OUTPUT, PREFIX, REGION, STORE, Playground, plain_definition
from tests.support.process import Process

SECONDS = float(os.environ.get("LOGROUTE_SOAK_SECONDS", "600"))
CONVERGES_WITHIN = 420.0
"""200 registers at one a second, and the looks between."""
TAKEOVER_SECONDS = 30.0
FAR = "eu-west-1"
SERVICES = 100
"""In each region."""
TEAMS = 5
"""A route each, over a fifth of the services."""
SETTINGS = """
accounts: {{main: {{regions: [{near}, {far}]}}}}
limits: {{share: 100%}}
guards: {{maxShare: 100%, maxCount: 200}}
"""


@dataclass(slots=True)
class World:
    play: Playground
    folder: Path
    random: random.Random
    seed: int
    versions: Counter[str] = field(default_factory=Counter)
    running: list[Process] = field(default_factory=list)
    started: int = 0
    takeovers: int = 0
    """At most: each kill may leave every lease behind."""
    waits: list[float] = field(default_factory=list)

    def service_names(self) -> Iterator[tuple[str, str]]:
        for number in range(SERVICES):
            for region in (REGION, FAR):
                yield region, f"team{number % TEAMS}-{number}"

    def change(self, team: int) -> None:
        """A commit: something that no revision before asked for."""
        name = f"team{team}"
        self.versions[name] += 1
        for region in (REGION, FAR):
            text = (
                "apiVersion: logroute.dev/v1alpha1\nkind: LogRoute\n"
                f"metadata: {{name: {name}-{region}, namespace: web}}\n"
                f"spec:\n  target: {{region: {region}, cluster: {CLUSTER}, services: ['{name}-*']}}\n"
                f"  pipeline:\n    filters: [{{name: grep, exclude: log v{self.versions[name]}-}}]\n"
                "    outputs: [{name: stdout}]\n"
            )
            self.play.write(f"{name}-{region}.yaml", text)

    def start(self) -> None:
        self.started += 1
        folder = self.folder / f"replica-{self.started}"
        folder.mkdir()
        more = SETTINGS.format(near=REGION, far=FAR)
        self.running.append(Process(self.play, folder, resync="20s", more=more))

    def kill(self, how_many: int) -> None:
        victims = self.random.sample(self.running, min(how_many, len(self.running)))
        for one in victims:
            one.process.kill()
        for one in victims:
            one.process.wait()
            self.running.remove(one)
            self.takeovers += 2

    def deploy(self) -> None:
        """Somebody's CI, with a definition that knows nothing of a router."""
        region, name = self.random.choice(list(self.service_names()))
        client = self.play.sandbox.client("ecs", region=region)
        image = f"httpd:{self.random.randrange(10**9)}"
        made = client.register_task_definition(**plain_definition(name, image=image))
        client.update_service(cluster=CLUSTER, service=name, taskDefinition=made["taskDefinition"]["taskDefinitionArn"])

    def holders(self) -> dict[str, str]:
        """Shard → the replica that its lease names."""
        held = self.objects("_state/leases/held/")
        return {key.rsplit("/", 1)[1]: str(orjson.loads(body)["holder"]) for key, body in held.items()}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """By key below the store's prefix; what goes meanwhile is left out."""
        found = {}
        pages = self.play.s3.get_paginator("list_objects_v2").paginate(Bucket=STORE, Prefix=f"{PREFIX}/{prefix}")
        for row in (row for page in pages for row in page.get("Contents", ())):
            with suppress(ClientError):
                body = self.play.s3.get_object(Bucket=STORE, Key=row["Key"])["Body"].read()
                found[row["Key"].removeprefix(f"{PREFIX}/")] = body
        return found

    def configs(self) -> dict[str, bytes]:
        found = self.objects("")
        return {key: body for key, body in found.items() if not key.startswith("_state/")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Sandbox(region=REGION, clock=RealClock(30)) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        specs = tmp_path / "specs"
        specs.mkdir()
        (specs / "class.yaml").write_text(ALL_AT_ONCE)
        (specs / "archive.yaml").write_text(OUTPUT)
        play = Playground(sandbox, specs)
        seed = int(os.environ.get("LOGROUTE_SOAK_SEED", "0")) or random.randrange(10**6)  # noqa: S311
        found = World(play, tmp_path, random.Random(seed), seed)  # noqa: S311
        with sandbox.at_leisure():
            _services(found)
        for team in range(TEAMS):
            found.change(team)
        yield found
        for one in found.running:
            one.process.kill()
            one.process.wait()


def _services(world: World) -> None:
    sandbox = world.play.sandbox
    clients: dict[str, Any] = {region: sandbox.client("ecs", region=region) for region in (REGION, FAR)}
    clients[FAR].create_cluster(clusterName=CLUSTER)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    for region, name in world.service_names():
        made = clients[region].register_task_definition(**plain_definition(name))["taskDefinition"]
        clients[region].create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=made["taskDefinitionArn"],
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration=network,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        )


@pytest.mark.soak
def test_after_ten_minutes_of_kills_the_world_is_right_and_nothing_was_done_twice(world: World) -> None:
    world.start()
    world.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(world.random.uniform(1, 12))
        match world.random.randrange(8):
            case 0 | 1 | 2:
                world.kill(1)
                _watch_takeover(world)
                world.start()
            case 3:
                world.kill(2)
                world.start()
                world.start()
            case 4 | 5:
                world.change(world.random.randrange(TEAMS))
            case 6:
                world.deploy()
            case _:
                _delete_a_config(world)
    _until_right(world)
    assert max(world.waits, default=0.0) < TAKEOVER_SECONDS
    surplus = sum(_surplus(world, region, name) for region, name in world.service_names())
    told = (
        f"seed {world.seed}: {world.started} starts, {surplus} surplus revisions, takeovers {sorted(world.waits)} s\n"
    )
    sys.stderr.write(told)
    assert surplus <= world.takeovers
    for region, name in world.service_names():
        assert not _rolled_out_twice(world, region, name)


def _watch_takeover(world: World) -> None:
    """Until every lease names one that lives, where one does."""
    began = time.monotonic()
    names = {line["replica"] for one in world.running for line in one.lines() if line["event"] == "started"}
    while names and time.monotonic() - began < TAKEOVER_SECONDS + 10:
        if (holders := world.holders()) and set(holders.values()) <= names:
            world.waits.append(round(time.monotonic() - began, 1))
            return
        time.sleep(0.5)
    if names:
        world.waits.append(time.monotonic() - began)


def _delete_a_config(world: World) -> None:
    paths = sorted(world.configs())
    if paths:
        world.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{world.random.choice(paths)}")


def _until_right(world: World) -> None:
    end = time.monotonic() + CONVERGES_WITHIN
    while wrong := _wrong(world):
        assert time.monotonic() < end, wrong[:5]
        time.sleep(2)


def _wrong(world: World) -> list[str]:
    configs = world.configs()
    found = []
    for region, name in world.service_names():
        service = world.play.sandbox.service(CLUSTER, name, region=region)
        body = _body(world, region, service["taskDefinition"])
        app, router = (_container(body, one) for one in ("app", "log_router"))
        version = f"v{world.versions[name.partition('-')[0]]}-"
        if router is None or app is None or app["logConfiguration"]["logDriver"] != "awsfirelens":
            found.append(f"{region}/{name} is not routed")
            continue
        [arn] = [one["value"] for one in router["environment"] if one["name"].startswith("aws_fluent_bit_init_s3")]
        key = arn.partition("/logroute/")[2]
        if version.encode() not in configs.get(key, b""):
            found.append(f"{region}/{name} does not run {version}")
        elif [one["rolloutState"] for one in service["deployments"]] != ["COMPLETED"]:
            found.append(f"{region}/{name} is not over")
    return found


def _container(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((one for one in body["containerDefinitions"] if one["name"] == name), None)


def _body(world: World, region: str, arn: str) -> dict[str, Any]:
    family = arn.rsplit("/", 1)[1].partition(":")[0]
    for one in world.play.sandbox.revisions(family, region=region):
        if one["taskDefinitionArn"] == arn:
            return one
    raise AssertionError(arn)


def _essence(body: dict[str, Any]) -> str:
    """What a revision asks for."""
    own = ("taskDefinitionArn", "revision", "registeredAt", "registeredBy", "status", "deregisteredAt")
    return json.dumps({key: value for key, value in body.items() if key not in own}, sort_keys=True, default=str)


def _surplus(world: World, region: str, name: str) -> int:
    """Revisions of ours that are equal to another."""
    ours = [one for one in world.play.sandbox.revisions(name, region=region) if _container(one, "log_router")]
    return len(ours) - len({_essence(one) for one in ours})


def _rolled_out_twice(world: World, region: str, name: str) -> list[str]:
    client = world.play.sandbox.client("ecs", region=region)
    rows = client.list_service_deployments(cluster=CLUSTER, service=name, maxResults=100)["serviceDeployments"]
    targets = [row["targetServiceRevisionArn"] for row in rows]
    told = []
    for start in range(0, len(targets), 20):
        some = targets[start : start + 20]
        told += client.describe_service_revisions(serviceRevisionArns=some)["serviceRevisions"]
    definition = {one["serviceRevisionArn"]: one["taskDefinition"] for one in told}
    bodies = Counter(_essence(_body(world, region, definition[one])) for one in targets)
    return [body for body, count in bodies.items() if count > 1 and "log_router" in body]
