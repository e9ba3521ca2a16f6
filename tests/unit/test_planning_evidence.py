"""What tasks tell of their router, by the shapes that ECS shows."""

from __future__ import annotations

import pytest

from controller.observed.model import observe_tasks
from controller.planning.evidence import PROOF, last_words, routers_of

REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:2"
NOW = 10_000.0


def raw(*containers: dict[str, object], **task: object) -> dict[str, object]:
    return {
        "taskDefinitionArn": REVISION,
        "lastStatus": "RUNNING",
        "startedAt": NOW - PROOF,
        "containers": list(containers),
        **task,
    }


def running(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "lastStatus": "RUNNING", "healthStatus": "UNKNOWN", **more}


def stopped(name: str, code: int | None, reason: str = "") -> dict[str, object]:
    found: dict[str, object] = {"name": name, "lastStatus": "STOPPED"}
    return found | ({} if code is None else {"exitCode": code}) | ({"reason": reason} if reason else {})


def dead(*containers: dict[str, object], why: str = "Essential container in task exited") -> dict[str, object]:
    return raw(*containers, lastStatus="STOPPED", stoppedAt=NOW - 5, stoppedReason=why)


def words(*tasks: dict[str, object]) -> str:
    return last_words(observe_tasks(tasks), REVISION, "log_router")


def test_a_router_that_runs_for_two_minutes_stays_up() -> None:
    found = routers_of(observe_tasks([raw(running("app"), running("log_router"))]), REVISION, "log_router", NOW)
    assert (found.stay_up, found.keep_dying) == (True, False)


def test_a_second_less_is_not_enough() -> None:
    task = raw(running("log_router"), startedAt=NOW - PROOF + 1)
    assert not routers_of(observe_tasks([task]), REVISION, "log_router", NOW).stay_up


def test_a_task_of_another_revision_proves_nothing() -> None:
    task = raw(running("log_router"), taskDefinitionArn=REVISION.replace(":2", ":1"))
    assert not routers_of(observe_tasks([task]), REVISION, "log_router", NOW).stay_up


def test_a_router_that_died_in_a_task_that_goes_on_is_dead() -> None:
    task = raw(running("app"), stopped("log_router", 1))
    found = routers_of(observe_tasks([task] * 3), REVISION, "log_router", NOW)
    assert (found.stay_up, found.keep_dying) == (False, True)


def test_an_unhealthy_router_does_not_stay_up() -> None:
    task = raw(running("log_router", healthStatus="UNHEALTHY"))
    assert not routers_of(observe_tasks([task]), REVISION, "log_router", NOW).stay_up


def test_one_that_died_a_moment_ago_outweighs_one_that_runs() -> None:
    tasks = [raw(running("log_router")), dead(stopped("log_router", 1))]
    assert not routers_of(observe_tasks(tasks), REVISION, "log_router", NOW).stay_up


@pytest.mark.parametrize("code", [0, 137, 143])
def test_a_router_that_was_stopped_with_its_application_is_not_to_blame(code: int) -> None:
    task = dead(stopped("app", 3), stopped("log_router", code))
    assert not routers_of(observe_tasks([task]), REVISION, "log_router", NOW).dead
    assert words(task) == "app exited 3: Essential container in task exited"


def test_a_router_out_of_memory_is_to_blame_though_it_was_killed() -> None:
    reason = "OutOfMemoryError: Container killed due to memory usage"
    task = dead(stopped("app", 143), stopped("log_router", 137, reason))
    assert routers_of(observe_tasks([task]), REVISION, "log_router", NOW).dead
    assert words(task) == f"log_router exited 137: {reason}"


def test_an_image_that_cannot_be_pulled_is_told_with_its_container() -> None:
    reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
    task = dead(stopped("app", None), stopped("log_router", None, reason), why="Task failed to start")
    assert words(task) == f"log_router did not start: {reason}"


def test_the_router_is_named_before_the_application() -> None:
    tasks = [dead(stopped("app", 2)), dead(stopped("app", 143), stopped("log_router", 1, "bad config"))]
    assert words(*tasks) == "log_router exited 1: bad config"


def test_a_task_that_never_had_containers_tells_by_itself() -> None:
    why = "ResourceInitializationError: unable to pull secrets or registry auth"
    assert words(dead(why=why)) == why


def test_what_scaling_stopped_is_no_trouble() -> None:
    why = "Scaling activity initiated by (deployment ecs-svc/1)"
    assert words(dead(stopped("app", 0), stopped("log_router", 0), why=why)) == ""
