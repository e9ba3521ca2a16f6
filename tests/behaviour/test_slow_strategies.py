"""Blue/green, bakes and hooks: rollouts that take hours or weeks, and block nobody."""

from __future__ import annotations

from typing import Any

from controller.sandbox import Ailment
from tests.support.playground import CLUSTER, Playground, plain_definition, route_yaml

DAY = 86400
FORTNIGHT = {"timeoutInMinutes": 14 * 24 * 60}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
BLUE_GREEN: dict[str, Any] = {"deploymentConfiguration": {**BREAKER, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 30}}
PAUSED: dict[str, Any] = {
    "deploymentConfiguration": {
        **BREAKER,
        "strategy": "BLUE_GREEN",
        "bakeTimeInMinutes": 5,
        "lifecycleHooks": [
            {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": FORTNIGHT}
        ],
    }
}


def minutes(play: Playground, number: int) -> None:
    """Five at a time, with a pass after each."""
    for _ in range(0, number, 5):
        play.sandbox.advance(300)
        play.clock.advance(300)
        play.step()


def newest(play: Playground) -> dict[str, Any]:
    found: dict[str, Any] = play.ecs.list_service_deployments(cluster=CLUSTER, service="example")
    (record,) = play.ecs.describe_service_deployments(
        serviceDeploymentArns=[found["serviceDeployments"][0]["serviceDeploymentArn"]]
    )["serviceDeployments"]
    return dict(record)


def proceed(play: Playground, action: str) -> None:
    record = newest(play)
    (hook,) = [one["hookId"] for one in record["lifecycleHookDetails"] if one["status"] == "AWAITING_ACTION"]
    play.ecs.continue_service_deployment(
        serviceDeploymentArn=record["serviceDeploymentArn"], hookId=hook, action=action
    )


def test_a_bake_is_rolling_out_until_it_is_over(play: Playground) -> None:
    play.service(**BLUE_GREEN)
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 10)
    assert newest(play)["lifecycleStage"] == "BAKE_TIME"
    assert play.reason() == "RollingOut"
    minutes(play, 30)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_hook_that_pauses_for_days_is_neither_undone_nor_written_over(play: Playground) -> None:
    play.service(**PAUSED)
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 5)
    revisions = play.revisions()
    for _ in range(5):
        play.sandbox.advance(DAY)
        play.step()
    assert play.revisions() == revisions
    assert newest(play)["status"] == "IN_PROGRESS"
    assert play.reason() in ("RollingOut", "RolloutStuck")
    proceed(play, "CONTINUE")
    minutes(play, 20)
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_paused_rollout_does_not_keep_others_waiting(play: Playground) -> None:
    play.service(**PAUSED)
    play.service("second")
    play.write("all.yaml", route_yaml("all", services="[example, second]"))
    play.step()
    minutes(play, 10)
    assert play.reason() in ("RollingOut", "RolloutStuck")
    assert play.reason("second") == "InSync"


def test_a_hook_that_says_roll_back_is_a_roll_back(play: Playground) -> None:
    play.service(**PAUSED)
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 5)
    proceed(play, "ROLLBACK")
    minutes(play, 20)
    assert not play.is_routed()
    assert play.status()["Ready"] == ("False", "RolledBack")


def test_a_spec_that_changes_during_our_bake_waits_for_its_end_or_replaces_it_once(play: Playground) -> None:
    play.service(**BLUE_GREEN)
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 10)
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    minutes(play, 90)
    assert play.is_routed()
    assert play.revisions() == 3
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_bad_router_under_blue_green_is_rolled_back_and_held(play: Playground) -> None:
    play.service(**BLUE_GREEN)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 60)
    assert not play.is_routed()
    assert play.status()["Ready"] == ("False", "RolledBack")
    assert play.revisions() == 2


def test_somebody_elses_blue_green_deployment_is_waited_for_with_its_bake(play: Playground) -> None:
    play.service(**BLUE_GREEN)
    play.write("httpd.yaml", route_yaml())
    play.step()
    minutes(play, 45)
    assert play.is_routed()
    theirs = play.deploy(plain_definition(image="httpd:2.4.65"))
    minutes(play, 20)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert play.reason() == "WaitingForDeployment"
    minutes(play, 80)
    assert play.is_routed()
    assert play.containers()["app"]["image"] == "httpd:2.4.65"
