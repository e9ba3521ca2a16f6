"""A live service as LogRoute sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from controller.api.keys import ServiceKey

CODE_DEPLOY = "CODE_DEPLOY"
"""The deployment controller of services that CodeDeploy deploys."""
COMPLETED, IN_PROGRESS, FAILED = "COMPLETED", "IN_PROGRESS", "FAILED"
RUNNING, STOPPED = "RUNNING", "STOPPED"
ONGOING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
TROUBLE = ("unable to", "unhealthy", "failed")
"""What service events that tell of trouble say (Amazon ECS developer guide, "Service event messages")."""
ROLLED_BACK = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
"""Statuses of a service deployment (Amazon ECS API reference, ServiceDeployment)."""
SETTLED_SET = "STEADY_STATE"
"""The stabilityStatus of a task set with all the tasks that it should have (Amazon ECS API reference, TaskSet)."""


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
    """One service deployment: `number` joins it to `Deployment.id` (`ecs-svc/<number>`). Times in seconds since the
    epoch; `finished_at` None while it runs.
    """

    arn: str
    status: str
    number: str
    reason: str
    revision_arn: str = ""
    """Of the service revision that it brings out."""
    created_at: float = 0.0
    finished_at: float | None = None
    task_definition: str = ""
    """The task definition of that service revision, where somebody asked for it."""

    @property
    def ongoing(self) -> bool:
        return self.status in ONGOING


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task. `exit_code` None: it has not ended, or never began."""

    name: str
    status: str
    exit_code: int | None
    reason: str
    health: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a service, running or of those that stopped within the last hour."""

    task_definition: str
    stopped: bool
    started_at: float | None
    stopped_at: float | None
    stopped_reason: str
    containers: tuple[Container, ...]


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
    strategy: str = "ROLLING"
    breaker: bool = False
    """ECS's deployment circuit breaker is on, and rolls back."""
    troubles: tuple[tuple[float, str], ...] = ()
    """(when, message) of those of its last events that tell of trouble, newest first; only where asked for."""

    @property
    def family(self) -> str:
        return self.task_definition.rsplit("/", 1)[-1].rsplit(":", 1)[0]

    @property
    def primary(self) -> Deployment | None:
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)

    @property
    def deploying(self) -> bool:
        """A deployment is under way: several revisions at once, or a primary that has not completed.

        CodeDeploy keeps the old task set for as long as its owner says, hours often, and one that failed for ever:
        only its PRIMARY one counts.
        """
        primary = self.primary
        several = len(self.deployments) > 1 and self.controller != CODE_DEPLOY
        return several or (primary is not None and primary.rollout_state == IN_PROGRESS)


def observe(key: ServiceKey, raw: Mapping[str, Any], *, troubles: bool = False) -> ObservedService:
    """From one service of DescribeServices. A pass holds ten thousand, so what they share is interned, and their
    events are left out.
    """
    deployments = tuple(_deployment(one) for one in raw.get("deployments") or ())
    deployments = deployments or tuple(_task_set(one) for one in raw.get("taskSets") or ())
    primary = next((one for one in deployments if one.status == "PRIMARY"), None)
    configuration = raw.get("deploymentConfiguration") or {}
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    return ObservedService(
        key,
        str(raw.get("serviceArn", "")),
        intern(str(raw.get("status", "ACTIVE"))),
        intern(str((raw.get("deploymentController") or {}).get("type", "ECS"))),
        intern(_told(raw, primary)),
        int(raw.get("desiredCount") or 0),
        deployments,
        {intern(tag["key"]): intern(tag.get("value", "")) for tag in raw.get("tags") or ()},
        intern(str(configuration.get("strategy") or "ROLLING")),
        bool(breaker.get("enable") and breaker.get("rollback")),
        _troubles(raw.get("events") or ()) if troubles else (),
    )


def _told(raw: Mapping[str, Any], primary: Deployment | None) -> str:
    """The revision of the PRIMARY task set where there are task sets: the service's own member may be missing, or
    the one that it was created with.
    """
    return primary.task_definition if primary and raw.get("taskSets") else str(raw.get("taskDefinition", ""))


def _task_set(raw: Mapping[str, Any]) -> Deployment:
    """As if it were a deployment: CODE_DEPLOY and EXTERNAL services have task sets, and no deployments."""
    return Deployment(
        str(raw.get("id", "")),
        intern(str(raw.get("status", ""))),
        intern(str(raw.get("taskDefinition", ""))),
        COMPLETED if raw.get("stabilityStatus") == SETTLED_SET else IN_PROGRESS,
        "",
        int(raw.get("computedDesiredCount") or 0),
        int(raw.get("runningCount") or 0),
        0,
    )


def _troubles(events: Iterable[Mapping[str, Any]]) -> tuple[tuple[float, str], ...]:
    told = ((moment(one.get("createdAt")) or 0.0, str(one.get("message", ""))) for one in events)
    return tuple((at, text) for at, text in told if any(word in text for word in TROUBLE))


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


def observe_deployments(
    raw: list[dict[str, Any]] | None, task_definitions: Mapping[str, str]
) -> tuple[ServiceDeployment, ...] | None:
    """Newest first; None where the endpoint lists no service deployments. `task_definitions`: service revision ARN →
    task definition, as far as it was asked for.
    """
    if raw is None:
        return None
    return tuple(_service_deployment(one, task_definitions) for one in raw)


def _service_deployment(raw: Mapping[str, Any], task_definitions: Mapping[str, str]) -> ServiceDeployment:
    revision, finished = str(raw.get("targetServiceRevisionArn", "")), raw.get("finishedAt")
    return ServiceDeployment(
        str(raw.get("serviceDeploymentArn", "")),
        str(raw.get("status", "")),
        revision.rsplit("/", 1)[-1],
        str(raw.get("statusReason") or (raw.get("rollback") or {}).get("reason") or ""),
        revision,
        moment(raw.get("createdAt")) or 0.0,
        moment(finished),
        task_definitions.get(revision, ""),
    )


def observe_tasks(raw: Iterable[Mapping[str, Any]]) -> tuple[Task, ...]:
    return tuple(
        Task(
            str(one.get("taskDefinitionArn", "")),
            one.get("lastStatus") == STOPPED,
            moment(one.get("startedAt")),
            moment(one.get("stoppedAt")),
            str(one.get("stoppedReason") or ""),
            tuple(_container(container) for container in one.get("containers") or ()),
        )
        for one in raw
    )


def _container(raw: Mapping[str, Any]) -> Container:
    code = raw.get("exitCode")
    return Container(
        str(raw.get("name", "")),
        str(raw.get("lastStatus", "")),
        None if code is None else int(code),
        str(raw.get("reason") or ""),
        str(raw.get("healthStatus") or ""),
    )


def moment(at: Any) -> float | None:
    """Seconds since the epoch: a number where timestamps are left as they came, else botocore's datetime."""
    return None if at is None else float(at.timestamp() if hasattr(at, "timestamp") else at)
