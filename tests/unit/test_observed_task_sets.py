"""Services of task sets: what the PRIMARY one runs is what the service runs."""

from __future__ import annotations

from typing import Any

from controller.api.keys import Place, ServiceKey
from controller.observed.model import COMPLETED, IN_PROGRESS, observe

KEY = ServiceKey(Place("123456789012", "eu-west-1"), "c", "web")


def task_set(name: str, status: str, definition: str, stability: str = "STEADY_STATE") -> dict[str, Any]:
    return {"id": name, "status": status, "taskDefinition": definition, "stabilityStatus": stability}


def answer(*sets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"deployments": [], "deploymentController": {"type": "CODE_DEPLOY"}, "taskSets": list(sets)} | fields


def test_the_primary_task_set_tells_what_the_service_runs() -> None:
    old, new = task_set("ecs-svc/1", "ACTIVE", "app:1"), task_set("ecs-svc/2", "PRIMARY", "app:2")
    service = observe(KEY, answer(old, new, taskDefinition="app:1"))
    assert service.task_definition == "app:2"
    assert service.primary is not None
    assert (service.primary.id, service.primary.rollout_state) == ("ecs-svc/2", COMPLETED)


def test_a_second_task_set_or_an_unsteady_one_is_a_deployment_under_way() -> None:
    primary = task_set("ecs-svc/1", "PRIMARY", "app:1")
    both = (primary, task_set("ecs-svc/2", "ACTIVE", "app:2"))
    assert not observe(KEY, answer(primary)).deploying
    assert observe(KEY, answer(*both, deploymentController={"type": "EXTERNAL"})).deploying
    assert not observe(KEY, answer(*both)).deploying, "CodeDeploy keeps old ones, also of deployments that failed"
    unsteady = observe(KEY, answer(task_set("ecs-svc/1", "PRIMARY", "app:1", "STABILIZING")))
    assert unsteady.deploying
    assert [one.rollout_state for one in unsteady.deployments] == [IN_PROGRESS]


def test_without_a_primary_task_set_the_service_s_own_word_counts() -> None:
    assert observe(KEY, answer(taskDefinition="app:1")).task_definition == "app:1"
    assert observe(KEY, answer(task_set("ecs-svc/1", "ACTIVE", "app:2"))).task_definition == ""
