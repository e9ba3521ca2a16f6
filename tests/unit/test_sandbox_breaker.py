"""The circuit breaker in the sandbox: what trips it, where it goes back to, and where it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controller.sandbox import Ailment, Sandbox
from tests.support.rollouts import BREAKER, ENOUGH, Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Sandbox() as running:
        yield Web(running)


def test_the_breaker_rolls_back_to_the_last_completed_deployment(web: Web) -> None:
    web.create(deploymentConfiguration=BREAKER)
    good = web.service["deployments"][0]["id"]
    web.register(router={})
    web.sandbox.fail_next_rollout("web", container="log_router", exit_code=1)
    bad = web.update(taskDefinition="app:2")["deployments"][0]["id"]
    web.sandbox.advance(11)
    reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good}."
    assert web.records[0]["status"] == "ROLLBACK_IN_PROGRESS"
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert web.service["deployments"][0]["id"] == good
    assert web.service["taskDefinition"].endswith("app:1")
    record = web.records[0]
    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    assert record["targetServiceRevision"]["arn"].endswith(bad.removeprefix("ecs-svc/"))
    assert record["rollback"]["reason"] == reason
    assert record["rollback"]["serviceRevisionArn"].endswith(good.removeprefix("ecs-svc/"))
    assert record["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert len(web.records) == 2, "a rollback is no record of its own"


def test_without_a_breaker_a_bad_rollout_fails_for_ever(web: Web) -> None:
    web.create()
    web.register(router={})
    web.sandbox.fail_next_rollout("web")
    web.update(taskDefinition="app:2")
    failed = []
    for _ in range(3):
        web.sandbox.advance(60)
        assert web.deployments == [
            ("PRIMARY", "app:2", "IN_PROGRESS", 0),
            ("ACTIVE", "app:1", "COMPLETED", 2),
        ]
        failed.append(web.service["deployments"][0]["failedTasks"])
    assert 3 < failed[0] < failed[1] < failed[2]
    assert web.records[0]["status"] == "IN_PROGRESS"
    impaired = [one for one in web.messages if "unable to consistently start tasks" in one]
    assert len(impaired) <= 1


def test_a_breaker_without_rollback_stops_where_it_is(web: Web) -> None:
    web.create(
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    )
    web.register(router={})
    web.sandbox.fail_next_rollout("web")
    web.update(taskDefinition="app:2")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "FAILED", 0), ("ACTIVE", "app:1", "COMPLETED", 2)]
    reason = web.service["deployments"][0]["rolloutStateReason"]
    assert reason == "ECS deployment circuit breaker: tasks failed to start."


def test_a_first_deployment_has_nothing_to_roll_back_to(web: Web) -> None:
    web.register(router={})
    web.sandbox.fail_next_rollout()
    web.create(deploymentConfiguration=BREAKER)
    assert web.deployments == [("PRIMARY", "app:2", "FAILED", 0)]


def test_a_bad_deployment_during_a_rollback_stalls(web: Web) -> None:
    """The deployment that is being rolled back to is not COMPLETED again yet: there is no target."""
    web.create(deploymentConfiguration=BREAKER)
    web.register(router={})
    web.sandbox.fail_next_rollout("web")
    web.update(taskDefinition="app:2")
    web.sandbox.advance(11)
    assert web.records[0]["status"] == "ROLLBACK_IN_PROGRESS"
    web.register(router={})
    web.sandbox.fail_next_rollout("web")
    web.update(taskDefinition="app:3")
    web.sandbox.advance(ENOUGH)
    assert web.deployments[0] == ("PRIMARY", "app:3", "FAILED", 0)
    assert web.deployments[-1][1:] == ("app:1", "IN_PROGRESS", 2)


def test_a_rollback_that_fails_as_well_is_a_failed_rollback(web: Web) -> None:
    web.create(deploymentConfiguration=BREAKER | {"minimumHealthyPercent": 0, "maximumPercent": 100})
    web.sandbox.break_container("web", "app")
    web.update(taskDefinition=web.register())
    web.sandbox.advance(600)
    assert web.record["status"] == "ROLLBACK_FAILED"
    assert web.deployments[0] == ("PRIMARY", "app:1", "FAILED", 0)


def test_no_rollback_goes_further_back_than_the_last_completed_deployment(web: Web) -> None:
    """While the rollback to app:2 runs, app:1 had completed, too; that does not make it a target."""
    web.create(deploymentConfiguration=BREAKER)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(ENOUGH)
    web.sandbox.break_container("web", "app", rollouts=2)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(11)
    assert web.record["status"] == "ROLLBACK_IN_PROGRESS"
    web.update(taskDefinition=web.register())
    web.sandbox.advance(ENOUGH)
    assert web.deployments[0] == ("PRIMARY", "app:4", "FAILED", 0)


@pytest.mark.parametrize(
    ("kind", "value", "desired", "threshold"),
    [
        ("BOUNDED_PERCENT", 50, 2, 3),
        ("BOUNDED_PERCENT", 50, 20, 10),
        ("UNBOUNDED_PERCENT", 50, 2, 1),
        ("COUNT", 7, 2, 7),
    ],
)
def test_the_threshold_is_as_configured(web: Web, kind: str, value: int, desired: int, threshold: int) -> None:
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": kind, "value": value}}
    web.create(deploymentConfiguration={"deploymentCircuitBreaker": breaker}, desiredCount=desired)
    web.sandbox.break_container("web", "app", rollouts=1)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(600)
    seen = web.record["deploymentCircuitBreaker"]
    assert seen["threshold"] == threshold
    assert seen["failureCount"] >= threshold
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"


@pytest.mark.parametrize(("resets", "state"), [(True, "IN_PROGRESS"), (False, "FAILED")])
def test_a_healthy_task_resets_the_count_where_it_may(web: Web, resets: bool, state: str) -> None:
    """Two tasks sicken and two healthy ones follow, again and again: never three in a row."""
    breaker = {"enable": True, "rollback": False, "resetOnHealthyTask": resets}
    checked = {"healthCheck": {"command": ["CMD", "true"]}}
    web.create(deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    web.sandbox.break_container("web", ailment=Ailment("unhealthy", after=4))
    web.update(taskDefinition=web.register(router=checked))
    web.sandbox.advance(600)
    assert web.deployments[0][2] == state
