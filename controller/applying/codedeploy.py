"""Services that CodeDeploy deploys: their deployment group, what it did lately, and a new deployment.

Which group deploys a service nobody tells but the groups themselves, so it is looked for once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.aws.ports import AccessDenied, Account, AwsError, DeploymentGroup, NotFound
from controller.observed.model import CODE_DEPLOY, ServiceDeployment, moment
from controller.planning.memory import ServiceMemory, Stage
from controller.taskdef.appspec import AppSpecUnusable, definition_of, made, with_definition

CLOCKS = 300.0
"""Seconds that CodeDeploy's clock and ECS's may differ, where a deployment is told by when it was made."""
AGAIN = 3600.0
"""Seconds after which all deployment groups are looked through again for services that none named."""
BUSY = "DeploymentLimitExceededException"
"""A group deploys one thing at a time (CodeDeploy API reference, CreateDeployment)."""
NO_GROUP = (
    "its deployment controller is CODE_DEPLOY, and no deployment group of CodeDeploy names it: make one (it is looked "
    "for once an hour), or run `logroute inject` in what deploys it"
)
MAX_APPSPEC = 256 * 1024
STATUS = {"Succeeded": "SUCCESSFUL", "Failed": "ROLLBACK_SUCCESSFUL", "Stopped": "ROLLBACK_SUCCESSFUL"}
"""As an ECS service deployment would say it: a deployment that failed leaves the traffic where it was, or CodeDeploy
takes it back. All others are under way."""


class NoGroup(Explained):
    """CodeDeploy deploys the service, and it cannot be told how."""


@contextmanager
def _allowed() -> Iterator[None]:
    """Without the rights such services are told and left alone, as those that nothing else can roll out are."""
    try:
        yield
    except AccessDenied as error:
        raise NoGroup(
            f"its deployment controller is CODE_DEPLOY, and {error}: see the statements about CodeDeploy in "
            "deploy/controller-policy.json"
        ) from error


@dataclass(slots=True)
class CodeDeployer:
    """Of one account and region. Every method may raise AwsError, and NoGroup."""

    account: Account
    groups: dict[ServiceKey, DeploymentGroup] = field(default_factory=dict)
    index: dict[tuple[str, str], DeploymentGroup] = field(default_factory=dict)
    """(cluster, service) → the group that names it, from when all were looked through."""
    indexed_at: float | None = None
    missed: dict[ServiceKey, float] = field(default_factory=dict)
    """When none was found."""

    @_allowed()
    def group(self, key: ServiceKey) -> DeploymentGroup:
        """Which one it is; what it did last may be old."""
        now = self.account.ecs.now()
        if key not in self.groups and now - self.missed.get(key, -AGAIN) >= AGAIN:
            found = self._of_its_tasks(key) or self._searched(key, now)
            if found is None:
                self.missed[key] = now
            else:
                self.groups[key] = found
        if key not in self.groups:
            raise NoGroup(NO_GROUP)
        return self.groups[key]

    def _now(self, key: ServiceKey) -> DeploymentGroup:
        """As it is now; looked for once more where it is gone."""
        found = self.account.codedeploy.again(self.group(key), key.cluster, key.service)
        if found is None:
            self.groups.pop(key, None)
            self.index, self.indexed_at = {}, None
            return self.group(key)
        return found

    def _of_its_tasks(self, key: ServiceKey) -> DeploymentGroup | None:
        """A task set tells which deployment made it (Amazon ECS API reference, TaskSet, externalId)."""
        sets = self._described(key).get("taskSets") or ()
        names = [one["externalId"] for one in sets if one.get("startedBy") == CODE_DEPLOY and one.get("externalId")]
        for info in self.account.codedeploy.deployments(names[:1]):
            group = DeploymentGroup(str(info.get("applicationName", "")), str(info.get("deploymentGroupName", "")))
            return self.account.codedeploy.again(group, key.cluster, key.service)
        return None

    def _searched(self, key: ServiceKey, now: float) -> DeploymentGroup | None:
        """Through all of the account: for a service that was never deployed since it was made."""
        place = (key.cluster, key.service)
        if place not in self.index and (self.indexed_at is None or now - self.indexed_at >= AGAIN):
            self.index = {(cluster, service): one for cluster, service, one in self.account.codedeploy.groups()}
            self.indexed_at = now
        return self.index.get(place)

    @_allowed()
    def history(self, key: ServiceKey, memory: ServiceMemory | None) -> tuple[ServiceDeployment, ...]:
        """Ours, what is under way, and the last of all; the newest first. While ours runs no other one can.

        What each brings out is asked for only where the answer of our CreateDeployment was lost.
        """
        calls, ours = self.account.codedeploy, memory.deployment if memory else ""
        if ours and memory and memory.stage is not Stage.SETTLED:
            alone = tuple(observe_deployment(info) for info in calls.deployments([ours]))
            if any(one.ongoing for one in alone):
                return alone
        group = self._now(key)
        lost = memory is not None and memory.stage is Stage.ASKED and not ours
        since = calls.since(group, memory.asked_at - CLOCKS) if lost and memory else ()
        names = dict.fromkeys(filter(None, [*calls.ongoing(group), group.last, ours, *since]))
        found = [
            observe_deployment(info, self._definition(group, info) if lost else "")
            for info in calls.deployments(list(names))
        ]
        return tuple(sorted(found, key=lambda one: -one.created_at))

    def _definition(self, group: DeploymentGroup, info: Mapping[str, Any]) -> str:
        try:
            content = self.account.codedeploy.content(group, info.get("revision") or {})
            return definition_of(content) if content else ""
        except AppSpecUnusable:
            return ""  # theirs: ours was made by us

    @_allowed()
    def is_busy(self, key: ServiceKey) -> bool:
        return bool(self.account.codedeploy.ongoing(self.group(key)))

    @_allowed()
    def deploy(self, key: ServiceKey, appspec: str) -> str:
        """The id of a new deployment, "" where another one began a moment ago."""
        try:
            return self.account.codedeploy.create(self.group(key), appspec)
        except AwsError as error:
            if error.code == BUSY:
                return ""
            raise

    @_allowed()
    def appspec(self, key: ServiceKey, revision: str) -> str:
        """What a deployment of that revision says: as the last one did, else made from the service."""
        group = self._now(key)
        try:
            text = self._appspec(group)
            return made(revision, self._described(key)) if text is None else with_definition(text, revision)
        except AppSpecUnusable as error:
            raise NoGroup(f"deployment group {group}: {error}") from error

    def _described(self, key: ServiceKey) -> Mapping[str, Any]:
        found = self.account.ecs.describe_services(key.cluster, [key.service]).found
        return found[0] if found else {}

    def _appspec(self, group: DeploymentGroup) -> str | None:
        """Of its last success. None: there was none."""
        calls = self.account.codedeploy
        revision = next(
            (one.get("revision") or {} for one in calls.deployments([group.good] if group.good else [])), {}
        )
        if content := calls.content(group, revision):
            return content
        return self._object(revision["s3Location"]) if "s3Location" in revision else None

    def _object(self, where: Mapping[str, Any]) -> str:
        about = f"its AppSpec s3://{where.get('bucket')}/{where.get('key')}"
        try:
            stored = self.account.bucket(str(where.get("bucket"))).get(str(where.get("key")), max_bytes=MAX_APPSPEC)
            text = stored.body.decode()
        except (NotFound, AccessDenied) as error:
            hint = "allow the controller to read it, or deploy once with an AppSpec within the request"
            raise AppSpecUnusable(f"{about} cannot be read ({error.code}); {hint}") from error
        except UnicodeDecodeError as error:
            raise AppSpecUnusable(f"{about} is no text") from error
        if where.get("eTag", stored.etag).strip('"') != stored.etag:
            raise AppSpecUnusable(
                f"{about} is not the one any more that was deployed last; deploy once with the new one"
            )
        return text


def observe_deployment(info: Mapping[str, Any], definition: str = "") -> ServiceDeployment:
    """`deploymentInfo` of CodeDeploy, as if ECS had made it."""
    name, status = str(info.get("deploymentId", "")), str(info.get("status", ""))
    said = [
        (info.get("errorInformation") or {}).get("message"),
        (info.get("rollbackInfo") or {}).get("rollbackMessage"),
        f"CodeDeploy says {status}" if status in STATUS else "",
    ]
    return ServiceDeployment(
        name,
        STATUS.get(status, "IN_PROGRESS"),
        name,
        str(next(filter(None, said), "")),
        "",
        moment(info.get("createTime")) or 0.0,
        moment(info.get("completeTime")),
        definition,
    )
