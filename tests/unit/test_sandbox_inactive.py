"""INACTIVE definitions in the sandbox: what runs goes on, what is new is refused, if need be late."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controller.sandbox import Sandbox, Settings
from tests.support.rollouts import ENOUGH, Web, refused

REFUSED = ("ClientException", "TaskDefinition is inactive")


@pytest.fixture
def web() -> Iterator[Web]:
    """Its service runs app:2, which is INACTIVE; ECS takes ten minutes until it refuses it."""
    with Sandbox(settings=Settings(inactive_lag_seconds=600)) as running:
        web = Web(running)
        web.register()
        web.create()
        web.ecs.deregister_task_definition(taskDefinition="app:2")
        yield web


def test_a_deregistered_definition_is_accepted_until_ecs_has_caught_up(web: Web) -> None:
    assert web.update(forceNewDeployment=True)["taskDefinition"].endswith("app:2")
    web.sandbox.advance(599)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    web.ecs.run_task(cluster="c", taskDefinition="app:2")
    web.sandbox.advance(1)
    assert refused(web.update, forceNewDeployment=True) == REFUSED
    assert refused(web.update, taskDefinition="app:2") == REFUSED
    assert refused(web.ecs.run_task, cluster="c", taskDefinition="app:2")[1] == REFUSED[1]


def test_a_definition_that_is_being_deleted_is_refused_at_once_and_keeps_its_service_going(web: Web) -> None:
    web.ecs.delete_task_definitions(taskDefinitions=["app:2"])
    assert refused(web.update, forceNewDeployment=True) == REFUSED
    web.update(desiredCount=4)
    web.sandbox.advance(3600)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 4)]
    described = web.ecs.describe_task_definition(taskDefinition="app:2")["taskDefinition"]
    assert described["status"] == "DELETE_IN_PROGRESS"
    web.update(taskDefinition="app:1")
    web.sandbox.advance(ENOUGH)
    assert refused(web.ecs.describe_task_definition, taskDefinition="app:2")[0] == "ClientException"


def test_a_task_of_an_inactive_definition_is_replaced(web: Web) -> None:
    web.sandbox.advance(3600)
    task = web.sandbox.tasks("c", service="web")[0]["taskArn"]
    web.ecs.stop_task(cluster="c", task=task)
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
    assert task not in {one["taskArn"] for one in web.sandbox.tasks("c") if one["lastStatus"] == "RUNNING"}


def test_the_breaker_goes_back_to_a_definition_that_became_inactive(web: Web) -> None:
    web.sandbox.advance(3600)
    web.update(deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}})
    web.sandbox.break_container("web", "app", rollouts=1)
    web.update(taskDefinition="app:1")
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:2", "COMPLETED", 2)]
