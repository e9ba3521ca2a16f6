"""RegisterTaskDefinition: what ECS refuses, and what it makes of what it accepts.

Where a message of ECS itself is known from public reports, it is used word for word; the others are our own
words under ECS's error code.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json
from controller.sandbox.registration import (
    containers,
    dependencies,
    fargate,
    log_routing,
    references,
    task_fields,
    task_size,
)

_CHECKS = (
    task_fields.problems,
    containers.problems,
    references.problems,
    dependencies.problems,
    log_routing.problems,
    task_size.problems,
)


def problems(body: Json) -> Iterator[str]:
    """Why ECS would refuse this request, the first reason first; nothing where it would accept it."""
    for check in _CHECKS:
        yield from check(body)
    if "FARGATE" in body.get("requiresCompatibilities", []):
        yield from fargate.problems(body)
