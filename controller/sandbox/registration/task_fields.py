"""Fields of the task as a whole (Amazon ECS API reference, RegisterTaskDefinition)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from controller.sandbox.model import Json
from controller.sandbox.tags import tag_problems

LARGEST_BYTES = 65536  # Amazon ECS developer guide, "Amazon ECS service quotas"
_MOST_CONTAINERS = 10
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+|[\w+=,.@-]+")


def problems(body: Json) -> Iterator[str]:
    yield from _size(body)
    if not NAME.fullmatch(body["family"]):
        yield (
            "Invalid family name. Up to 255 letters (uppercase and lowercase), numbers, underscores, and "
            "hyphens are allowed."
        )
    for key in ("taskRoleArn", "executionRoleArn"):
        if key in body and not _ROLE.fullmatch(body[key]):
            yield f"Role is not valid: {key}"
    if "tags" in body:
        yield from tag_problems(body["tags"])
    yield from _container_list(body["containerDefinitions"])


def _size(body: Json) -> Iterator[str]:
    """AWS does not say how it counts; here it is the compact JSON of the request without its tags."""
    length = len(orjson.dumps({key: value for key, value in body.items() if key != "tags"}))
    if length > LARGEST_BYTES:
        yield f"Actual length: '{length}'. Max allowed length is '{LARGEST_BYTES}' bytes."


def _container_list(containers: list[Json]) -> Iterator[str]:
    if not containers:
        yield "Container list cannot be empty."
        return
    if len(containers) > _MOST_CONTAINERS:
        yield "Too many containers."
    if not any(container.get("essential", True) for container in containers):
        yield "Task definition doesn't have any essential container."
