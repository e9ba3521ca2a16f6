"""DAEMON, linear and canary: the router goes in, and its rollout is believed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.playground import CLUSTER, Playground, plain_definition, route_yaml

LINEAR = {
    "strategy": "LINEAR",
    "bakeTimeInMinutes": 5,
    "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 5},
}
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 5,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
}


def minutes(play: Playground, number: int) -> None:
    """Five at a time, with a pass after each."""
    for _ in range(0, number, 5):
        play.step()
        play.sandbox.advance(300)
        play.clock.advance(300)


@pytest.mark.parametrize("configuration", [LINEAR, CANARY], ids=["linear", "canary"])
def test_a_service_that_shifts_its_traffic_in_steps_is_routed(play: Playground, configuration: dict[str, Any]) -> None:
    play.service(deploymentConfiguration=configuration)
    play.write("httpd.yaml", route_yaml())
    minutes(play, 60)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_daemon_service_is_routed_and_its_count_left_to_ecs(play: Playground) -> None:
    arn = play.register(plain_definition())
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    play.ecs.create_service(
        cluster=CLUSTER,
        serviceName="example",
        taskDefinition=arn,
        schedulingStrategy="DAEMON",
        launchType="EC2",
        networkConfiguration=network,
    )
    minutes(play, 5)
    before = play.sandbox.service(CLUSTER, "example")["desiredCount"]
    play.write("httpd.yaml", route_yaml())
    minutes(play, 30)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    assert play.sandbox.service(CLUSTER, "example")["desiredCount"] == before
