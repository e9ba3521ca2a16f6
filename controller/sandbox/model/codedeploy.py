"""CodeDeploy's applications, deployment groups and deployments, of the compute platform ECS alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.sandbox.model import Json
from controller.sandbox.model.services import Deployment

ACTIVE = frozenset({"Created", "InProgress", "Ready"})
"""Statuses of a deployment that is not over; a group has one of them at most."""


@dataclass(slots=True)
class CodeDeployment:
    """One deployment: a new task set beside the one that is PRIMARY, traffic shifted, the old one ended.

    `shifted_at`: when the new task set got all the production traffic; the old one then waits for its end.
    """

    id: str
    created_at: float
    revision: Json  # as CreateDeployment states it
    definition: str  # name or ARN of a task definition, from the AppSpec
    container: str  # that traffic goes to, from the AppSpec
    seconds: float  # that the shift of traffic takes
    settings: Json  # configuration's name, description, … as GetDeployment shows them
    status: str = "Created"
    stage: str = "created"  # then provisioning, ready, shifting, waiting; finer than the status
    creator: str = "user"
    original: Deployment | None = None
    replacement: Deployment | None = None
    started_at: float | None = None
    shifted_at: float | None = None
    completed_at: float | None = None
    error: Json | None = None
    rollback: Json | None = None

    @property
    def active(self) -> bool:
        return self.status in ACTIVE


@dataclass(slots=True)
class Group:
    id: str
    name: str
    application: str
    cluster: str
    service: str
    settings: Json  # as CreateDeploymentGroup states them
    deployments: list[CodeDeployment] = field(default_factory=list)  # newest first

    @property
    def running(self) -> CodeDeployment | None:
        return next((one for one in self.deployments if one.active), None)


@dataclass(slots=True)
class Application:
    id: str
    name: str
    created_at: float
    groups: dict[str, Group] = field(default_factory=dict)
