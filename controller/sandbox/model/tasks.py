"""Tasks and their containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision

if TYPE_CHECKING:
    from controller.sandbox.model.services import Deployment


@dataclass(slots=True)
class ContainerState:
    arn: str
    definition: Json
    runtime_id: str
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None

    @property
    def health(self) -> str:
        """A container with a health check is healthy as long as it runs; the others are UNKNOWN."""
        return "HEALTHY" if "healthCheck" in self.definition and self.last_status == "RUNNING" else "UNKNOWN"


@dataclass(slots=True)
class Task:
    """`deployment` is None for a task that RunTask started."""

    arn: str
    cluster_arn: str
    definition: Revision
    group: str
    created_at: float
    containers: list[ContainerState]
    deployment: Deployment | None = None
    started_by: str | None = None
    launch_type: str | None = None
    overrides: Json = field(default_factory=dict)
    tags: list[Json] = field(default_factory=list)
    enable_execute_command: bool = False
    desired_status: str = "RUNNING"
    last_status: str = "PROVISIONING"
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    version: int = 1

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def wanted(self) -> bool:
        return self.desired_status == "RUNNING"

    @property
    def running(self) -> bool:
        return self.wanted and self.last_status == "RUNNING"

    @property
    def stopped(self) -> bool:
        return self.last_status == "STOPPED"
