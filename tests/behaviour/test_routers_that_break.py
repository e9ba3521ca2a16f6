"""Routers break in every way that ECS knows; each is noticed, said in ECS's words, and undone by who has the say."""

from __future__ import annotations

from typing import Any

import pytest

from controller.sandbox import Ailment
from tests.support.playground import CLUSTER, Playground, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
NO_BREAKER: dict[str, Any] = {
    "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
}
OPTIONAL = """
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {name: default}
spec: {container: {essential: false}}
"""


def broken(play: Playground, ailment: Ailment, **service: Any) -> str:
    """A service whose next rollout has a router that breaks so. The revision that it ran before."""
    play.service(**service)
    before = str(play.sandbox.service(CLUSTER, "example")["taskDefinition"])
    play.sandbox.break_container("example", "log_router", ailment, rollouts=1)
    play.write("httpd.yaml", route_yaml())
    return before


def pass_by_pass(play: Playground, minutes: int) -> None:
    for _ in range(minutes):
        play.step()
        play.sandbox.advance(60)
        play.clock.advance(60)


def message(play: Playground) -> str:
    (found,) = play.controller.board.plain()["services"].values()
    return str(found["message"])


def test_a_router_that_dies_after_the_rollout_completed_is_taken_back_though_there_is_a_breaker(
    play: Playground,
) -> None:
    """ECS's breaker looks at starts and health; this router starts well, each time."""
    before = broken(play, Ailment(exit_code=139, after=40))
    pass_by_pass(play, 10)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == before
    assert play.reason() == "RolledBack"
    assert message(play).startswith("log_router exited 139")


def test_a_router_that_runs_out_of_memory_is_said_so(play: Playground) -> None:
    broken(play, Ailment("out_of_memory", after=30), **NO_BREAKER)
    pass_by_pass(play, 10)
    assert play.reason() == "RolledBack"
    assert "OutOfMemoryError" in message(play)


def test_an_image_that_cannot_be_pulled_is_said_so(play: Playground) -> None:
    broken(play, Ailment("unpullable"), **NO_BREAKER)
    pass_by_pass(play, 6)
    assert play.reason() == "RolledBack"
    assert "CannotPullContainerError" in message(play)


def test_a_router_that_never_gets_healthy_is_taken_back(play: Playground) -> None:
    before = broken(play, Ailment("unhealthy"), **NO_BREAKER)
    pass_by_pass(play, 20)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == before
    assert play.reason() == "RolledBack"


def test_a_router_that_dies_alone_while_its_task_goes_on_is_noticed(play: Playground) -> None:
    play.write("class.yaml", OPTIONAL)
    before = broken(play, Ailment(exit_code=1, after=30))
    pass_by_pass(play, 20)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == before
    assert message(play).startswith("log_router exited 1")


def test_a_router_that_dies_once_and_then_stays_up_is_believed(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.step()
    fault = play.sandbox.break_container("example", "log_router", Ailment(after=10))
    play.sandbox.advance(20)
    play.sandbox.mend(fault)
    pass_by_pass(play, 8)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


def test_an_application_that_dies_is_no_reason_to_take_the_router_out(play: Playground) -> None:
    """It ends every minute, with us and without: its router is stopped with it, and is not to blame."""
    play.service(**NO_BREAKER)
    play.sandbox.break_container("example", "app", Ailment(exit_code=1, after=50))
    play.write("httpd.yaml", route_yaml())
    pass_by_pass(play, 30)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("enabled", [True, False], ids=["with a breaker", "without one"])
def test_a_config_that_rolled_back_is_tried_once(play: Playground, enabled: bool) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": enabled, "rollback": enabled}}
    play.service(deploymentConfiguration=breaker)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.write("httpd.yaml", route_yaml())
    pass_by_pass(play, 30)
    assert play.revisions() == 2
    records = play.ecs.list_service_deployments(cluster=CLUSTER, service="example")["serviceDeployments"]
    assert len(records) <= 3


def test_an_older_good_router_is_what_is_gone_back_to(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.write("httpd.yaml", route_yaml())
    pass_by_pass(play, 6)
    good = play.sandbox.service(CLUSTER, "example")["taskDefinition"]
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1), rollouts=1)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    pass_by_pass(play, 8)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == good
    assert play.status()["Ready"] == ("False", "RolledBack")
