"""A rollout is believed when it is true, and undone where nobody else would."""

from __future__ import annotations

from typing import Any

import pytest

from controller.aws.ports import Unreachable
from controller.sandbox import Settings
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import CLUSTER, ROLLOUT_SECONDS, Playground, plain_definition, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
NO_BREAKER: dict[str, Any] = {
    "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
}
QUARTER = 900
SLOW = Settings(start_seconds=3 * QUARTER)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return canonical.canonical(register_form(one)) == canonical.canonical(register_form(other))


def test_a_completed_rollout_counts_once_its_router_stayed_up_for_two_minutes(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(60)
    play.step()
    assert play.sandbox.service(CLUSTER, "example")["deployments"][0]["rolloutState"] == "COMPLETED"
    assert play.status()["Ready"] == ("False", "RollingOut")
    play.sandbox.advance(120)
    play.step()
    assert play.status()["Ready"] == ("True", "InSync")


def test_what_ended_the_router_is_said(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout(exit_code=255)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    (found,) = play.controller.board.plain()["services"].values()
    assert found["reason"] == "RolledBack"
    assert found["message"].startswith("log_router exited 255: ")


def test_without_a_circuit_breaker_we_go_back_ourselves(play: Playground) -> None:
    play.service(**NO_BREAKER)
    before = play.sandbox.service(CLUSTER, "example")["taskDefinition"]
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    found = play.sandbox.service(CLUSTER, "example")
    assert (found["taskDefinition"], len(found["deployments"])) == (before, 1)
    assert play.status()["Ready"] == ("False", "RolledBack")


def test_what_we_took_back_is_not_tried_again(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    revisions = play.revisions()
    play.start()
    play.settle(times=4)
    assert (play.is_routed(), play.revisions()) == (False, revisions)


def test_what_we_took_back_is_tried_again_when_the_spec_changes(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


def test_we_go_back_to_a_copy_where_the_old_revision_is_inactive(play: Playground) -> None:
    play.service(**NO_BREAKER)
    before = play.running()
    play.write("httpd.yaml", route_yaml())
    play.sandbox.fail_next_rollout()
    play.step()
    play.ecs.deregister_task_definition(taskDefinition=before["taskDefinition"]["taskDefinitionArn"])
    play.sandbox.advance(ROLLOUT_SECONDS)
    play.settle()
    after = play.running()
    assert after["taskDefinition"]["status"] == "ACTIVE"
    assert after["taskDefinition"]["revision"] > before["taskDefinition"]["revision"]
    assert same(after, before)
    play.settle()
    assert play.revisions() == after["taskDefinition"]["revision"]


def test_a_kill_while_we_go_back_is_finished_by_the_next_start(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service(**NO_BREAKER)
    before = play.sandbox.service(CLUSTER, "example")["taskDefinition"]
    play.write("httpd.yaml", route_yaml())
    play.sandbox.fail_next_rollout()
    play.step()
    play.sandbox.advance(ROLLOUT_SECONDS)
    ecs = play.app.world.home_site.account.ecs

    def lost(*_: Any) -> None:
        raise Unreachable("ecs:UpdateService", "x", "ReadTimeout", "no answer")

    monkeypatch.setattr(ecs, "update_service", lost)
    play.step()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] != before
    play.start()
    play.settle()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == before
    assert play.status()["Ready"] == ("False", "RolledBack")


def test_a_suspended_route_is_not_even_taken_back(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    assert play.is_routed()
    assert play.status()["Suspended"][0] == "True"


def test_somebody_who_deploys_while_we_go_back_is_not_overwritten(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(ROLLOUT_SECONDS)
    ecs = play.app.world.home_site.account.ecs
    real = ecs.describe_task_definition

    def while_ci_deploys(reference: str, *, cached: bool = True) -> Any:
        found = real(reference, cached=cached)
        if reference.endswith(":1"):
            monkeypatch.setattr(ecs, "describe_task_definition", real)
            play.deploy(plain_definition(image="httpd:2.4.65"))
        return found

    monkeypatch.setattr(ecs, "describe_task_definition", while_ci_deploys)
    play.step()
    assert play.containers()["app"]["image"] == "httpd:2.4.65"


def test_a_roll_back_before_the_restart_is_ours_though_no_answer_told_so(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right after UpdateService; ECS has rolled back by the time of the next start."""
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    ecs = play.app.world.home_site.account.ecs
    real = ecs.update_service

    def unheard(*arguments: Any) -> None:
        real(*arguments)
        raise Unreachable("ecs:UpdateService", "x", "ReadTimeout", "no answer")

    monkeypatch.setattr(ecs, "update_service", unheard)
    play.step()
    play.sandbox.advance(600)
    revisions = play.revisions()
    play.start()
    play.settle()
    assert (play.is_routed(), play.revisions()) == (False, revisions)
    assert play.status()["Ready"] == ("False", "RolledBack")


def test_a_service_scaled_to_nothing_proves_nothing(play: Playground) -> None:
    play.service(desiredCount=0)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    assert play.reason() == "Unproven"


def test_a_service_scaled_to_nothing_costs_no_call_of_its_own(play: Playground) -> None:
    play.service(desiredCount=0)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.start()
    play.settle(times=1)
    play.sandbox.reset_call_counts()
    play.step()
    assert play.sandbox.call_counts == {
        "ecs:ListServices": 1,
        "ecs:DescribeServices": 1,
        "s3:ListObjectsV2": 1,
        "logs:DescribeLogGroups": 1,
    }
    assert play.reason() == "Unproven"


def test_a_service_proves_itself_once_it_is_scaled_up(play: Playground) -> None:
    play.service(desiredCount=0)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.ecs.update_service(cluster=CLUSTER, service="example", desiredCount=1)
    play.step()
    assert play.status()["Ready"] == ("False", "RollingOut")
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_digest_that_somebody_rolls_out_by_hand_and_that_runs_is_held_no_more(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.status()["Ready"] == ("False", "RolledBack")
    ours = play.sandbox.revisions("example")[-1]["taskDefinitionArn"]
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition=ours)
    play.sandbox.advance(ROLLOUT_SECONDS)
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [SLOW], indirect=True)
def test_without_progress_a_rollout_is_taken_back_after_a_quarter_of_an_hour(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.advance(4 * QUARTER)
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(QUARTER - 60)
    play.step()
    assert play.is_routed()
    assert play.reason() == "RollingOut"
    play.sandbox.advance(120)
    play.step()
    assert not play.is_routed()
    assert play.reason() == "RolledBack"


@pytest.mark.parametrize("play", [SLOW], indirect=True)
def test_the_deadline_is_the_one_of_the_route(play: Playground) -> None:
    play.service(**NO_BREAKER)
    play.sandbox.advance(4 * QUARTER)
    play.write("httpd.yaml", route_yaml(extra="  rollout: {timeout: 60m}\n"))
    play.step()
    play.sandbox.advance(2 * QUARTER)
    play.step()
    assert play.reason() == "RollingOut"
    play.sandbox.advance(3 * QUARTER)
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [SLOW], indirect=True)
def test_each_task_that_runs_starts_the_deadline_anew(play: Playground) -> None:
    """One at a time, each three quarters of an hour: never fifteen minutes without progress is not what is asked."""
    play.service(deploymentConfiguration={**NO_BREAKER["deploymentConfiguration"], "maximumPercent": 150})
    play.sandbox.advance(4 * QUARTER)
    play.write("httpd.yaml", route_yaml(extra="  rollout: {timeout: 50m}\n"))
    play.step()
    for _ in range(8):
        play.sandbox.advance(QUARTER)
        play.step()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [SLOW], indirect=True)
def test_with_a_circuit_breaker_no_progress_is_said_and_left_to_it(play: Playground) -> None:
    play.service()
    play.sandbox.advance(4 * QUARTER)
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(QUARTER + 60)
    play.step()
    assert play.is_routed()
    assert play.status()["Stalled"] == ("True", "RolloutStuck")
    play.sandbox.advance(4 * QUARTER)
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [SLOW], indirect=True)
def test_progress_that_was_made_while_the_controller_was_down_counts(play: Playground) -> None:
    play.service(deploymentConfiguration={**NO_BREAKER["deploymentConfiguration"], "maximumPercent": 150})
    play.sandbox.advance(4 * QUARTER)
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(3 * QUARTER + 60)
    play.start()
    play.step()
    assert play.is_routed()
    assert play.reason() == "RollingOut"
