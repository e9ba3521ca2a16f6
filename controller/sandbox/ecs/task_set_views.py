"""Task sets in ECS's shape (API reference, TaskSet)."""

from __future__ import annotations

from controller.sandbox.model import Json
from controller.sandbox.model.services import Deployment, Service
from controller.sandbox.rollout.task_sets import computed_count

_MEMBERS = (
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
)


def task_set_view(service: Service, one: Deployment, *, tags: bool = False) -> Json:
    task_set, configuration = one.task_set, one.revision.configuration
    if task_set is None:
        raise ValueError(f"{one.id} is no task set")
    optional = {"startedBy": task_set.started_by, "externalId": task_set.external_id}
    return {
        "id": one.id,
        "taskSetArn": task_set.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "status": one.status,
        "taskDefinition": one.revision.definition.arn,
        "computedDesiredCount": computed_count(service, one),
        "pendingCount": one.pending,
        "runningCount": one.running,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "loadBalancers": configuration.get("loadBalancers", []),
        "serviceRegistries": configuration.get("serviceRegistries", []),
        "scale": {"value": task_set.scale, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if task_set.steady else "STABILIZING",
        "stabilityStatusAt": task_set.judged_at,
        **{key: value for key, value in optional.items() if value is not None},
        **{key: configuration[key] for key in _MEMBERS if key in configuration},
        **({"tags": task_set.tags} if tags else {}),
    }
