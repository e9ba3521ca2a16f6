"""The verdict on a rollout of ours, shape by shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.observed.model import Container, Deployment, ObservedService, ServiceDeployment, Task
from controller.planning.evidence import Evidence
from controller.planning.memory import Held, ServiceMemory, Stage
from controller.planning.others import HOLD_OFF, once_too_often, wait_for
from controller.planning.rollout import Verdict, Watched, judge, needs_tasks

BASE, OURS, THEIRS = (f"arn:aws:ecs:us-east-1:1:task-definition/web:{number}" for number in (1, 2, 3))
KEY = ServiceKey(Place("main", "us-east-1"), "c", "web")
NOW = 100_000.0
MEMORY = ServiceMemory(OURS, BASE, "d", "f", Stage.ROLLING, deployment="2", asked_at=NOW - 600, app="a")


def deployment(revision: str = OURS, state: str = "COMPLETED", status: str = "PRIMARY", **more: Any) -> Deployment:
    found = Deployment(f"ecs-svc/{revision[-1]}", status, revision, state, "", 2, 2, 0)
    return replace(found, **more)


def service(*deployments: Deployment, **more: Any) -> ObservedService:
    some = deployments or (deployment(),)
    return replace(ObservedService(KEY, "arn", "ACTIVE", "ECS", some[0].task_definition, 2, some), **more)


def record(number: str = "2", status: str = "SUCCESSFUL", finished: float | None = NOW - 300) -> ServiceDeployment:
    return ServiceDeployment("arn", status, number, "", f"arn/{number}", NOW - 600, finished)


def tasks(number: int = 2, *, up: float = 300.0, code: int | None = None) -> tuple[Task, ...]:
    router = Container("log_router", "RUNNING" if code is None else "STOPPED", code, "", "")
    return (Task(OURS, code is not None, NOW - up, None if code is None else NOW - 5, "", (router,)),) * number


def watched(
    there: ObservedService, memory: ServiceMemory | None = MEMORY, evidence: Evidence | None = None, **more: Any
) -> Watched:
    return replace(Watched(there, memory, evidence or Evidence((record(),), tasks()), "log_router", NOW), **more)


def verdict(*arguments: Any, **more: Any) -> Verdict:
    return judge(watched(*arguments, **more)).verdict


def test_completed_with_its_router_up_for_two_minutes() -> None:
    assert verdict(service()) is Verdict.COMPLETED


def test_completed_and_not_yet_two_minutes_ago_is_looked_at_when_they_are_over() -> None:
    found = judge(watched(service(), evidence=Evidence((record(finished=NOW - 50),))))
    assert (found.verdict, found.again) == (Verdict.ROLLING, 70.0)


def test_tasks_are_asked_for_only_when_they_can_tell_something() -> None:
    assert not needs_tasks(watched(service(), evidence=Evidence((record(finished=NOW - 50),))))
    assert needs_tasks(watched(service(), evidence=Evidence((record(),))))
    assert not needs_tasks(watched(service(deployment(state="IN_PROGRESS")), evidence=Evidence((record(),))))
    assert needs_tasks(watched(service(deployment(state="IN_PROGRESS", failed=1)), evidence=Evidence((record(),))))


@pytest.mark.parametrize(
    "status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"]
)
def test_every_kind_of_roll_back_is_one(status: str) -> None:
    there = service(deployment(BASE), deployment(state="FAILED", status="ACTIVE"))
    assert verdict(there, evidence=Evidence((record(status=status),))) is Verdict.ROLLED_BACK


def test_a_roll_back_that_has_not_left_our_revision_yet_is_waited_for() -> None:
    there = service(deployment(state="IN_PROGRESS"))
    assert verdict(there, evidence=Evidence((record(status="ROLLBACK_IN_PROGRESS", finished=None),))) is Verdict.ROLLING


def test_somebody_elses_revision_is_theirs() -> None:
    assert verdict(service(deployment(THEIRS)), evidence=Evidence((record("3"), record(status="STOPPED")))) is (
        Verdict.SUPERSEDED
    )


def test_failed_without_a_breaker_is_ours_to_undo() -> None:
    assert verdict(service(deployment(state="FAILED", rollout_reason="circuit breaker"))) is Verdict.FAILED


def test_failed_with_a_breaker_that_rolls_back_is_left_to_it() -> None:
    assert verdict(service(deployment(state="FAILED"), breaker=True)) is Verdict.ROLLED_BACK


def test_a_deployment_that_a_person_stopped_is_left_as_they_left_it() -> None:
    stopped = Evidence((record(status="STOPPED"),))
    assert verdict(service(deployment(state="FAILED")), evidence=stopped) is Verdict.ROLLED_BACK


def test_a_completed_service_whose_routers_keep_dying_is_ours_to_undo_whatever_the_breaker() -> None:
    assert verdict(service(breaker=True), evidence=Evidence((record(),), tasks(3, code=1))) is Verdict.FAILED


def test_overdue_without_a_breaker_is_ours_to_undo_and_with_one_is_said() -> None:
    rolling, late = service(deployment(state="IN_PROGRESS", running=0)), replace(MEMORY, asked_at=NOW - 1000)
    assert verdict(rolling, late) is Verdict.FAILED
    assert verdict(replace(rolling, breaker=True), late) is Verdict.STUCK
    assert verdict(replace(rolling, strategy="BLUE_GREEN"), late) is Verdict.STUCK
    assert verdict(rolling, replace(late, progress_at=NOW - 10)) is Verdict.ROLLING


def test_a_memory_of_before_there_were_deadlines_is_not_overdue() -> None:
    assert verdict(service(deployment(state="IN_PROGRESS")), replace(MEMORY, asked_at=0.0)) is Verdict.ROLLING


def test_scaled_to_nothing_is_unproven() -> None:
    assert verdict(service(deployment(running=0, desired=0), desired_count=0)) is Verdict.UNPROVEN


def test_where_no_service_deployments_are_listed_completed_is_enough() -> None:
    assert verdict(service(), evidence=Evidence()) is Verdict.COMPLETED


def test_going_back_goes_on_until_the_service_is_there() -> None:
    back = replace(MEMORY, stage=Stage.BACK, held={"d": Held("it died", "a", NOW)})
    assert judge(watched(service(), back)).reason == "it died"
    assert verdict(service(), back) is Verdict.FAILED
    assert verdict(service(deployment(BASE)), back) is Verdict.ROLLED_BACK
    assert verdict(service(deployment(THEIRS)), back) is Verdict.SUPERSEDED


def test_a_lost_answer_is_told_by_what_the_deployment_brings_out() -> None:
    asked = replace(MEMORY, stage=Stage.ASKED, deployment="")
    ours = replace(record("7", "ROLLBACK_SUCCESSFUL"), task_definition=OURS)
    assert verdict(service(deployment(BASE)), asked, Evidence((ours,))) is Verdict.ROLLED_BACK
    long_ago = replace(ours, created_at=NOW - 9000)
    assert verdict(service(deployment(BASE)), asked, Evidence((long_ago,))) is Verdict.NONE


def test_their_deployment_is_waited_for_while_it_runs_and_a_minute_longer() -> None:
    settled, theirs = replace(MEMORY, stage=Stage.SETTLED), service(deployment(THEIRS))
    for status in ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_IN_PROGRESS"):
        hold = wait_for(watched(theirs, settled, Evidence((record("3", status, None),))))
        assert hold is not None
        assert hold.reason is Reason.WAITING_FOR_DEPLOYMENT
    ended = wait_for(watched(theirs, settled, Evidence((record("3", finished=NOW - 20),))))
    assert ended is not None
    assert ended.seconds == HOLD_OFF - 20
    assert wait_for(watched(theirs, settled, Evidence((record("3", finished=NOW - HOLD_OFF),)))) is None


def test_our_own_deployment_is_followed_by_no_hold_off() -> None:
    settled = replace(MEMORY, stage=Stage.SETTLED)
    assert wait_for(watched(service(), settled, Evidence((record(finished=NOW - 1),)))) is None


def test_reverts_are_forgotten_after_an_hour() -> None:
    assert once_too_often(replace(MEMORY, reverts=(NOW - 10, NOW - 3000)), NOW)
    assert not once_too_often(replace(MEMORY, reverts=(NOW - 10, NOW - 3600)), NOW)
    assert not once_too_often(None, NOW)
