"""The whole simulated ECS: clusters, families and services of each account and region."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.sandbox.arns import Arns
from controller.sandbox.ids import Ids
from controller.sandbox.model import Json
from controller.sandbox.model.codedeploy import Application
from controller.sandbox.model.definitions import Family
from controller.sandbox.model.services import Service
from controller.sandbox.model.tasks import Task
from controller.sandbox.outside import Outside
from controller.sandbox.rollout.faults import Faults
from controller.sandbox.settings import Settings
from controller.sandbox.timeline import Timeline


@dataclass(slots=True)
class Cluster:
    name: str
    arn: str
    configuration: Json  # by ECS's names: settings, capacityProviders, …
    tags: list[Json]
    status: str = "ACTIVE"
    services: dict[str, Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)  # by ARN; stopped ones for an hour


@dataclass(slots=True)
class Region:
    """What one account has in one region."""

    arns: Arns
    clusters: dict[str, Cluster] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)  # CodeDeploy's


@dataclass(slots=True)
class World:
    timeline: Timeline
    ids: Ids
    settings: Settings
    outside: Outside
    faults: Faults = field(default_factory=Faults)
    regions: dict[tuple[str, str], Region] = field(default_factory=dict)

    def region(self, account: str, name: str) -> Region:
        return self.regions.setdefault((account, name), Region(Arns(account, name)))

    @property
    def now(self) -> float:
        return self.timeline.now
