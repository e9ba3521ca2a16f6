"""Revisions of ours that were superseded are deregistered, where the settings ask for it, and all that keeps them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from controller.planning.garbage import Policy
from controller.reconciling.garbage import Sweeper
from controller.telling import Teller
from tests.behaviour.test_families import FAMILY, families_yaml
from tests.behaviour.test_garbage import days, sweep
from tests.behaviour.test_schedules import add_rule, add_schedule
from tests.support.playground import CLUSTER, Playground, plain_definition, route_yaml

KEEP = 10
DEREGISTER = Policy("off", revisions="deregister", keep=KEEP)
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
ARN = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/"


def active(play: Playground, family: str = "example") -> set[int]:
    return {one["revision"] for one in play.sandbox.revisions(family) if one["status"] == "ACTIVE"}


def changed(text: str, number: int) -> str:
    return text.replace("name: stdout", f"name: stdout, json_date_key: t{number}")


def change(play: Playground, numbers: Iterable[int]) -> None:
    """The spec, once for each."""
    for number in numbers:
        play.write("httpd.yaml", changed(route_yaml(), number))
        play.settle(2)


@pytest.fixture
def many(play: Playground) -> Playground:
    """The application's own revision is 1; 2 to 14 are ours. The service runs 14."""
    play.service()
    change(play, range(13))
    assert active(play) == set(range(1, 15))
    return play


def test_the_last_ten_of_ours_stay_and_so_does_what_is_not_ours(many: Playground) -> None:
    days(many, 91)
    swept = sweep(many, DEREGISTER)
    assert swept.doubts == []
    assert active(many) == {1, *range(5, 15)}
    assert len(swept.deregistered) == 3
    many.settle()
    assert many.is_routed()


def test_a_dry_run_tells_them_and_deregisters_none(many: Playground) -> None:
    days(many, 91)
    many.app.world.home_site.account.ecs.list_clusters()  # the passes ask ECS, and so know its time
    swept = sweep(many, Policy("off", revisions="dry-run", keep=KEEP))
    Sweeper(many.app.world, swept.policy, Teller(many.metrics), many.controller.board).tick()
    assert [one.rsplit(" ", 1)[1] for one in swept.superseded] == ["example:2", "example:3", "example:4"]
    assert active(many) == set(range(1, 15))
    assert b"\nlogroute_garbage_revisions 3.0\n" in many.metrics.render("")[0]


def test_by_default_revisions_are_not_even_looked_for(many: Playground) -> None:
    days(many, 91)
    assert sweep(many, Policy()).superseded == []


def test_what_was_deployed_within_ninety_days_stays(many: Playground) -> None:
    assert sweep(many, DEREGISTER).deregistered == []
    assert active(many) == set(range(1, 15))


def test_what_a_task_or_another_service_runs_stays(many: Playground) -> None:
    many.ecs.run_task(cluster=CLUSTER, taskDefinition="example:2", launchType="FARGATE", networkConfiguration=NETWORK)
    many.ecs.create_service(
        cluster=CLUSTER,
        serviceName="other",
        taskDefinition="example:3",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    days(many, 91)
    sweep(many, DEREGISTER)
    assert active(many) == {1, 2, 3, *range(5, 15)}


def test_what_a_task_set_runs_stays(many: Playground) -> None:
    many.ecs.create_service(
        cluster=CLUSTER, serviceName="sets", desiredCount=0, deploymentController={"type": "EXTERNAL"}
    )
    many.ecs.create_task_set(
        cluster=CLUSTER,
        service="sets",
        taskDefinition="example:4",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    days(many, 91)
    sweep(many, DEREGISTER)
    assert active(many) == {1, *range(4, 15)}


def test_what_a_rule_or_a_schedule_starts_stays(many: Playground) -> None:
    add_rule(many, "nightly", f"{ARN}example:2")
    add_schedule(many, "monthly", f"{ARN}example:4")
    days(many, 91)
    sweep(many, DEREGISTER)
    assert active(many) == {1, 2, *range(4, 15)}


def test_rules_that_cannot_be_read_let_none_go(many: Playground) -> None:
    days(many, 91)
    many.sandbox.add_fault(calls="events:ListRules", effect="error", code="AccessDeniedException", status=400, times=0)
    swept = sweep(many, DEREGISTER)
    assert "ListRules" in swept.doubts[0]
    assert active(many) == set(range(1, 15))


def test_a_copy_that_somebody_else_registered_is_not_ours(many: Playground) -> None:
    """Who copies a definition copies the router's labels, and loses the tags."""
    copied = many.ecs.describe_task_definition(taskDefinition="example:14")["taskDefinition"]["containerDefinitions"]
    for _ in range(3):
        many.register({**plain_definition("elsewhere"), "containerDefinitions": copied})
    days(many, 91)
    swept = sweep(many, Policy("off", revisions="deregister", keep=1))
    assert active(many, "elsewhere") == {1, 2, 3}
    assert all(" example:" in one for one in swept.deregistered)


def test_what_is_remembered_stays(play: Playground) -> None:
    """Nothing runs a family of jobs just now."""
    play.register(plain_definition(FAMILY))
    for number in range(3):
        play.write("jobs.yaml", changed(families_yaml(), number))
        play.settle(2)
    assert active(play, FAMILY) == {1, 2, 3, 4}
    days(play, 91)
    sweep(play, Policy("off", revisions="deregister", keep=1))
    [(_, memory)] = play.app.world.home_site.memories.items()
    kept = {int(arn.rsplit(":", 1)[1]) for arn in (memory.base, memory.revision)}
    assert active(play, FAMILY) == {1, 4} | kept
