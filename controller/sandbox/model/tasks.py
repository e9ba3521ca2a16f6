"""Tasks and their containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision

if TYPE_CHECKING:
    from controller.sandbox.model.services import Deployment
    from controller.sandbox.rollout.faults import Fault


@dataclass(slots=True)
class ContainerState:
    arn: str
    definition: Json
    runtime_id: str
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    health: str = "UNKNOWN"  # it stays so without a health check

    @property
    def running(self) -> bool:
        return self.last_status == "RUNNING"

    def exit(self, code: int | None, reason: str) -> None:
        self.last_status, self.exit_code, self.reason, self.health = "STOPPED", code, reason, "UNKNOWN"


@dataclass(slots=True)
class Task:
    """`deployment` is None for a task that RunTask started. `faults`: what will befall its containers."""

    arn: str
    cluster_arn: str
    definition: Revision
    group: str
    created_at: float
    containers: list[ContainerState]
    deployment: Deployment | None = None
    faults: Sequence[Fault] = ()
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
    def health(self) -> str:
        """Essential containers with a health check decide (API reference, Task.healthStatus)."""
        states = {one.health for one in self._checked}
        return "UNHEALTHY" if "UNHEALTHY" in states else "HEALTHY" if states == {"HEALTHY"} else "UNKNOWN"

    @property
    def well(self) -> bool:
        """Whether it runs and, where anything checks its health, is healthy."""
        return self.running and (not self._checked or self.health == "HEALTHY")

    @property
    def _checked(self) -> list[ContainerState]:
        return [one for one in self.containers if one.definition["essential"] and "healthCheck" in one.definition]

    def container(self, name: str) -> ContainerState:
        return next(one for one in self.containers if one.definition["name"] == name)

    @property
    def stopped(self) -> bool:
        return self.last_status == "STOPPED"
