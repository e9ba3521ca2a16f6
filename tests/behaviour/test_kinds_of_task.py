"""Windows, ten containers, 64 KiB, ECS Anywhere, Managed Instances: refused with the reason, or working end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Command, commands
from tests.support.playground import CLUSTER, REGION, Playground, plain_definition, route_yaml

STORE = "s3://configs/logroute"
WINDOWS = {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}
ON_WINDOWS = [{"type": "memberOf", "expression": "attribute:ecs.os-type == windows"}]
PLACES: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "ECS Anywhere": (("EXTERNAL",), "bridge", {"launchType": "EXTERNAL"}),
    "ECS Anywhere on the host's network": (("EXTERNAL",), "host", {"launchType": "EXTERNAL"}),
    "Managed Instances": (("MANAGED_INSTANCES",), "awsvpc", {"capacityProviderStrategy": [{"capacityProvider": "mi"}]}),
    "Managed Instances on the host's network": (
        ("MANAGED_INSTANCES",),
        "host",
        {"capacityProviderStrategy": [{"capacityProvider": "mi", "weight": 1, "base": 1}]},
    ),
    "EC2": (("EC2",), "bridge", {"launchType": "EC2"}),
    "EC2 on the host's network": (("EC2",), "host", {"launchType": "EC2"}),
}
"""What asks for it, on which network, and the service's own settings."""


def elsewhere(kind: str, mode: str = "bridge", **more: Any) -> dict[str, Any]:
    """A definition that asks for another place than Fargate."""
    body = plain_definition() | {"requiresCompatibilities": [kind], "networkMode": mode} | more
    return {key: value for key, value in body.items() if key not in ("cpu", "memory", "runtimePlatform") or key in more}


def without_network() -> dict[str, Any]:
    body = elsewhere("EC2", "none")
    body["containerDefinitions"][0]["portMappings"] = []
    return body


def with_containers(number: int) -> dict[str, Any]:
    body = plain_definition()
    [app] = body["containerDefinitions"]
    small = {**app, "portMappings": [], "memoryReservation": 16}
    return body | {"containerDefinitions": [{**small, "name": f"app-{one}"} for one in range(number)]}


def grown_to(size: int) -> dict[str, Any]:
    """In bytes of compact JSON, nearly."""
    body = plain_definition()
    room = size - len(json.dumps(body, separators=(",", ":")))
    body["containerDefinitions"][0]["dockerLabels"] = {"filler": "x" * (room - 60)}
    return body


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "Windows on Fargate": (
        plain_definition() | {"runtimePlatform": WINDOWS, "cpu": "1024", "memory": "2048"},
        {},
        ["FireLens runs on Linux only", "WINDOWS_SERVER_2022_CORE", "leave it out of the route's target"],
    ),
    "Windows by placement": (
        elsewhere("EC2", placementConstraints=ON_WINDOWS),
        {"launchType": "EC2"},
        ["FireLens runs on Linux only", "attribute:ecs.os-type == windows", "leave it out of the route's target"],
    ),
    "no network": (
        without_network(),
        {"launchType": "EC2"},
        ["networkMode is none", "give it another", "leave the task out of the route's target"],
    ),
    "ten containers": (
        with_containers(10),
        {},
        ["the task has 10 containers", "ECS allows 10 with the router", "take one out"],
    ),
    "64 KiB": (
        grown_to(65_000),
        {},
        ["with the router the task definition has 6", "ECS takes 65,536", "smaller"],
    ),
}
"""Definition, the service's settings, and what has to be said: why, the numbers, what to do."""


@pytest.fixture
def logroute(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Command:
    return commands(play, monkeypatch)


def serve(play: Playground, definition: dict[str, Any], settings: dict[str, Any]) -> None:
    """Without the network settings where the definition takes none."""
    network: dict[str, Any] = {} if definition["networkMode"] == "awsvpc" else {"networkConfiguration": {}}
    play.service(definition=definition, **network, **settings)
    play.write("httpd.yaml", route_yaml())


def inject(logroute: Command, play: Playground, definition: dict[str, Any]) -> tuple[int, Path]:
    there, out = play.specs.parent / "task.json", play.specs.parent / "out.json"
    there.write_text(json.dumps(definition))
    files = ("--task-definition", str(there), "--specs", str(play.specs), "-o", str(out))
    store = ("--config-store", STORE, "--config-dir", str(play.specs.parent / "configs"))
    return logroute("inject", *files, *store, "--region", REGION, "--cluster", CLUSTER), out


def message(play: Playground) -> str:
    return str(play.controller.board.plain()["services"][f"main/{REGION}/{CLUSTER}/example"]["message"])


@pytest.mark.parametrize("kind", REFUSED)
def test_inject_refuses_it_with_the_reason_the_numbers_and_what_to_do(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    definition, _settings, words = REFUSED[kind]
    play.write("httpd.yaml", route_yaml())
    status, out = inject(logroute, play, definition)
    said = capsys.readouterr().err
    assert (status, out.exists()) == (1, False)
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("kind", REFUSED)
def test_plan_and_status_say_it_and_nothing_is_written(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    definition, settings, words = REFUSED[kind]
    serve(play, definition, settings)
    assert logroute("plan", "--format", "json") in (0, 2)
    planned = " ".join(capsys.readouterr().out.split())
    play.settle()
    assert (play.revisions(), play.reason()) == (1, "Unsupported")
    assert [word for word in words if word not in message(play)] == []
    assert [word for word in words if word not in planned] == []


def test_nine_containers_and_the_router_are_ten(play: Playground) -> None:
    serve(play, with_containers(9), {})
    play.settle()
    assert play.is_routed()


@pytest.mark.parametrize("place", PLACES)
def test_it_is_routed_and_restored_there(play: Playground, place: str) -> None:
    (kind,), mode, settings = PLACES[place]
    serve(play, elsewhere(kind, mode), settings)
    before = play.running()["taskDefinition"]["containerDefinitions"]
    play.settle()
    assert (play.is_routed(), play.reason()) == (True, "InSync")
    play.remove("httpd.yaml")
    play.settle()
    assert play.running()["taskDefinition"]["containerDefinitions"] == before


@pytest.mark.parametrize("place", PLACES)
def test_what_inject_gives_registers_there_and_costs_the_controller_no_write(
    play: Playground, logroute: Command, place: str
) -> None:
    (kind,), mode, settings = PLACES[place]
    serve(play, elsewhere(kind, mode), settings)
    status, out = inject(logroute, play, elsewhere(kind, mode))
    assert status == 0
    play.deploy(json.loads(out.read_text()))
    play.sandbox.advance(300)
    play.settle()
    assert (play.is_routed(), play.revisions()) == (True, 2)
