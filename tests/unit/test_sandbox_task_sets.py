"""Task sets of the sandbox: services that somebody else deploys (controller EXTERNAL)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Ailment, Sandbox
from tests.support.rollouts import ENOUGH, Web, refused

EXTERNAL = {"deploymentController": {"type": "EXTERNAL"}}
WHERE = {"cluster": "c", "service": "web"}


class External(Web):
    """A service that has no task set yet and wants four tasks."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.ecs.create_service(cluster="c", serviceName="web", desiredCount=4, **EXTERNAL)

    def open(self, percent: float, **fields: Any) -> str:
        scale = {"value": percent, "unit": "PERCENT"}
        request = {"taskDefinition": "app", "scale": scale} | WHERE | fields
        return str(self.ecs.create_task_set(**request)["taskSet"]["id"])

    def scale(self, name: str, percent: float) -> None:
        self.ecs.update_task_set(taskSet=name, scale={"value": percent, "unit": "PERCENT"}, **WHERE)
        self.sandbox.advance(ENOUGH)

    def promote(self, name: str) -> None:
        self.ecs.update_service_primary_task_set(primaryTaskSet=name, **WHERE)
        self.sandbox.advance(ENOUGH)

    @property
    def sets(self) -> dict[str, tuple[str, int, str]]:
        """Status, running tasks and stability of each."""
        found = self.ecs.describe_task_sets(**WHERE)["taskSets"]
        return {one["id"]: (one["status"], one["runningCount"], one["stabilityStatus"]) for one in found}


@pytest.fixture
def web() -> Iterator[External]:
    with Sandbox() as running:
        yield External(running)


def test_a_task_set_keeps_its_share_of_the_tasks_rounded_up(web: External) -> None:
    name = web.open(30)
    assert web.sets == {name: ("ACTIVE", 0, "STABILIZING")}
    web.sandbox.advance(ENOUGH)
    assert web.sets == {name: ("ACTIVE", 2, "STEADY_STATE")}
    web.scale(name, 100)
    assert web.sets == {name: ("ACTIVE", 4, "STEADY_STATE")}
    web.update(desiredCount=2)
    web.sandbox.advance(ENOUGH)
    assert web.sets == {name: ("ACTIVE", 2, "STEADY_STATE")}


def test_one_that_is_not_scaled_runs_nothing(web: External) -> None:
    web.ecs.create_task_set(taskDefinition="app", **WHERE)
    web.sandbox.advance(ENOUGH)
    assert web.service["runningCount"] == 0


def test_the_service_shows_what_the_primary_task_set_is(web: External) -> None:
    blue = web.open(100)
    web.sandbox.advance(ENOUGH)
    assert "taskDefinition" not in web.service
    assert "launchType" not in web.service
    web.promote(blue)
    assert web.service["taskDefinition"].endswith("app:1")
    assert web.service["launchType"] == "EC2"
    web.register()
    green = web.open(100)
    web.promote(green)
    assert web.service["taskDefinition"].endswith("app:2")
    assert web.sets == {green: ("PRIMARY", 4, "STEADY_STATE"), blue: ("ACTIVE", 4, "STEADY_STATE")}
    assert web.service["deployments"] == []


def test_a_deleted_task_set_drains_and_is_gone(web: External) -> None:
    blue, green = web.open(100), web.open(50)
    web.promote(green)
    code, message = refused(web.ecs.delete_task_set, taskSet=blue, **WHERE)
    assert (code, "scaled above 0" in message) == ("InvalidParameterException", True)
    web.ecs.delete_task_set(taskSet=blue, force=True, **WHERE)
    assert web.sets[blue][0] == "DRAINING"
    said = refused(web.ecs.update_service_primary_task_set, primaryTaskSet=blue, **WHERE)
    assert said[0] == "InvalidParameterException"
    web.sandbox.advance(ENOUGH)
    assert web.sets == {green: ("PRIMARY", 2, "STEADY_STATE")}


def test_the_primary_task_set_is_deleted_by_force_alone(web: External) -> None:
    blue = web.open(0)
    web.promote(blue)
    assert "PRIMARY" in refused(web.ecs.delete_task_set, taskSet=blue, **WHERE)[1]
    web.ecs.delete_task_set(taskSet=blue, force=True, **WHERE)
    assert web.sets == {}
    assert "taskDefinition" not in web.service


