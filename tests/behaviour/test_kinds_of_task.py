"""Tasks of every kind, through `inject` and through the controller: routed to the end, or refused with what to do."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

LIMIT = 65536


def on(kind: str, network: str, /, **app: Any) -> dict[str, Any]:
    body = plain_definition(**app) | {"requiresCompatibilities": [kind], "networkMode": network}
    if network == "bridge":
        body.pop("cpu", None)
        body.pop("memory", None)
        body["containerDefinitions"][0].setdefault("memory", 512)
    return body


def windows() -> dict[str, Any]:
    platform = {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}
    return plain_definition() | {"runtimePlatform": platform, "cpu": "1024", "memory": "2048"}


def ten_containers() -> dict[str, Any]:
    body = plain_definition()
    app = body["containerDefinitions"][0]
    body["containerDefinitions"] += [{"name": f"side{at}", "image": app["image"]} for at in range(9)]
    return body


def nearly_64_kib() -> dict[str, Any]:
    """What ECS takes, and with a router no more."""
    body = plain_definition(environment=[{"name": "FILLING", "value": ""}])
    room = LIMIT - len(json.dumps(body, separators=(",", ":")).encode()) - 500
    body["containerDefinitions"][0]["environment"][0]["value"] = "x" * room
    return body


def without_network() -> dict[str, Any]:
    return on("EC2", "none", portMappings=[])


def without_execution_role() -> dict[str, Any]:
    splunk = {"logDriver": "splunk", "options": {"splunk-url": "https://example.com"}}
    body = plain_definition(logConfiguration=splunk)
    del body["executionRoleArn"]
    return body


FARGATE = {"launchType": "FARGATE"}
REFUSED = {
    "windows": (windows, FARGATE, ["Linux only", "WINDOWS_SERVER_2022_CORE", "leave it out of the route's target"]),
    "ten containers": (ten_containers, FARGATE, ["has 10 containers", "ECS allows 10", "one container less"]),
    "64 KiB": (nearly_64_kib, FARGATE, [" bytes, of which ", f"ECS takes {LIMIT:,}", "smaller"]),
    "no network": (without_network, {"launchType": "EC2"}, ["networkMode is none", "leave it out"]),
    "no execution role": (without_execution_role, FARGATE, ["no executionRoleArn", "awslogs on Fargate", "set it in"]),
}
MANAGED: dict[str, Any] = {
    "capacityProviderStrategy": [{"capacityProvider": "managed", "weight": 1}],
    "launchType": None,
}
ROUTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "EC2 bridge": (on("EC2", "bridge"), {"launchType": "EC2"}),
    "EC2 host": (on("EC2", "host"), {"launchType": "EC2"}),
    "EXTERNAL bridge": (on("EXTERNAL", "bridge"), {"launchType": "EXTERNAL"}),
    "EXTERNAL host": (on("EXTERNAL", "host"), {"launchType": "EXTERNAL"}),
    "MANAGED_INSTANCES awsvpc": (on("MANAGED_INSTANCES", "awsvpc"), MANAGED),
    "MANAGED_INSTANCES host": (on("MANAGED_INSTANCES", "host"), MANAGED),
}


def started(play: Playground, body: dict[str, Any], where: dict[str, Any]) -> None:
    """A service of a definition that this kind of capacity takes."""
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}} if body["networkMode"] == "awsvpc" else None
    arn = play.register(body)
    settings = {"desiredCount": 1, "networkConfiguration": network, **where}
    told = {name: value for name, value in settings.items() if value is not None}
    play.ecs.create_service(cluster=CLUSTER, serviceName="example", taskDefinition=arn, **told)
    play.sandbox.advance(300)
    play.write("httpd.yaml", route_yaml())


def inject(folder: Path, body: dict[str, Any]) -> int:
    """The exit code; what it writes is out.json."""
    (folder / "td.json").write_text(json.dumps(body))
    (folder / "route.yaml").write_text(route_yaml())
    files = ["--task-definition", folder / "td.json", "--specs", folder / "route.yaml", "-o", folder / "out.json"]
    store = ["--config-store", f"s3://{STORE}/{PREFIX}", "--config-dir", folder / "configs"]
    with pytest.raises(SystemExit) as ended:
        main(["inject", *map(str, files + store), "--region", REGION, "--cluster", CLUSTER])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_inject_refuses_it_and_says_what_to_do(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, _, words = REFUSED[kind]
    assert inject(tmp_path, made()) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert [word for word in words if word not in said] == []
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_the_controller_leaves_it_alone_and_plan_and_status_say_why(
    kind: str, play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    made, where, words = REFUSED[kind]
    started(play, made(), where)
    play.settle()
    assert play.revisions() == 1
    assert play.status()["Stalled"] == ("True", "Unsupported")
    capsys.readouterr()
    assert play.command("plan", "--format", "json") == 0
    shown = json.dumps(play.controller.board.plain())
    for said in (capsys.readouterr().out, shown):
        assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("kind", sorted(ROUTED))
def test_inject_gives_what_ecs_registers(kind: str, play: Playground, tmp_path: Path) -> None:
    body, _ = ROUTED[kind]
    assert inject(tmp_path, body) == 0
    made = json.loads((tmp_path / "out.json").read_text())
    assert play.register(made).endswith(":1")
    assert made["requiresCompatibilities"] == body["requiresCompatibilities"]


@pytest.mark.parametrize("kind", sorted(ROUTED))
def test_the_controller_routes_it_to_the_end_and_gives_it_back(kind: str, play: Playground) -> None:
    body, where = ROUTED[kind]
    started(play, copy.deepcopy(body), where)
    before = play.running()["taskDefinition"]
    play.settle(times=4)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    assert ("healthCheck" in play.containers()["log_router"]) is (body["networkMode"] != "host")
    play.write("other.yaml", route_yaml("other", "[elsewhere]"))
    play.remove("httpd.yaml")
    play.settle()
    after = play.running()["taskDefinition"]
    assert after["containerDefinitions"] == before["containerDefinitions"]
    assert after["networkMode"] == before["networkMode"]
