"""The types of those members of a task definition that are read here (botocore's ecs/2014-11-13 model).

A live definition always has them. One from a file may have anything, and is told where it is wrong before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.taskdef.body import Body, NotATaskDefinition, register_form

Shape = type | tuple[type, ...] | list[Any] | dict[str, Any]
"""A type; `[shape]` a list of such; `{member: shape}` an object, other members being anything; `{"*": shape}` a map."""
_TEXTS: Shape = {"*": str}
_SECRETS: Shape = [{"name": str, "valueFrom": str}]
CONTAINER: Shape = {
    "name": str,
    "image": str,
    "cpu": int,
    "memory": int,
    "memoryReservation": int,
    "essential": bool,
    "user": str,
    "links": [str],
    "command": [str],
    "entryPoint": [str],
    "environment": [{"name": str, "value": str}],
    "environmentFiles": [{"value": str, "type": str}],
    "secrets": _SECRETS,
    "dependsOn": [{"containerName": str, "condition": str}],
    "mountPoints": [{"sourceVolume": str, "containerPath": str, "readOnly": bool}],
    "volumesFrom": [{"sourceContainer": str, "readOnly": bool}],
    "portMappings": [{"containerPort": int, "hostPort": int, "protocol": str, "containerPortRange": str}],
    "ulimits": [{"name": str, "softLimit": int, "hardLimit": int}],
    "systemControls": [{"namespace": str, "value": str}],
    "resourceRequirements": [{"type": str, "value": str}],
    "healthCheck": {"command": [str], "interval": int, "timeout": int, "retries": int, "startPeriod": int},
    "dockerLabels": _TEXTS,
    "logConfiguration": {"logDriver": str, "options": _TEXTS, "secretOptions": _SECRETS},
    "firelensConfiguration": {"type": str, "options": _TEXTS},
}
TAGS: Shape = [{"key": str, "value": str}]
DEFINITION: Shape = {
    "family": str,
    "networkMode": str,
    "cpu": (str, int),
    "memory": (str, int),
    "executionRoleArn": str,
    "taskRoleArn": str,
    "pidMode": str,
    "ipcMode": str,
    "requiresCompatibilities": [str],
    "volumes": [{"name": str, "host": dict, "dockerVolumeConfiguration": dict, "efsVolumeConfiguration": dict}],
    "placementConstraints": [{"type": str, "expression": str}],
    "runtimePlatform": {"cpuArchitecture": str, "operatingSystemFamily": str},
    "proxyConfiguration": {"type": str, "containerName": str, "properties": [{"name": str, "value": str}]},
    "tags": TAGS,
    "containerDefinitions": [CONTAINER],
}
_WORDS = {str: "text", (str, int): "text", int: "a whole number", bool: "true or false", dict: "an object"}


def from_file(answer: Any) -> Body:
    """`register_form` of JSON that anybody may have written. Raises NotATaskDefinition."""
    if not isinstance(answer, dict):
        raise NotATaskDefinition("the top level must be a JSON object")
    body = answer if answer.get("taskDefinition") is None else answer["taskDefinition"]
    parts = ((body, DEFINITION), (answer.get("tags"), TAGS))
    if wrong := next((one for part, shape in parts for one in misfits(part, shape)), None):
        raise NotATaskDefinition(wrong)
    return register_form(answer)


def misfits(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """What is of another type, in words: `containerDefinitions[0].cpu must be a whole number`. null fits anywhere."""
    if value is None:
        return
    if isinstance(shape, list):
        yield from _in_list(value, shape[0], path)
    elif isinstance(shape, dict):
        yield from _in_object(value, shape, path)
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        yield f"{path} must be {_WORDS[shape]}"


def _in_list(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """But in lists there is no null, and nothing without its name."""
    if not isinstance(value, list):
        yield f"{path} must be a list"
        return
    for number, one in enumerate(value):
        if one is None:
            yield f"{path}[{number}] must not be null"
        elif isinstance(shape, dict) and "name" in shape and isinstance(one, dict) and one.get("name") is None:
            yield f"{path}[{number}] has no name"
        else:
            yield from misfits(one, shape, f"{path}[{number}]")


def _in_object(value: Any, shape: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'it'} must be an object"
        return
    for name, one in value.items():
        if (wanted := shape.get(name, shape.get("*"))) is not None:
            yield from misfits(one, wanted, f"{path}.{name}" if path else name)
