"""The process dies at any AWS call of a pass over several services: the next one ends in the same world.

One pass holds all that a pass can meet: a service to be routed, one whose deploy lost the router, one whose route
changed, one to be restored, one whose config object is gone, one that ECS rolled back. The number of calls is found out,
not written down. `make test` takes some of the kills, `make soak` all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.aws.accounts import AwsAccount
from controller.sandbox import Sandbox
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import (
    ALL_AT_ONCE,
    CLUSTER,
    OUTPUT,
    PREFIX,
    REGION,
    STORE,
    Playground,
    plain_definition,
    route_yaml,
)
from tests.support.sites import Killed, Wire

JSON_LINES = "[{name: stdout, format: json_lines}]"
GROUPS = "  logGroups: [{name: kept, retentionDays: 7}]\n"
SERVICES = ("new", "bare", "changed", "leaving", "robbed", "broken")
SOME = 5
"""Kills that `make test` takes, spread over the pass."""
MOMENTS = {"before the call": False, "with its answer on the way": True}
FORGETS = ("deployment", "asked_at", "progress", "progress_at", "bare_at", "at")
"""Of a memory, what differs by when and how often was asked."""


@contextmanager
def world(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Playground]:
    """Everything is prepared, and the pass is about to begin in a new process."""
    folder.mkdir()
    with Sandbox(region=REGION) as sandbox:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        (folder / "archive.yaml").write_text(OUTPUT)
        (folder / "class.yaml").write_text(ALL_AT_ONCE)
        play = Playground(sandbox, folder)
        for name in SERVICES:
            play.service(name)
        for name in SERVICES[1:]:
            play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]", extra=GROUPS))
        sandbox.fail_next_rollout("broken")
        play.settle(times=4)
        play.write("new.yaml", route_yaml("new", services="[new]"))
        play.deploy(plain_definition("bare", image="httpd:2.4.65"), "bare")
        play.write("changed.yaml", route_yaml("changed", services="[changed]", outputs=JSON_LINES))
        play.remove("leaving.yaml")
        (lost,) = [path for path in play.configs() if _is_named(play, "robbed", path)]
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{lost}")
        play.logs.delete_log_group(logGroupName="kept")
        sandbox.advance(600)
        play.start()
        yield play


def ended(play: Playground) -> dict[str, Any]:
    """The world after some quiet passes: what anybody can see of it, and what is remembered."""
    play.settle(times=7)
    return {
        "running": {name: _definition(play, name) for name in SERVICES},
        "revisions": {name: play.revisions(name) for name in SERVICES},
        "deployments": {name: len(play.sandbox.service(CLUSTER, name)["deployments"]) for name in SERVICES},
        "configs": play.configs(),
        "groups": sorted(
            (one["logGroupName"], one.get("retentionInDays")) for one in play.logs.describe_log_groups()["logGroups"]
        ),
        "memory": memories(play),
        "reasons": {name: play.reason(name) for name in SERVICES},
    }


def calls_of_a_pass(play: Playground) -> int:
    wire = _wire(play)
    play.step()
    return len(wire.asked)


def killed(folder: Path, patch: pytest.MonkeyPatch, number: int, *, answered: bool) -> dict[str, Any] | None:
    """The end after a kill at that call; None where the pass has fewer."""
    with world(folder, patch) as play:
        wire, died = _wire(play), False
        try:
            with wire.cut(number, answered=answered):
                play.step()
        except Killed:
            died = True
        play.start()
        return ended(play) if died else None


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], int]]:
    """The end of a pass that nobody killed, and the number of its calls."""
    with pytest.MonkeyPatch.context() as patch, world(tmp_path_factory.mktemp("calm") / "specs", patch) as play:
        number = calls_of_a_pass(play)
        yield ended(play), number


def test_the_pass_meets_what_it_is_meant_to_meet(undisturbed: tuple[dict[str, Any], int]) -> None:
    end, number = undisturbed
    assert number > 60
    assert end["reasons"] == {
        "new": "InSync",
        "bare": "InSync",
        "changed": "InSync",
        "leaving": "",
        "robbed": "InSync",
        "broken": "RolledBack",
    }
    assert end["revisions"] == {"new": 2, "bare": 4, "changed": 3, "leaving": 2, "robbed": 2, "broken": 2}
    assert ("kept", 7) in end["groups"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("part", range(SOME))
def test_a_kill_leaves_what_the_next_process_finishes(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int, moment: str
) -> None:
    """Killed alone, it registers nothing twice: the revisions are those of the pass that nobody killed."""
    end, number = undisturbed
    at = 1 + part * (number - 1) // (SOME - 1)
    found = killed(tmp_path / "specs", monkeypatch, at, answered=MOMENTS[moment])
    assert found == end or (found is None and at > number - 3)


@pytest.mark.soak
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("tenth", range(10))
def test_a_kill_at_every_single_call_leaves_what_the_next_process_finishes(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenth: int, moment: str
) -> None:
    end, number = undisturbed
    for at in range(1 + tenth, number + 1, 10):
        found = killed(tmp_path / f"specs-{at}", monkeypatch, at, answered=MOMENTS[moment])
        assert found == end or (found is None and at > number - 3), f"killed at call {at}"


def _wire(play: Playground) -> Wire:
    account = play.app.world.home_site.account
    assert isinstance(account, AwsAccount)
    return Wire(account)


def _definition(play: Playground, service: str) -> dict[str, Any]:
    return canonical.canonical(register_form(play.running(service)))


def _is_named(play: Playground, service: str, path: str) -> bool:
    containers = play.containers(service)
    return any(path in pair["value"] for pair in containers["log_router"]["environment"])


def memories(play: Playground) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, body in play.objects().items():
        if key.startswith(("_state/services/", "_state/routes/")):
            found |= {name: _timeless(one) for name, one in json.loads(body)["entries"].items()}
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if key not in FORGETS}
    return value
