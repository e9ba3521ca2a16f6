"""What Fargate asks of a definition beyond EC2.

Amazon ECS developer guide, "Amazon ECS task definition differences for Fargate", and API reference,
RegisterTaskDefinition, for the sizes.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json
from controller.sandbox.registration.task_size import cpu_units, memory_mib

LOG_DRIVERS = frozenset({"awslogs", "splunk", "awsfirelens"})
_GB = 1024
SIZES: dict[int, frozenset[int]] = {
    256: frozenset({512, _GB, 2 * _GB}),
    512: frozenset(range(_GB, 4 * _GB + 1, _GB)),
    1024: frozenset(range(2 * _GB, 8 * _GB + 1, _GB)),
    2048: frozenset(range(4 * _GB, 16 * _GB + 1, _GB)),
    4096: frozenset(range(8 * _GB, 30 * _GB + 1, _GB)),
    8192: frozenset(range(16 * _GB, 60 * _GB + 1, 4 * _GB)),
    16384: frozenset(range(32 * _GB, 120 * _GB + 1, 8 * _GB)),
    32768: frozenset({60 * _GB, 120 * _GB, 244 * _GB}),
}
_UNSUPPORTED = (
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "extraHosts",
    "links",
    "privileged",
)
_LONGEST_TIMEOUT = 120
_SMALLEST_STORAGE, _LARGEST_STORAGE = 21, 200


def problems(body: Json) -> Iterator[str]:
    yield from _size(body)
    if body.get("networkMode") != "awsvpc":
        yield "Fargate only supports network mode ‘awsvpc’."
    if body.get("placementConstraints"):
        yield "Fargate does not support placementConstraints."
    storage = body.get("ephemeralStorage", {}).get("sizeInGiB", _SMALLEST_STORAGE)
    if not _SMALLEST_STORAGE <= storage <= _LARGEST_STORAGE:
        yield f"Invalid ephemeralStorage: sizeInGiB must be from {_SMALLEST_STORAGE} to {_LARGEST_STORAGE}."
    yield from _volumes(body)
    for container in body["containerDefinitions"]:
        yield from _container(container)
        yield from _logging(container, body)


def _size(body: Json) -> Iterator[str]:
    for key in ("cpu", "memory"):
        if key not in body:
            yield f"Fargate requires that '{key}' be defined at the task level."
    if "cpu" not in body or "memory" not in body:
        return
    cpu, memory = cpu_units(body["cpu"]), memory_mib(body["memory"])
    if memory not in SIZES.get(cpu or 0, frozenset()):
        yield (
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
            "See the Amazon ECS documentation for the valid values."
        )


def _volumes(body: Json) -> Iterator[str]:
    for volume in body.get("volumes", []):
        if "dockerVolumeConfiguration" in volume or volume.get("host", {}).get("sourcePath"):
            yield f"Fargate does not support the configuration of volume '{volume.get('name')}'."


def _container(container: Json) -> Iterator[str]:
    name = container.get("name")
    for key in _UNSUPPORTED:
        if container.get(key):
            yield f"Fargate does not support '{key}' (container '{name}')."
    for key in ("startTimeout", "stopTimeout"):
        if container.get(key, 0) > _LONGEST_TIMEOUT:
            yield f"Invalid '{key}' setting for container '{name}': at most {_LONGEST_TIMEOUT} on Fargate."
    options: Json = container.get("firelensConfiguration", {}).get("options", {})
    if options.get("config-file-type") == "s3":
        # Developer guide, "FireLens configuration": tasks on Fargate only support the type `file`.
        yield f"Fargate only supports the firelens config-file-type 'file' (container '{name}')."


def _logging(container: Json, body: Json) -> Iterator[str]:
    driver = container.get("logConfiguration", {}).get("logDriver")
    if driver is None:
        return
    if driver not in LOG_DRIVERS:
        yield f"Fargate does not support log driver {driver}. It supports {', '.join(sorted(LOG_DRIVERS))}."
    if driver == "awslogs" and "executionRoleArn" not in body:
        yield "Fargate requires task definition to have execution role ARN to support log driver awslogs."
