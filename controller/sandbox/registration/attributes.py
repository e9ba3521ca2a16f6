"""`requiresAttributes` and `compatibilities`: what ECS works out about a definition.

Amazon ECS developer guide, "Amazon ECS container agent attributes"; aws/amazon-ecs-agent,
agent/app/agent_capability.go. The attributes that log routing and plain web services need, not all.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json
from controller.sandbox.registration import fargate

_AGENT = "ecs.capability"
_INSTANCE = "com.amazonaws.ecs.capability"
_API = f"{_INSTANCE}.docker-remote-api"
_MANAGED_INSTANCES_DRIVERS = frozenset({"json-file", *fargate.LOG_DRIVERS})


def compatibilities(body: Json) -> list[str]:
    """Every launch type that could run it, whatever was asked for."""
    found = ["EC2"]
    if body["networkMode"] != "awsvpc":
        found.insert(0, "EXTERNAL")
    if next(fargate.problems(body), None) is None:
        found.append("FARGATE")
    drivers = {one["logConfiguration"]["logDriver"] for one in _logging(body)}
    if body["networkMode"] in {"awsvpc", "host"} and drivers <= _MANAGED_INSTANCES_DRIVERS:
        found.append("MANAGED_INSTANCES")
    return found


def required_attributes(body: Json) -> list[Json]:
    return [{"name": name} for name in dict.fromkeys(_names(body))]


def _logging(body: Json) -> list[Json]:
    return [one for one in body["containerDefinitions"] if "logConfiguration" in one]


def _names(body: Json) -> Iterator[str]:
    containers: list[Json] = body["containerDefinitions"]
    drivers = list(dict.fromkeys(one["logConfiguration"]["logDriver"] for one in _logging(body)))
    yield from (f"{_INSTANCE}.logging-driver.{driver}" for driver in drivers)
    if "awslogs" in drivers:
        if "executionRoleArn" in body:
            yield f"{_AGENT}.execution-role-awslogs"
        yield f"{_API}.1.19"
    yield from _firelens(containers)
    if any("memoryReservation" in one for one in containers):
        yield f"{_API}.1.21"
    if "taskRoleArn" in body:
        yield f"{_INSTANCE}.task-iam-role"
    yield f"{_API}.1.18"
    if any("dependsOn" in one for one in containers):
        yield f"{_AGENT}.container-ordering"
    if any("healthCheck" in one for one in containers):
        yield f"{_AGENT}.container-health-check"
    yield from _secrets(containers)
    if body["networkMode"] == "awsvpc":
        yield f"{_AGENT}.task-eni"
        yield f"{_API}.1.29"


def _firelens(containers: list[Json]) -> Iterator[str]:
    for one in containers:
        if configuration := one.get("firelensConfiguration"):
            yield f"{_AGENT}.firelens.{configuration['type']}"
            if kind := configuration.get("options", {}).get("config-file-type"):
                yield f"{_AGENT}.firelens.options.config.{kind}"


def _secrets(containers: list[Json]) -> Iterator[str]:
    for one in containers:
        for secret in one.get("secrets", []):
            store = "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
            yield f"{_AGENT}.secrets.{store}.environment-variables"
