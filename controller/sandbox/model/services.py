"""Services, and the three things that AWS calls a deployment.

A `Deployment` (`ecs-svc/<n>`) is what DescribeServices lists. A `ServiceRevision` is the configuration that
it brings out, and carries the same number. A `ServiceDeployment` is the record of one change of a service; a
rollback stays within that record, and goes back to an earlier deployment and its revision (Amazon ECS
developer guide, "Service deployments" and "Service revisions").

Under the controllers CODE_DEPLOY and EXTERNAL a `Deployment` is a task set, and there are no records.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.stages import Progress
from controller.sandbox.model.tasks import Task
from controller.sandbox.rollout.faults import Fault

MOST_EVENTS = 100  # API reference, Service.events
ONGOING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


@dataclass(slots=True)
class ServiceRevision:
    arn: str
    definition: Revision
    configuration: Json
    created_at: float


@dataclass(slots=True)
class TaskSet:
    """What a deployment has besides where it is a task set. `scale`: percent of the service's desired count."""

    arn: str
    scale: float = 100.0
    started_by: str | None = None
    external_id: str | None = None
    client_token: str | None = None
    tags: list[Json] = field(default_factory=list)
    steady: bool = False
    judged_at: float = 0.0  # when `steady` last changed


@dataclass(slots=True)
class Deployment:
    """`status` INACTIVE: drained, and no longer shown; a rollback may still go back to it.

    ACTIVE is one that drains, but of task sets one that lives beside the PRIMARY one: those drain as DRAINING.
    """

    id: str
    revision: ServiceRevision
    created_at: float
    updated_at: float
    fault: Fault | None = None
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    tasks: list[Task] = field(default_factory=list)  # those that are not STOPPED yet
    steady_since: float | None = None
    task_set: TaskSet | None = None

    @property
    def running(self) -> int:
        return sum(task.running for task in self.tasks)

    @property
    def well(self) -> int:
        return sum(task.well for task in self.tasks)

    @property
    def wanted(self) -> int:
        return sum(task.wanted for task in self.tasks)

    @property
    def pending(self) -> int:
        return self.wanted - self.running


@dataclass(slots=True)
class ServiceDeployment:
    arn: str
    deployment: Deployment
    sources: list[ServiceRevision]
    created_at: float
    updated_at: float
    configuration: Json  # the deployment configuration at its start
    status: str = "PENDING"
    started_at: float | None = None
    status_reason: str | None = None
    finished_at: float | None = None
    stopped_at: float | None = None
    rollback: Json | None = None
    breaker_triggered: bool = False
    progress: Progress | None = None  # of a blue/green, linear or canary deployment

    @property
    def ongoing(self) -> bool:
        return self.status in ONGOING


@dataclass(slots=True)
class Service:
    """`configuration` holds, by ECS's names, what a service revision snapshots: network, launch type, …"""

    arn: str
    name: str
    cluster_arn: str
    created_at: float
    created_by: str
    desired_count: int
    configuration: Json
    options: Json  # what no revision holds: placement, propagateTags, …
    deployment_configuration: Json
    controller: str
    scheduling: str
    tags: list[Json]
    client_token: str | None = None
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)  # newest first; INACTIVE ones included
    records: list[ServiceDeployment] = field(default_factory=list)  # newest first
    revisions: list[ServiceRevision] = field(default_factory=list)
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))  # newest first
    steady: bool = False
    last_completed: Deployment | None = None

    @property
    def primary(self) -> Deployment | None:
        return next((deployment for deployment in self.deployments if deployment.status == "PRIMARY"), None)

    @property
    def shown_deployments(self) -> list[Deployment]:
        """The primary one first, as ECS lists them."""
        shown = [deployment for deployment in self.deployments if deployment.status != "INACTIVE"]
        return sorted(shown, key=lambda deployment: deployment.status != "PRIMARY")

    @property
    def draining_deployments(self) -> list[Deployment]:
        return [deployment for deployment in self.deployments if deployment.status == "ACTIVE"]

    @property
    def current_record(self) -> ServiceDeployment | None:
        return self.records[0] if self.records else None

    @property
    def tasks(self) -> list[Task]:
        return [task for deployment in self.deployments for task in deployment.tasks]
