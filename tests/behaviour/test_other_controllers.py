"""Services that only their owner can roll out: told what to do, and left alone whatever happens to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.playground import CLUSTER, Playground, route_yaml

PLACE = {"cluster": CLUSTER, "service": "example"}


def untouched(play: Playground) -> None:
    """Passes over a while say why, and write nothing to ECS."""
    play.sandbox.reset_call_counts()
    for _ in range(3):
        play.step()
        play.sandbox.advance(300)
        play.clock.advance(300)
    assert play.reason() == "DeploymentController"
    calls = play.sandbox.call_counts
    assert not any(calls[f"ecs:{name}"] for name in ("RegisterTaskDefinition", "UpdateService", "CreateTaskSet"))


@pytest.mark.parametrize("percents", [[], [100.0], [100.0, 50.0]])
def test_a_service_of_task_sets_is_told_and_left_alone(play: Playground, percents: list[float]) -> None:
    """Without a PRIMARY task set ECS shows no task definition at all."""
    play.service()
    arn = play.sandbox.service(CLUSTER, "example")["taskDefinition"]
    play.ecs.delete_service(force=True, **PLACE)
    play.sandbox.advance(60)
    request: dict[str, Any] = {"cluster": CLUSTER, "serviceName": "example", "desiredCount": 2}
    play.ecs.create_service(deploymentController={"type": "EXTERNAL"}, **request)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    for percent in percents:
        scale = {"value": percent, "unit": "PERCENT"}
        made = play.ecs.create_task_set(
            taskDefinition=arn, scale=scale, launchType="FARGATE", networkConfiguration=network, **PLACE
        )["taskSet"]
        play.ecs.update_service_primary_task_set(primaryTaskSet=made["id"], **PLACE)
    play.write("httpd.yaml", route_yaml())
    untouched(play)
    shown = play.sandbox.service(CLUSTER, "example")["taskSets"]
    assert [one["runningCount"] for one in shown] == [int(2 * percent / 100) for percent in reversed(percents)]
    assert play.status()["Ready"] == ("False", "DeploymentController")


def test_status_and_plan_say_what_the_owner_of_an_external_service_does(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    request: dict[str, Any] = {"cluster": CLUSTER, "serviceName": "example", "desiredCount": 2}
    play.ecs.create_service(deploymentController={"type": "EXTERNAL"}, **request)
    play.write("httpd.yaml", route_yaml())
    play.settle(times=2)
    play.command("plan")
    for said in (capsys.readouterr().out, str(play.controller.board.plain()["services"])):
        assert "DeploymentController" in said
        assert "logroute inject" in said
        assert "CreateTaskSet" in said
