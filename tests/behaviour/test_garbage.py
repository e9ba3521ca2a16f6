"""Config objects and revisions that nothing names any more, and all that keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from controller.planning.garbage import DAY, Policy
from controller.reconciling.garbage import Sweeper, Swept
from controller.telling import Teller
from tests.support.playground import Playground, route_yaml

DELETE = Policy("delete")
DRY_RUN = Policy("dry-run")
OLD = "[{name: stdout}]"
NEW = "[{name: stdout, format: json_lines}]"


def sweep(play: Playground, policy: Policy = DELETE) -> Swept:
    return Sweeper(play.app.world, policy, Teller(play.metrics), play.controller.board).sweep()


def days(play: Playground, number: float) -> None:
    play.sandbox.advance(number * DAY)


def deregister(play: Playground, arn: str) -> None:
    play.ecs.deregister_task_definition(taskDefinition=arn)


def ours(play: Playground) -> list[str]:
    """ACTIVE revisions with our router, the oldest first."""
    return [
        one["taskDefinitionArn"]
        for one in play.sandbox.revisions("example")
        if one["status"] == "ACTIVE" and "log_router" in [part["name"] for part in one["containerDefinitions"]]
    ]


@pytest.fixture
def old(play: Playground) -> tuple[str, str]:
    """A config that was replaced: its path, and the revision that names it."""
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=OLD))
    play.settle()
    [path], revision = play.configs(), ours(play)[-1]
    play.write("httpd.yaml", route_yaml(outputs=NEW))
    play.settle()
    assert len(play.configs()) == 2
    return path, revision


def copy_of(path: str) -> str:
    return f"_state/configs/{path.partition('/')[0]}"


def forgotten(play: Playground, revision: str) -> None:
    """Nothing names what `revision` names: it is INACTIVE, and its deployment is no more in the history."""
    deregister(play, revision)
    days(play, 91)


def test_a_config_goes_a_grace_after_the_last_that_named_it(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    assert sweep(play).doubts == []
    days(play, 29)
    sweep(play)
    assert path in play.configs()
    days(play, 2)
    swept = sweep(play)
    assert swept.doubts == []
    assert path not in play.configs()
    assert len(play.configs()) == 1
    assert [one.rsplit("/", 2)[-2:] for one in swept.removed] == [path.split("/")]


def test_its_second_copy_goes_another_grace_later(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    sweep(play)
    assert path not in play.configs()
    days(play, 29)
    sweep(play)
    assert copy_of(path) in play.objects()
    days(play, 2)
    sweep(play)
    assert copy_of(path) not in play.objects()
    assert len(play.configs()) == 1


def test_a_dry_run_lists_and_deletes_nothing(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play, DRY_RUN)
    days(play, 31)
    swept = sweep(play, DRY_RUN)
    assert path in play.configs()
    assert [uri for uri, why in swept.due if why.startswith("nothing names it since 2026-")] == [
        f"s3://configs/logroute/{path}"
    ]
    told: dict[str, Any] = play.controller.board.plain()["garbage"]
    assert told["mayGo"][0]["path"].endswith(path)
    assert b'\nlogroute_garbage_configs{state="due"} 1.0\n' in play.metrics.render("")[0]
