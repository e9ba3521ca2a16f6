"""Why a task would not come up: what a FireLens container does before Fluent Bit runs.

The init process of the aws-for-fluent-bit image downloads each S3 object that an environment variable names
by ARN, and exits with 1 where one cannot be had (aws/aws-for-fluent-bit, init/fluent_bit_init_process.go).
With `config-file-type: s3` the ECS agent downloads the object before any container starts
(aws/amazon-ecs-agent, agent/taskresource/firelens).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.outside import Outside

ESSENTIAL_EXITED = "Essential container in task exited"
# The init process looks for this anywhere in a variable's name.
_INIT_VARIABLE = re.compile(r"aws_fluent_bit_init_[sS]3")
_S3_ARN = re.compile(r"arn:[\w-]+:s3:::(?P<bucket>[^/]+)/(?P<key>.+)")


@dataclass(frozen=True, slots=True)
class Crash:
    """A container that exits as it starts. Without an exit code it did not even come to that."""

    container: str
    exit_code: int | None
    reason: str

    @property
    def stopped(self) -> tuple[str, str]:
        """The task's `stopCode` and `stoppedReason`, where the container is essential."""
        if self.exit_code is None:
            return "TaskFailedToStart", self.reason
        return "EssentialContainerExited", ESSENTIAL_EXITED


def init_crash(definition: Revision, account: str, outside: Outside) -> Iterator[Crash]:
    """The crash of the FireLens container over a config object that is not there."""
    for container in definition.containers:
        if "firelensConfiguration" not in container:
            continue
        for variable in container["environment"]:
            if _INIT_VARIABLE.search(variable.get("name", "")) and not _there(
                variable.get("value", ""), account, outside
            ):
                yield Crash(container["name"], 1, "Container exited with code 1")
                break


def missing_agent_config(definition: Revision, account: str, outside: Outside) -> str | None:
    """The `stoppedReason` of a task whose agent cannot fetch a FireLens config from S3."""
    for container in definition.containers:
        options: Json = container.get("firelensConfiguration", {}).get("options", {})
        value = options.get("config-file-value", "")
        if options.get("config-file-type") == "s3" and not _there(value, account, outside):
            return f"ResourceInitializationError: unable to download firelens s3 config file: {value}"
    return None


def _there(arn: str, account: str, outside: Outside) -> bool:
    match = _S3_ARN.fullmatch(arn)
    return match is not None and outside.object_exists(account, match["bucket"], match["key"])
