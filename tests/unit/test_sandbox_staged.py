"""Blue/green, linear and canary deployments in the sandbox: stage by stage, paused, and rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sandbox import Ailment, Sandbox
from controller.sandbox.rollout.staged import steps
from tests.support.rollouts import BREAKER, ENOUGH, Web, refused

MINUTE, DAY = 60, 86400
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10}
SCALED_UP = 12  # seconds after which the new tasks run and the traffic is about to shift
BOTH = [("PRIMARY", "app:2", "IN_PROGRESS", 2), ("ACTIVE", "app:1", "COMPLETED", 2)]
GREEN = [("PRIMARY", "app:2", "COMPLETED", 2)]
BLUE = [("PRIMARY", "app:1", "COMPLETED", 2)]


@pytest.fixture
def web() -> Iterator[Web]:
    with Sandbox() as running:
        yield Web(running)


def begin(web: Web, **configuration: Any) -> None:
    """A deployment of app:2 begins on a service that runs app:1."""
    web.create(deploymentConfiguration=BLUE_GREEN | configuration)
    web.update(taskDefinition=web.register())


def pause(stage: str, **timeout: Any) -> list[dict[str, Any]]:
    hook: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": [stage]}
    return [hook | ({"timeoutConfiguration": timeout} if timeout else {})]


def proceed(web: Web, action: str) -> None:
    record = web.record
    hook = next(one["hookId"] for one in record["lifecycleHookDetails"] if one["status"] == "AWAITING_ACTION")
    web.ecs.continue_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"], hookId=hook, action=action)


def travel(web: Web, seconds: int, step: int = 1) -> list[tuple[str, float]]:
    """The stages and the share of production traffic that the new revision had in each, in their order."""
    seen: list[tuple[str, float]] = []
    for _ in range(0, seconds, step):
        record = web.record
        here = record["lifecycleStage"], record["targetServiceRevision"]["requestedProductionTrafficWeight"]
        seen += [] if seen and seen[-1] == here else [here]
        web.sandbox.advance(step)
    return seen


def test_a_blue_green_deployment_goes_through_its_stages_and_ends_with_one_revision(web: Web) -> None:
    begin(web)
    assert travel(web, 660) == [
        ("PRE_SCALE_UP", 0),
        ("SCALE_UP", 0),
        ("POST_SCALE_UP", 0),
        ("TEST_TRAFFIC_SHIFT", 0),
        ("POST_TEST_TRAFFIC_SHIFT", 0),
        ("PRE_PRODUCTION_TRAFFIC_SHIFT", 0),
        ("PRODUCTION_TRAFFIC_SHIFT", 100),
        ("POST_PRODUCTION_TRAFFIC_SHIFT", 100),
        ("BAKE_TIME", 100),
        ("CLEAN_UP", 100),
    ]
    assert web.deployments == GREEN
    assert web.record["status"] == "SUCCESSFUL"


def test_both_revisions_live_until_the_bake_time_is_over(web: Web) -> None:
    begin(web)
    web.sandbox.advance(SCALED_UP)
    for _ in range(9):
        web.sandbox.advance(MINUTE)
        assert web.deployments == BOTH
        assert web.record["status"] == "IN_PROGRESS"
    assert web.record["lifecycleStage"] == "BAKE_TIME"
    old, new = web.record["sourceServiceRevisions"][0], web.record["targetServiceRevision"]
    assert (old["requestedProductionTrafficWeight"], new["requestedProductionTrafficWeight"]) == (0, 100)
    web.sandbox.advance(2 * MINUTE)
    assert web.deployments == GREEN


def test_a_scaled_service_scales_both_revisions(web: Web) -> None:
    begin(web)
    web.sandbox.advance(MINUTE)
    web.update(desiredCount=3)
    web.sandbox.advance(MINUTE)
    assert [one[3] for one in web.deployments] == [3, 3]


def test_a_service_without_tasks_goes_through_the_stages_all_the_same(web: Web) -> None:
    web.create(deploymentConfiguration=BLUE_GREEN, desiredCount=0)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(5 * MINUTE)
    assert (web.record["status"], web.record["lifecycleStage"]) == ("IN_PROGRESS", "BAKE_TIME")
    web.sandbox.advance(10 * MINUTE)
    assert web.record["status"] == "SUCCESSFUL"


def test_a_linear_deployment_shifts_step_by_step(web: Web) -> None:
    linear = {"stepPercent": 40.0, "stepBakeTimeInMinutes": 5}
    begin(web, strategy="LINEAR", linearConfiguration=linear)
    shifts = [(stage, share) for stage, share in travel(web, 660, 1) if "PRODUCTION" in stage]
    assert [share for stage, share in shifts if stage == "PRODUCTION_TRAFFIC_SHIFT"] == [40, 80, 100]
    assert [share for stage, share in shifts if stage == "PRE_PRODUCTION_TRAFFIC_SHIFT"] == [0, 40, 80]
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == GREEN


def test_a_canary_waits_before_the_rest_follows(web: Web) -> None:
    begin(web, strategy="CANARY", canaryConfiguration={"canaryPercent": 0.5, "canaryBakeTimeInMinutes": 30})
    web.sandbox.advance(29 * MINUTE)
    assert web.record["targetServiceRevision"]["requestedProductionTrafficWeight"] == 0.5
    web.sandbox.advance(2 * MINUTE)
    assert web.record["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == GREEN


def test_a_pause_waits_for_somebody_to_continue(web: Web) -> None:
    begin(web, lifecycleHooks=pause("POST_SCALE_UP", timeoutInMinutes=14 * 1440))
    web.sandbox.advance(13 * DAY)
    assert web.deployments == BOTH
    assert web.record["lifecycleStage"] == "POST_SCALE_UP"
    detail = web.record["lifecycleHookDetails"][0]
    assert (detail["targetType"], detail["status"], detail["timeoutAction"]) == ("PAUSE", "AWAITING_ACTION", "ROLLBACK")
    proceed(web, "CONTINUE")
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == GREEN
    assert web.record["lifecycleHookDetails"][0]["status"] == "SUCCEEDED"


def test_a_paused_deployment_is_sent_back(web: Web) -> None:
    begin(web, lifecycleHooks=pause("POST_PRODUCTION_TRAFFIC_SHIFT"))
    web.sandbox.advance(MINUTE)
    proceed(web, "ROLLBACK")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == BLUE
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"
    assert web.service["taskDefinition"].endswith("app:1")


@pytest.mark.parametrize(("action", "left"), [("ROLLBACK", BLUE), ("CONTINUE", GREEN)])
def test_a_pause_that_nobody_answers_takes_its_timeout_action(
    web: Web, action: str, left: list[tuple[str, str, str, int]]
) -> None:
    begin(web, lifecycleHooks=pause("PRE_SCALE_UP", timeoutInMinutes=30, action=action))
    web.sandbox.advance(29 * MINUTE)
    assert web.record["lifecycleStage"] == "PRE_SCALE_UP"
    assert web.deployments[0] == ("PRIMARY", "app:2", "IN_PROGRESS", 0), "nothing has started yet"
    web.sandbox.advance(15 * MINUTE)
    assert web.deployments == left
    assert web.record["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"


def test_a_pause_is_met_again_before_every_shift(web: Web) -> None:
    linear = {"stepPercent": 50.0, "stepBakeTimeInMinutes": 0}
    begin(web, strategy="LINEAR", linearConfiguration=linear, lifecycleHooks=pause("PRE_PRODUCTION_TRAFFIC_SHIFT"))
    for shifted in (0, 50):
        web.sandbox.advance(MINUTE)
        assert web.record["targetServiceRevision"]["requestedProductionTrafficWeight"] == shifted
        proceed(web, "CONTINUE")
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == GREEN


def test_a_function_lets_the_deployment_pass(web: Web) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:check"
    begin(web, lifecycleHooks=[{"hookTargetArn": arn, "lifecycleStages": ["PRODUCTION_TRAFFIC_SHIFT"]}])
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == GREEN
    assert web.record["lifecycleHookDetails"][0]["targetArn"] == arn


def test_only_a_hook_that_waits_can_be_answered(web: Web) -> None:
    begin(web)
    arn = web.record["serviceDeploymentArn"]
    answer = web.ecs.continue_service_deployment
    assert refused(answer, serviceDeploymentArn=arn, hookId="nobody")[0] == "InvalidParameterException"
    gone = refused(answer, serviceDeploymentArn=f"{arn}x", hookId="nobody")
    assert gone[0] == "ServiceDeploymentNotFoundException"


@pytest.mark.parametrize("ailment", [Ailment(), Ailment("unpullable")])
def test_green_tasks_that_fail_trip_the_breaker_and_blue_never_moved(web: Web, ailment: Ailment) -> None:
    web.create(deploymentConfiguration=BLUE_GREEN | BREAKER)
    before = {one["taskArn"] for one in web.sandbox.tasks("c", service="web")}
    web.sandbox.break_container("web", "app", ailment, rollouts=1)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(ENOUGH)
    assert web.deployments == BLUE
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"
    running = {one["taskArn"] for one in web.sandbox.tasks("c", service="web") if one["lastStatus"] == "RUNNING"}
    assert running == before


def test_without_a_breaker_green_flaps_until_the_stage_times_out(web: Web) -> None:
    web.sandbox.break_container("web", "log_router")
    web.create(deploymentConfiguration=BLUE_GREEN)
    web.update(taskDefinition=web.register(router={}))
    web.sandbox.advance(DAY - 1)
    assert (web.record["status"], web.record["lifecycleStage"]) == ("IN_PROGRESS", "SCALE_UP")
    web.sandbox.advance(ENOUGH)
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_deployment_that_bakes_can_be_stopped(web: Web) -> None:
    begin(web)
    web.sandbox.advance(5 * MINUTE)
    web.ecs.stop_service_deployment(serviceDeploymentArn=web.record["serviceDeploymentArn"])
    web.sandbox.advance(ENOUGH)
    assert web.deployments == BLUE
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_new_deployment_takes_over_and_first_leaves_one_revision_to_shift_from(web: Web) -> None:
    begin(web)
    web.sandbox.advance(5 * MINUTE)
    web.update(taskDefinition=web.register())
    assert web.record["lifecycleStage"] == "RECONCILE_SERVICE"
    web.sandbox.advance(MINUTE)
    assert [one[:2] for one in web.deployments] == [("PRIMARY", "app:3"), ("ACTIVE", "app:1")]
    web.sandbox.advance(11 * MINUTE)
    assert web.deployments == [("PRIMARY", "app:3", "COMPLETED", 2)]
    assert [one["status"] for one in web.records] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_a_change_of_strategy_is_for_the_next_deployment(web: Web) -> None:
    begin(web)
    web.sandbox.advance(MINUTE)
    web.update(deploymentConfiguration={"strategy": "ROLLING"})
    web.sandbox.advance(MINUTE)
    assert web.deployments == BOTH
    web.sandbox.advance(11 * MINUTE)
    web.update(taskDefinition="app:1")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == BLUE
    assert "lifecycleStage" not in web.record


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"strategy": "ROLLING", "lifecycleHooks": pause("PRE_SCALE_UP")}, "lifecycleHooks"),
        (BLUE_GREEN | {"lifecycleHooks": pause("TEST_TRAFFIC_SHIFT")}, "TEST_TRAFFIC_SHIFT"),
        (BLUE_GREEN | {"lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]}, "hookTargetArn"),
        (BLUE_GREEN | {"lifecycleHooks": [{"targetType": "PAUSE"}]}, "lifecycleStages"),
        (BLUE_GREEN | {"lifecycleHooks": pause("PRE_SCALE_UP", timeoutInMinutes=20161)}, "20160"),
        (BLUE_GREEN | {"linearConfiguration": {"stepPercent": 10.0}}, "LINEAR"),
        (BLUE_GREEN | {"bakeTimeInMinutes": 1441}, "1440"),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.9}}, "stepPercent"),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 10.25}}, "stepPercent"),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": 1441}}, "canaryBakeTimeInMinutes"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused(web: Web, configuration: dict[str, Any], said: str) -> None:
    web.create()
    code, message = refused(web.update, deploymentConfiguration=configuration)
    assert code == "InvalidParameterException"
    assert said in message
    assert web.service["deploymentConfiguration"]["strategy"] == "ROLLING"


def test_only_a_replica_service_under_ecs_has_such_a_strategy(web: Web) -> None:
    for fields in ({"schedulingStrategy": "DAEMON"}, {"deploymentController": {"type": "CODE_DEPLOY"}}):
        code, message = refused(
            web.ecs.create_service,
            cluster="c",
            serviceName="web",
            taskDefinition="app",
            desiredCount=1,
            deploymentConfiguration=BLUE_GREEN,
            **fields,
        )
        assert code == "InvalidParameterException"
        assert "BLUE_GREEN" in message


@given(step=st.integers(30, 1000), minutes=st.integers(0, 1440), canary=st.booleans())
def test_whatever_the_steps_traffic_only_grows_and_ends_at_all(step: int, minutes: int, canary: bool) -> None:
    own: dict[str, Any] = {
        "linearConfiguration": {"stepPercent": step / 10, "stepBakeTimeInMinutes": minutes},
        "canaryConfiguration": {"canaryPercent": step / 10, "canaryBakeTimeInMinutes": minutes},
    }
    found = list(steps(own | {"strategy": "CANARY" if canary else "LINEAR"}, 1.0, reconcile=False))
    shares = [one.production for one in found]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 100)
    shifts = [one for one in found if one.stage == "PRODUCTION_TRAFFIC_SHIFT"]
    assert [one.seconds for one in shifts] == [max(1.0, minutes * 60)] * (len(shifts) - 1) + [1.0]
