"""Containers in the sandbox that break: as they start, later, for want of an image, memory or health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Ailment, Sandbox
from tests.support.rollouts import BREAKER, ENOUGH, Web

CONFIG = "arn:aws:s3:::configs/extra.conf"
CHECKED = {"healthCheck": {"command": ["CMD", "true"], "interval": 10, "retries": 2}}


@pytest.fixture
def web() -> Iterator[Web]:
    with Sandbox() as running:
        yield Web(running)


def roll(web: Web, router: dict[str, Any] | None = None) -> None:
    """From a service without a router to one with."""
    web.create(deploymentConfiguration=BREAKER)
    web.update(taskDefinition=web.register(router=router or {}))


def stopped(web: Web) -> list[dict[str, Any]]:
    """The tasks of the second revision that stopped."""
    return [one for one in web.stopped if one["taskDefinitionArn"].endswith(":2")]


def state(task: dict[str, Any], name: str) -> tuple[int | None, str | None]:
    found = next(one for one in task["containers"] if one["name"] == name)
    return found.get("exitCode"), found.get("reason")


def test_a_container_that_exits_later_stops_its_task_again_and_again_and_no_breaker_counts_it(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment(exit_code=255, after=30))
    roll(web)
    web.sandbox.advance(13)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    web.sandbox.advance(600)
    dead = stopped(web)
    assert len(dead) > 20
    assert {one["stopCode"] for one in dead} == {"EssentialContainerExited"}
    assert {one["stoppedReason"] for one in dead} == {"Essential container in task exited"}
    assert {state(one, "log_router") for one in dead} == {(255, "Container exited with code 255")}
    assert {state(one, "app")[0] for one in dead} == {0}
    assert web.deployments[0][:3] == ("PRIMARY", "app:2", "COMPLETED")
    assert web.service["deployments"][0]["failedTasks"] == 0


def test_a_rollout_whose_tasks_run_for_a_moment_never_ends(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment(after=2))
    roll(web)
    web.sandbox.advance(1800)
    assert web.deployments[0][:3] == ("PRIMARY", "app:2", "IN_PROGRESS")
    assert web.service["deployments"][0]["failedTasks"] == 0


def test_a_container_that_is_not_essential_exits_and_its_task_goes_on(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment(after=30))
    roll(web, {"essential": False})
    web.sandbox.advance(600)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    running = [one for one in web.sandbox.tasks("c") if one["lastStatus"] == "RUNNING"]
    assert [state(one, "log_router")[0] for one in running] == [1, 1]


def test_a_container_out_of_memory_is_killed(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment("out_of_memory", after=30))
    roll(web)
    web.sandbox.advance(60)
    why = (137, "OutOfMemoryError: Container killed due to memory usage")
    assert why in [state(one, "log_router") for one in stopped(web)]


def test_an_image_that_cannot_be_pulled_fails_the_start_and_trips_the_breaker(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment("unpullable"))
    roll(web)
    web.sandbox.advance(11)
    failed = web.stopped[0]
    assert failed["stopCode"] == "TaskFailedToStart"
    assert failed["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "startedAt" not in failed
    assert state(failed, "log_router") == (None, failed["stoppedReason"])
    web.sandbox.advance(ENOUGH)
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_container_that_is_never_healthy_trips_the_breaker_by_its_health_check(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment("unhealthy"))
    roll(web, CHECKED)
    web.sandbox.advance(20)
    assert web.deployments == [("PRIMARY", "app:2", "IN_PROGRESS", 2), ("ACTIVE", "app:1", "COMPLETED", 2)]
    assert {one["healthStatus"] for one in web.sandbox.tasks("c") if "2" in one["taskDefinitionArn"][-1]} == {"UNKNOWN"}
    web.sandbox.advance(10)
    sick = [one for one in web.stopped if one["stoppedReason"] == "Task failed container health checks"]
    assert [one["stopCode"] for one in sick] == ["ServiceSchedulerInitiated"] * 2
    told = {one for one in web.messages if one.endswith("failed container health checks.")}
    assert told == {
        f"(service web) (task {one['taskArn'].rsplit('/', 1)[1]}) failed container health checks." for one in sick
    }
    web.sandbox.advance(ENOUGH)
    assert web.record["status"] == "ROLLBACK_SUCCESSFUL"
    assert web.record["deploymentCircuitBreaker"]["failureCount"] >= 3


def test_a_container_that_turns_unhealthy_later_is_replaced(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment("unhealthy", after=60))
    roll(web, CHECKED)
    web.sandbox.advance(30)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    before = {one["taskArn"] for one in web.sandbox.tasks("c") if one["lastStatus"] == "RUNNING"}
    web.sandbox.advance(60)
    after = {one["taskArn"] for one in web.sandbox.tasks("c") if one["lastStatus"] == "RUNNING"}
    assert len(after) == 2
    assert not before & after


def test_the_health_of_a_container_without_a_health_check_is_nobodys_matter(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment("unhealthy"))
    roll(web)
    web.sandbox.advance(600)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_a_fault_for_two_rollouts_spares_the_third(web: Web) -> None:
    web.create(deploymentConfiguration=BREAKER)
    web.sandbox.break_container("web", "app", rollouts=2)
    web.sandbox.break_container("other", "app")
    states = []
    for _ in range(3):
        web.update(forceNewDeployment=True)
        web.sandbox.advance(ENOUGH)
        states.append(web.record["status"])
    assert states == ["ROLLBACK_SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


@pytest.mark.parametrize("which", [{"revision": "app:2"}, {"label": "logroute:digest=bad"}])
def test_a_fault_of_a_definition_strikes_each_of_its_tasks_until_it_is_mended(web: Web, which: dict[str, Any]) -> None:
    fault = web.sandbox.break_container(**which)
    web.create()
    web.register(router={"dockerLabels": {"logroute:digest": "bad"}})
    web.register(router={"dockerLabels": {"logroute:digest": "good"}})
    web.update(taskDefinition="app:2")
    web.sandbox.advance(ENOUGH)
    assert web.deployments[0] == ("PRIMARY", "app:2", "IN_PROGRESS", 0)
    web.update(taskDefinition="app:3")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:3", "COMPLETED", 2)]
    alone = web.ecs.run_task(cluster="c", taskDefinition="app:2")["tasks"][0]["taskArn"]
    web.sandbox.advance(ENOUGH)
    assert web.ecs.describe_tasks(cluster="c", tasks=[alone])["tasks"][0]["lastStatus"] == "STOPPED"
    web.sandbox.mend(fault)
    web.update(taskDefinition="app:2")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_mending_spares_the_tasks_that_have_not_broken_yet(web: Web) -> None:
    web.sandbox.break_container("web", ailment=Ailment(after=60))
    roll(web)
    web.sandbox.advance(30)
    web.sandbox.mend()
    web.sandbox.advance(600)
    assert stopped(web) == []


def test_nonsense_is_refused(web: Web) -> None:
    with pytest.raises(ValueError, match="one of these ways"):
        Ailment("melts")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        Ailment(after=0)
    with pytest.raises(ValueError, match="strike always"):
        web.sandbox.break_container(revision="app:1", rollouts=1)
    with pytest.raises(KeyError):
        web.sandbox.mend("fault-7")


def test_a_failed_task_says_which_container_died(web: Web) -> None:
    web.create()
    web.register(router={})
    web.sandbox.fail_next_rollout("web", container="log_router", exit_code=3, reason="bad config")
    web.update(taskDefinition="app:2")
    web.sandbox.advance(6)
    arns = web.ecs.list_tasks(cluster="c", serviceName="web", desiredStatus="STOPPED")["taskArns"]
    task = web.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"][0]
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["stopCode"] == "EssentialContainerExited"
    dead = {one["name"]: (one.get("exitCode"), one.get("reason")) for one in task["containers"]}
    assert dead == {"app": (None, None), "log_router": (3, "bad config")}


def test_a_fault_strikes_once_and_only_where_it_was_meant(web: Web) -> None:
    web.create()
    web.sandbox.fail_next_rollout("other")
    web.sandbox.fail_next_rollout("web")
    web.update(forceNewDeployment=True)
    web.sandbox.advance(ENOUGH)
    assert web.deployments[0][2] == "COMPLETED", "there is no log_router in it yet"
    web.update(taskDefinition=web.register(router={}))
    web.sandbox.advance(ENOUGH)
    assert web.deployments[0][2] == "IN_PROGRESS"
    web.update(forceNewDeployment=True)
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_a_router_that_is_not_essential_dies_alone(web: Web) -> None:
    web.register(router={"essential": False})
    web.sandbox.fail_next_rollout()
    web.create()
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    states = {one["name"]: one["lastStatus"] for one in web.sandbox.tasks("c")[0]["containers"]}
    assert states == {"app": "RUNNING", "log_router": "STOPPED"}


@pytest.mark.parametrize("variable", ["aws_fluent_bit_init_s3_1", "aws_fluent_bit_init_S3_pipeline"])
def test_a_task_whose_config_object_is_missing_does_not_start(web: Web, variable: str) -> None:
    web.create(deploymentConfiguration=BREAKER)
    web.update(taskDefinition=web.register(router={"environment": [{"name": variable, "value": CONFIG}]}))
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert web.records[0]["status"] == "ROLLBACK_SUCCESSFUL"
    s3 = web.sandbox.client("s3")
    s3.create_bucket(Bucket="configs")
    s3.put_object(Bucket="configs", Key="extra.conf", Body=b"[OUTPUT]\n    Name null\n")
    web.update(taskDefinition="app:2")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    s3.delete_object(Bucket="configs", Key="extra.conf")
    web.update(desiredCount=3)
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)], "the third task cannot start"


def test_an_agent_that_cannot_fetch_the_config_fails_the_task(web: Web) -> None:
    options = {"config-file-type": "s3", "config-file-value": CONFIG}
    web.register(router={"firelensConfiguration": {"type": "fluentbit", "options": options}})
    web.create()
    stopped = [task for task in web.sandbox.tasks("c") if task["lastStatus"] == "STOPPED"]
    assert stopped[0]["stopCode"] == "TaskFailedToStart"
    assert stopped[0]["stoppedReason"].startswith("ResourceInitializationError")
