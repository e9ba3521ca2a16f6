"""A live service as LogRoute sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from controller.api.keys import ServiceKey

COMPLETED, IN_PROGRESS, FAILED = "COMPLETED", "IN_PROGRESS", "FAILED"
ONGOING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
ROLLED_BACK = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
"""Statuses of a service deployment (Amazon ECS API reference, ServiceDeployment)."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One row of `deployments[]`. `rollout_state` is "" where the service's controller has none."""

    id: str
    status: str
    task_definition: str
    rollout_state: str
    rollout_reason: str
    desired: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class ServiceDeployment:
    """One service deployment: `number` joins it to `Deployment.id` (`ecs-svc/<number>`)."""

    arn: str
    status: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ObservedService:
    key: ServiceKey
    arn: str
    status: str
    controller: str
    task_definition: str
    """The revision ARN that the service is told to run."""
    desired_count: int
    deployments: tuple[Deployment, ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return self.task_definition.rsplit("/", 1)[-1].rsplit(":", 1)[0]

    @property
    def primary(self) -> Deployment | None:
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)

    @property
    def deploying(self) -> bool:
        """A deployment is under way: several revisions at once, or a primary that has not completed."""
        primary = self.primary
        return len(self.deployments) > 1 or (primary is not None and primary.rollout_state == IN_PROGRESS)


def observe(key: ServiceKey, raw: Mapping[str, Any]) -> ObservedService:
    """From one service of DescribeServices. A pass holds ten thousand, so what they share is interned."""
    deployments = tuple(_deployment(one) for one in raw.get("deployments") or ())
    return ObservedService(
        key,
        str(raw.get("serviceArn", "")),
        intern(str(raw.get("status", "ACTIVE"))),
        intern(str((raw.get("deploymentController") or {}).get("type", "ECS"))),
        intern(str(raw.get("taskDefinition", ""))),
        int(raw.get("desiredCount") or 0),
        deployments,
        {intern(tag["key"]): intern(tag.get("value", "")) for tag in raw.get("tags") or ()},
    )


def _deployment(raw: Mapping[str, Any]) -> Deployment:
    return Deployment(
        str(raw.get("id", "")),
        intern(str(raw.get("status", ""))),
        intern(str(raw.get("taskDefinition", ""))),
        intern(str(raw.get("rolloutState") or "")),
        str(raw.get("rolloutStateReason") or ""),
        int(raw.get("desiredCount") or 0),
        int(raw.get("runningCount") or 0),
        int(raw.get("failedTasks") or 0),
    )


def observe_deployments(raw: list[dict[str, Any]] | None) -> tuple[ServiceDeployment, ...] | None:
    """Newest first; None where the endpoint lists no service deployments."""
    if raw is None:
        return None
    return tuple(
        ServiceDeployment(
            str(one.get("serviceDeploymentArn", "")),
            str(one.get("status", "")),
            str(one.get("targetServiceRevisionArn", "")).rsplit("/", 1)[-1],
            str(one.get("statusReason") or (one.get("rollback") or {}).get("reason") or ""),
        )
        for one in raw
    )
