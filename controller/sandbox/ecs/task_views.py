"""Tasks in the shape that ECS answers with (API reference, Task and Container)."""

from __future__ import annotations

from controller.sandbox.model import Json
from controller.sandbox.model.tasks import ContainerState, Task


def task_view(task: Task, *, tags: bool) -> Json:
    body = task.definition.body
    answer: Json = {
        "taskArn": task.arn,
        "clusterArn": task.cluster_arn,
        "taskDefinitionArn": task.definition.arn,
        "group": task.group,
        "desiredStatus": task.desired_status,
        "lastStatus": task.last_status,
        "healthStatus": task.health,
        "containers": [_container(container, task) for container in task.containers],
        "attachments": [],
        "attributes": [],
        "createdAt": task.created_at,
        "enableExecuteCommand": task.enable_execute_command,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **task.overrides},
        "tags": task.tags if tags else [],
        "version": task.version,
    }
    optional = {
        "launchType": task.launch_type,
        "startedBy": task.started_by,
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "stoppedAt": task.stopped_at,
        "executionStoppedAt": task.stopped_at,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        "cpu": body.get("cpu"),
        "memory": body.get("memory"),
    }
    return answer | {key: value for key, value in optional.items() if value is not None}


def _container(container: ContainerState, task: Task) -> Json:
    answer: Json = {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.definition["name"],
        "image": container.definition["image"],
        "runtimeId": container.runtime_id,
        "lastStatus": container.last_status,
        "networkInterfaces": [],
        "healthStatus": container.health,
        "cpu": str(container.definition["cpu"]),
    }
    optional = {
        "exitCode": container.exit_code,
        "reason": container.reason,
        "memory": _text(container.definition.get("memory")),
        "memoryReservation": _text(container.definition.get("memoryReservation")),
    }
    return answer | {key: value for key, value in optional.items() if value is not None}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
