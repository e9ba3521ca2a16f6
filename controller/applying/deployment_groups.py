"""Which deployment group of CodeDeploy deploys a service: found once, and kept for as long as it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.aws.ports import Account, DeploymentGroup
from controller.observed.model import CODE_DEPLOY

AGAIN = 3600.0
"""Seconds after which a group is looked for again for a service that none named."""
FEW = 10
"""Services for which their own task sets are asked first: for more of them looking through all groups costs less."""
MISSING = (
    "its deployment controller is CODE_DEPLOY, and no deployment group of CodeDeploy names it: make one (it is looked "
    "for once an hour), or run `logroute inject` in what deploys it"
)


class NoGroup(Explained):
    """CodeDeploy deploys the service, and it cannot be told how."""


@dataclass(slots=True)
class DeploymentGroups:
    """Of one account and region. Both ways to ask may raise AwsError, and NoGroup."""

    account: Account
    known: dict[ServiceKey, DeploymentGroup] = field(default_factory=dict)
    missed: dict[ServiceKey, float] = field(default_factory=dict)
    """When none was found."""
    index: dict[tuple[str, str], DeploymentGroup] = field(default_factory=dict)
    """(cluster, service) → the group that names it, from when all were looked through."""
    indexed_at: float | None = None

    def of(self, key: ServiceKey) -> DeploymentGroup:
        """Which one it is; what it did last may be old."""
        if found := self.known.get(key):
            return found
        now = self.account.ecs.now()
        if now - self.missed.get(key, -AGAIN) < AGAIN:
            raise NoGroup(MISSING)
        if len(self.known) < FEW:
            return self._kept(key, self._of_its_tasks(key) or self._searched(key, now), now)
        return self._kept(key, self._searched(key, now) or self._of_its_tasks(key), now)

    def as_it_is(self, key: ServiceKey) -> DeploymentGroup:
        """Looked for once more where it is gone."""
        now = self.account.ecs.now()
        found = self.account.codedeploy.again(self.of(key), key.cluster, key.service)
        if found is None:
            self.index, self.indexed_at = {}, None
            found = self._searched(key, now)
        return self._kept(key, found, now)

    def _kept(self, key: ServiceKey, found: DeploymentGroup | None, now: float) -> DeploymentGroup:
        if found is None:
            self.known.pop(key, None)
            self.missed[key] = now
            raise NoGroup(MISSING)
        self.known[key] = found
        return found

    def _of_its_tasks(self, key: ServiceKey) -> DeploymentGroup | None:
        """Two calls. A task set tells which deployment made it (Amazon ECS API reference, TaskSet, externalId)."""
        service = next(iter(self.account.ecs.describe_services(key.cluster, [key.service]).found), {})
        sets = service.get("taskSets") or ()
        names = [one["externalId"] for one in sets if one.get("startedBy") == CODE_DEPLOY and one.get("externalId")]
        for info in self.account.codedeploy.deployments(names[:1]):
            return DeploymentGroup(str(info.get("applicationName", "")), str(info.get("deploymentGroupName", "")))
        return None

    def _searched(self, key: ServiceKey, now: float) -> DeploymentGroup | None:
        """Through all of the account, as a service that was never deployed needs: two calls an application or more."""
        place = (key.cluster, key.service)
        if place not in self.index and (self.indexed_at is None or now - self.indexed_at >= AGAIN):
            self.index = {(cluster, service): one for cluster, service, one in self.account.codedeploy.groups()}
            self.indexed_at = now
        return self.index.get(place)
