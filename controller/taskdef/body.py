"""The register form: what RegisterTaskDefinition takes, made from what DescribeTaskDefinition gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Body = dict[str, Any]
"""A task definition in ECS's own shape. Unknown keys pass through: they are somebody's."""

READ_ONLY = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)
"""Members of TaskDefinition that RegisterTaskDefinition does not take (botocore's ecs/2014-11-13 model)."""


ACCOUNT_PART = 4
"""Where an ARN has the account id."""


class NotATaskDefinition(ValueError):
    """The JSON is neither register input nor describe output; the text says what is wrong with it."""


def register_form(answer: Body) -> Body:
    """Register input from describe output (`{"taskDefinition": …, "tags": …}`), or from register input itself.

    Nothing is normalised: fields that are not ours go back to ECS as they came. Tags stand beside a
    described definition, not in it; those of AWS's own cannot be written.
    """
    described = answer.get("taskDefinition")
    body = answer if described is None else described
    if not isinstance(body, dict) or not isinstance(body.get("containerDefinitions"), list):
        raise NotATaskDefinition("it has no containerDefinitions: neither register input nor describe output")
    if not all(isinstance(container, dict) for container in body["containerDefinitions"]):
        raise NotATaskDefinition("containerDefinitions holds something that is no container")
    if not isinstance(body.get("family"), str):
        raise NotATaskDefinition("it has no family")
    kept = {key: value for key, value in body.items() if key not in READ_ONLY and key != "tags"}
    tags = answer.get("tags") or body.get("tags")
    writable = [tag for tag in tags or () if not str(tag.get("key", "")).startswith("aws:")]
    return {**kept, "tags": writable} if writable else kept


def container_names(body: Body) -> list[str]:
    return [container.get("name", "") for container in body["containerDefinitions"]]


def used_ports(containers: Iterable[Body]) -> set[int]:
    """Container ports that the task's containers say they listen on."""
    mappings = (mapping for container in containers for mapping in container.get("portMappings") or ())
    return {mapping["containerPort"] for mapping in mappings if mapping.get("containerPort")}


def is_fargate(body: Body) -> bool:
    return "FARGATE" in (body.get("requiresCompatibilities") or ())


def account_of(body: Body) -> str | None:
    """The account id, as the definition's own roles tell it. None where they do not."""
    for role in ("executionRoleArn", "taskRoleArn"):
        parts = str(body.get(role) or "").split(":")
        if len(parts) > ACCOUNT_PART and parts[ACCOUNT_PART].isdigit():
            return parts[ACCOUNT_PART]
    return None
