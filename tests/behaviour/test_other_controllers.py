"""Services that CodeDeploy or somebody else deploys: told, and left alone whatever happens to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.codedeploy import GROUP, appspec, group_settings
from tests.support.playground import CLUSTER, Playground, plain_definition, route_yaml

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


def test_a_service_under_codedeploy_is_told_and_left_alone_also_amid_a_deployment(play: Playground) -> None:
    play.service(deploymentController={"type": "CODE_DEPLOY"})
    play.write("httpd.yaml", route_yaml())
    untouched(play)
    deploy_by_codedeploy(play)
    untouched(play)
    shown = play.sandbox.service(CLUSTER, "example")["taskSets"]
    assert [(one["status"], one["taskDefinition"].rsplit(":", 1)[1]) for one in shown] == [
        ("PRIMARY", "2"),
        ("ACTIVE", "1"),
    ]


def deploy_by_codedeploy(play: Playground) -> None:
    """A deployment whose old task set lives for a day beside the new one."""
    definition = plain_definition()
    play.register(definition)
    codedeploy = play.sandbox.client("codedeploy")
    codedeploy.create_application(applicationName="shop", computePlatform="ECS")
    services = [{"clusterName": CLUSTER, "serviceName": "example"}]
    codedeploy.create_deployment_group(**group_settings(termination_wait=1440) | {"ecsServices": services})
    content = appspec("example:2", definition["containerDefinitions"][0]["name"])
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    codedeploy.create_deployment(**GROUP, revision=revision)


@pytest.mark.parametrize("percents", [[], [100.0], [100.0, 50.0]])
def test_a_service_of_task_sets_is_told_and_left_alone(play: Playground, percents: list[float]) -> None:
    """Without a PRIMARY task set ECS shows no task definition at all."""
    play.service(deploymentController={"type": "CODE_DEPLOY"})
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
