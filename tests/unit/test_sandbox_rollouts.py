"""Rollouts in the sandbox: they move on its clock, keep enough tasks running, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Sandbox
from tests.support.rollouts import ENOUGH, Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Sandbox() as running:
        yield Web(running)


def test_a_new_service_starts_its_tasks_and_completes(web: Web) -> None:
    web.ecs.create_service(cluster="c", serviceName="web", taskDefinition="app", desiredCount=2)
    first = web.service["deployments"][0]
    assert first["id"].removeprefix("ecs-svc/").isdecimal()
    assert len(first["id"].removeprefix("ecs-svc/")) == 19
    assert (first["pendingCount"], first["runningCount"]) == (2, 0)
    assert first["rolloutStateReason"] == f"ECS deployment {first['id']} in progress."
    web.sandbox.advance(3)
    assert {task["lastStatus"] for task in web.sandbox.tasks("c", service="web")} == {"PENDING"}
    web.sandbox.advance(2)
    assert web.deployments == [("PRIMARY", "app:1", "IN_PROGRESS", 2)]
    web.sandbox.advance(5)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]
    done = web.service["deployments"][0]
    assert done["rolloutStateReason"] == f"ECS deployment {first['id']} completed."
    assert web.messages[1:] == [
        f"(service web) (deployment {first['id']}) deployment completed.",
        "(service web) has reached a steady state.",
    ]


def test_an_update_replaces_tasks_and_keeps_enough_of_them_running(web: Web) -> None:
    web.create()
    web.register()
    web.update(taskDefinition="app:2")
    assert web.deployments == [
        ("PRIMARY", "app:2", "IN_PROGRESS", 0),
        ("ACTIVE", "app:1", "COMPLETED", 2),
    ]
    for _ in range(ENOUGH):
        web.sandbox.advance(1)
        assert 2 <= web.service["runningCount"] <= 4
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    assert [record["status"] for record in web.records] == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_rollout_without_room_stops_an_old_task_first(web: Web) -> None:
    tight = {"maximumPercent": 100, "minimumHealthyPercent": 50}
    web.create(deploymentConfiguration=tight)
    web.register()
    web.update(taskDefinition="app:2")
    fewest = 2
    for _ in range(ENOUGH):
        web.sandbox.advance(1)
        running = web.service["runningCount"]
        assert running <= 2
        fewest = min(fewest, running)
    assert fewest == 1
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_the_same_definition_again_deploys_nothing_unless_forced(web: Web) -> None:
    web.create()
    before = web.service["deployments"]
    web.update(taskDefinition="app:1", desiredCount=2, enableExecuteCommand=True)
    web.sandbox.advance(ENOUGH)
    assert web.service["deployments"] == before
    forced = web.update(forceNewDeployment=True)["deployments"]
    assert [one["status"] for one in forced] == ["PRIMARY", "ACTIVE"]
    web.sandbox.advance(ENOUGH)
    after = web.service["deployments"]
    assert [one["taskDefinition"] for one in after] == [one["taskDefinition"] for one in before]
    assert after[0]["id"] != before[0]["id"]


def test_scaling_is_no_deployment(web: Web) -> None:
    web.create()
    web.update(desiredCount=4)
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 4)]
    web.update(desiredCount=1)
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 1)]
    assert len(web.records) == 1


def test_a_service_without_tasks_completes_without_tasks(web: Web) -> None:
    web.create(desiredCount=0)
    web.register()
    web.update(taskDefinition="app:2")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 0)]
    assert web.sandbox.tasks("c") == []


def test_a_service_keeps_its_last_hundred_events_newest_first(web: Web) -> None:
    web.create()
    web.sandbox.fail_next_rollout("web", container="app")
    web.update(forceNewDeployment=True)
    web.sandbox.advance(3600)
    events = web.service["events"]
    assert len(events) == 100
    times = [event["createdAt"] for event in events]
    assert times == sorted(times, reverse=True)


def test_a_definition_with_a_health_check_makes_healthy_tasks(web: Web) -> None:
    web.register(router={"healthCheck": {"command": ["CMD", "true"]}})
    web.create()
    assert {task["healthStatus"] for task in web.sandbox.tasks("c")} == {"HEALTHY"}


def test_two_worlds_of_one_seed_are_alike() -> None:
    def lived() -> dict[str, Any]:
        with Sandbox(seed=3) as sandbox:
            web = Web(sandbox)
            web.create()
            return web.service

    assert lived() == lived()
