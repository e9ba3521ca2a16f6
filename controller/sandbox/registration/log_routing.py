"""Log drivers and FireLens.

The two messages on FireLens without a user and the reverse are ECS's own
(aws/amazon-cloudwatch-logs-for-fluent-bit issue 20, fabfuel/ecs-deploy issue 164).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from controller.sandbox.model import Json

_AWSLOGS_REQUIRES = ("awslogs-region", "awslogs-group")
_CONFIG_TYPES = frozenset({"s3", "file"})
S3_ARN = re.compile(r"arn:[\w-]+:s3:::[^/]+/.+")
# `uid`, `uid:gid` or `uid:groupname` (aws/amazon-ecs-agent, ecs-agent/utils/firelens)
_NUMERIC_USER = re.compile(r"\d+(:.+)?")


def problems(body: Json) -> Iterator[str]:
    containers: list[Json] = body["containerDefinitions"]
    routers = [container for container in containers if "firelensConfiguration" in container]
    routed = [container for container in containers if _driver(container) == "awsfirelens"]
    if routed and not routers:
        yield (
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object "
            "must be configured in one of the containers."
        )
    if routers and not routed:
        yield (
            "When a firelensConfiguration object is specified, at least one container has to be configured "
            "with the awsfirelens log driver."
        )
    if len(routers) > 1:
        yield "At most one container can have a firelensConfiguration object."
    for router in routers:
        yield from _router(router)
    for container in containers:
        yield from _awslogs(container)


def _driver(container: Json) -> str | None:
    driver: str | None = container.get("logConfiguration", {}).get("logDriver")
    return driver


def _router(router: Json) -> Iterator[str]:
    options: Json = router["firelensConfiguration"].get("options", {})
    kind, value = options.get("config-file-type"), options.get("config-file-value")
    if kind is not None and kind not in _CONFIG_TYPES:
        yield f"Invalid firelens option config-file-type '{kind}'. Valid values are s3 and file."
    if (kind is None) != (value is None):
        yield "The firelens options config-file-type and config-file-value must be specified together."
    if kind == "s3" and value is not None and not S3_ARN.fullmatch(value):
        yield "Invalid arn syntax."
    user = router.get("user")
    if user is not None and not _NUMERIC_USER.fullmatch(user):
        yield f"The 'user' of a firelens container must begin with a numeric UID, not '{user}'."


def _awslogs(container: Json) -> Iterator[str]:
    if _driver(container) != "awslogs":
        return
    options: Json = container["logConfiguration"].get("options", {})
    if missing := [name for name in _AWSLOGS_REQUIRES if not options.get(name)]:
        yield f"Log driver awslogs requires options: {', '.join(missing)}"