def test_there_are_five_at_most(web: External) -> None:
    for _ in range(5):
        web.open(10)
    assert refused(web.ecs.create_task_set, taskDefinition="app", **WHERE) == (
        "InvalidParameterException",
        "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.",
    )
    assert len(web.sets) == 5


def test_a_client_token_makes_one_task_set(web: External) -> None:
    assert web.open(10, clientToken="t") == web.open(10, clientToken="t")
    assert len(web.sets) == 1


def test_a_bad_task_set_never_gets_steady_and_nothing_rolls_back(web: External) -> None:
    blue = web.open(100)
    web.promote(blue)
    web.register(router={})
    web.sandbox.break_container("web", revision="app:2")
    green = web.open(100)
    web.sandbox.advance(600)
    assert web.sets == {blue: ("PRIMARY", 4, "STEADY_STATE"), green: ("ACTIVE", 0, "STABILIZING")}
    web.sandbox.mend()
    web.sandbox.advance(ENOUGH)
    assert web.sets[green] == ("ACTIVE", 4, "STEADY_STATE")


def test_one_whose_tasks_are_unhealthy_is_not_steady(web: External) -> None:
    web.register(router={"healthCheck": {"command": ["CMD", "true"]}})
    web.sandbox.break_container("web", ailment=Ailment("unhealthy"))
    name = web.open(50)
    web.sandbox.advance(30)
    assert web.sets[name] == ("ACTIVE", 2, "STABILIZING")


@pytest.mark.parametrize("percent", [-1, 100.5])
def test_a_scale_is_a_percentage(web: External, percent: float) -> None:
    scale = {"value": percent, "unit": "PERCENT"}
    said = refused(web.ecs.create_task_set, taskDefinition="app", scale=scale, **WHERE)
    assert said[0] == "InvalidParameterException"
    assert web.sets == {}


def test_what_is_not_there_is_said_to_be_missing(web: External) -> None:
    name = web.open(10, tags=[{"key": "k", "value": "v"}])
    assert refused(web.ecs.delete_task_set, taskSet="ecs-svc/1", **WHERE)[0] == "TaskSetNotFoundException"
    answer = web.ecs.describe_task_sets(taskSets=[name, "ecs-svc/1"], include=["TAGS"], **WHERE)
    assert [one["tags"] for one in answer["taskSets"]] == [[{"key": "k", "value": "v"}]]
    assert [one["reason"] for one in answer["failures"]] == ["MISSING"]


def test_an_inactive_definition_makes_no_task_set(web: External) -> None:
    web.ecs.deregister_task_definition(taskDefinition="app:1")
    assert refused(web.ecs.create_task_set, taskDefinition="app:1", **WHERE)[0] == "ClientException"


@pytest.mark.parametrize("controller", ["ECS", "CODE_DEPLOY"])
def test_task_sets_of_other_controllers_are_not_for_changing(web: External, controller: str) -> None:
    place = {"cluster": "c", "service": "other"}
    web.ecs.create_service(
        cluster="c",
        serviceName="other",
        taskDefinition="app",
        desiredCount=1,
        deploymentController={"type": controller},
    )
    code, message = refused(web.ecs.create_task_set, taskDefinition="app", **place)
    assert (code, controller in message) == ("InvalidParameterException", True)
    assert len(web.ecs.describe_task_sets(**place)["taskSets"]) == (controller == "CODE_DEPLOY")


def test_a_deleted_service_takes_its_task_sets_along(web: External) -> None:
    web.promote(web.open(100))
    web.open(50)
    web.sandbox.advance(ENOUGH)
    assert refused(web.ecs.delete_service, cluster="c", service="web")[0] == "InvalidParameterException"
    web.ecs.delete_service(cluster="c", service="web", force=True)
    web.sandbox.advance(ENOUGH)
    assert web.service["status"] == "INACTIVE"
    assert web.service["taskSets"] == []
    assert [one["lastStatus"] for one in web.sandbox.tasks("c")] == ["STOPPED"] * 6
