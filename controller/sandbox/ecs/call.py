"""One request, and the lookups that every operation makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller.sandbox.arns import is_arn, path, resource_type, short_name
from controller.sandbox.errors import (
    ClientError,
    ClusterNotFoundError,
    InvalidParameterError,
    ServiceNotFoundError,
)
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Service
from controller.sandbox.model.world import Cluster, Region, World
from controller.sandbox.outside import Principal
from controller.sandbox.rollout.scheduler import ServiceScheduler

NOT_FOUND = "TaskDefinition not found."
INACTIVE = "TaskDefinition is inactive"


@dataclass(frozen=True, slots=True)
class Call:
    world: World
    region: Region
    principal: Principal
    request: Json

    def scheduler(self, cluster: Cluster) -> ServiceScheduler:
        return ServiceScheduler(self.world, cluster, self.region.arns)

    def includes(self, what: str) -> bool:
        return what in self.request.get("include", [])

    def cluster(self) -> Cluster:
        """The cluster that the request names, or `default`."""
        return self.cluster_named(self.request.get("cluster", "default"))

    def cluster_named(self, name_or_arn: str) -> Cluster:
        cluster = self.region.clusters.get(short_name(name_or_arn))
        if cluster is None:
            raise ClusterNotFoundError("Cluster not found.")
        if cluster.status != "ACTIVE":
            raise ClusterNotFoundError("The referenced cluster was inactive.")
        return cluster

    def service_named(self, cluster: Cluster, name_or_arn: str) -> Service:
        service = cluster.services.get(short_name(name_or_arn))
        if service is None or (is_arn(name_or_arn) and service.arn != name_or_arn):
            raise ServiceNotFoundError("Service not found.")
        return service

    def service_of_arn(self, arn: str) -> Service | None:
        """The service that an ARN of a service, its deployments or revisions belongs to."""
        parts = path(arn)
        cluster = self.region.clusters.get(parts[0]) if parts else None
        return cluster.services.get(parts[1]) if cluster and len(parts) > 1 else None

    def revision(self, name: str) -> Revision | None:
        """A revision by ARN or `family:revision`; by bare family, the latest ACTIVE one."""
        if is_arn(name) and resource_type(name) != "task-definition":
            raise InvalidParameterError(f"Invalid ARN: {name}")
        family_name, _, number = short_name(name).partition(":")
        family = self.region.families.get(family_name)
        if family is None:
            return None
        if not number:
            return family.latest_active()
        return family.revisions.get(int(number)) if number.isdecimal() else None

    def startable_revision(
        self, name: str, refusal: type[ClientError | InvalidParameterError] = ClientError
    ) -> Revision:
        """A revision that new tasks may start from: INACTIVE ones only keep what already runs.

        Amazon ECS API reference, DeregisterTaskDefinition, which also says how late ECS may be to refuse.
        """
        revision = self.revision(name)
        if revision is None:
            raise ClientError(NOT_FOUND)
        if revision.status != "ACTIVE" and not self._unnoticed(revision):
            raise refusal(INACTIVE)
        return revision

    def _unnoticed(self, revision: Revision) -> bool:
        """Whether ECS has not caught up with a deregistration yet. A deletion it knows of at once."""
        since: float = revision.body.get("deregisteredAt", self.world.now)
        return revision.status == "INACTIVE" and self.world.now < since + self.world.settings.inactive_lag_seconds


Operation = Callable[[Call], Json]


def missing(arn: str) -> Json:
    """An entry of `failures`."""
    return {"arn": arn, "reason": "MISSING"}
