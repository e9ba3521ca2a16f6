"""Fields within one container definition (Amazon ECS API reference, ContainerDefinition, HealthCheck, …)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json
from controller.sandbox.registration.task_fields import NAME

_HIGHEST_PORT = 65535
# (path, lowest, highest)
_RANGES = (
    (("healthCheck", "interval"), 5, 300),
    (("healthCheck", "timeout"), 2, 60),
    (("healthCheck", "retries"), 1, 10),
    (("healthCheck", "startPeriod"), 0, 300),
    (("restartPolicy", "restartAttemptPeriod"), 60, 1800),
)


def problems(body: Json) -> Iterator[str]:
    for container in body["containerDefinitions"]:
        yield from _named(container)
        yield from _memory(container, body)
        yield from _ranges(container)
        yield from _ports(container, body.get("networkMode", "bridge"))
        yield from _secrets(container, body)
    names = [container.get("name") for container in body["containerDefinitions"]]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"Container names must be unique within a task definition: '{name}' is used more than once."


def _named(container: Json) -> Iterator[str]:
    name = container.get("name", "")
    if not name:
        yield "Container.name should not be null or empty."
    elif not NAME.fullmatch(name):
        yield f"Invalid container name '{name}'."
    if not container.get("image"):
        yield "Container.image should not be null or empty."


def _memory(container: Json, body: Json) -> Iterator[str]:
    name, hard, soft = container.get("name"), container.get("memory"), container.get("memoryReservation")
    if "memory" not in body and hard is None and soft is None:
        yield (
            f"Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' "
            "must be specified."
        )
    if hard is not None and hard <= 0:
        yield f"Invalid 'memory' setting for container '{name}'."
    if soft is not None and soft <= 0:
        yield f"Invalid 'memoryReservation' setting for container '{name}'."
    if hard is not None and soft is not None and hard < soft:
        yield f"Invalid setting for container '{name}'. 'memory' must not be less than 'memoryReservation'."
    if container.get("cpu", 0) < 0:
        yield f"Invalid 'cpu' setting for container '{name}'."


def _ranges(container: Json) -> Iterator[str]:
    for (section, key), lowest, highest in _RANGES:
        value = container.get(section, {}).get(key)
        if value is not None and not lowest <= value <= highest:
            yield (
                f"Invalid '{section}.{key}' setting for container '{container.get('name')}': "
                f"{value} is not between {lowest} and {highest}."
            )


def _ports(container: Json, network_mode: str) -> Iterator[str]:
    mappings: list[Json] = container.get("portMappings", [])
    if mappings and network_mode == "none":
        yield "Port mappings are not supported when networkMode=none."
    for mapping in mappings:
        inside, outside = mapping.get("containerPort"), mapping.get("hostPort")
        if inside is None and "containerPortRange" not in mapping:
            yield f"Container '{container.get('name')}' has a port mapping without a containerPort."
        for port in (inside, outside):
            if port is not None and not 0 <= port <= _HIGHEST_PORT:
                yield f"Invalid port {port} for container '{container.get('name')}'."
        if network_mode in {"awsvpc", "host"} and outside not in {None, 0, inside}:
            yield (f"When networkMode={network_mode}, the host ports and container ports in port mappings must match.")


def _secrets(container: Json, body: Json) -> Iterator[str]:
    names = [secret["name"] for secret in container.get("secrets", [])]
    variables = {variable.get("name") for variable in container.get("environment", [])}
    for name in names:
        if name in variables or names.count(name) > 1:
            yield (
                "The secret name must be unique and not shared with any new or existing environment "
                f"variables set on the container, such as '{name}'."
            )
    if names and "executionRoleArn" not in body:
        yield ("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
