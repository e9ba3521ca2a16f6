"""Services that CodeDeploy deploys: what their deployment group did lately, and a new deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from controller.api.keys import ServiceKey
from controller.applying.deployment_groups import DeploymentGroups, NoGroup
from controller.aws.ports import AccessDenied, Account, AwsError, DeploymentGroup, NotFound
from controller.observed.model import ServiceDeployment, moment
from controller.planning.memory import ServiceMemory, Stage
from controller.taskdef.appspec import AppSpecUnusable, definition_of, made, with_definition

CLOCKS = 300.0
"""Seconds that CodeDeploy's clock and ECS's may differ, where a deployment is told by when it was made."""
BUSY = "DeploymentLimitExceededException"
"""A group deploys one thing at a time (CodeDeploy API reference, CreateDeployment)."""
MAX_APPSPEC = 256 * 1024
STATUS = {"Succeeded": "SUCCESSFUL", "Failed": "ROLLBACK_SUCCESSFUL", "Stopped": "ROLLBACK_SUCCESSFUL"}
"""As an ECS service deployment would say it: a deployment that failed leaves the traffic where it was, or CodeDeploy
takes it back. All others are under way."""


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
    groups: DeploymentGroups

    @_allowed()
    def check(self, key: ServiceKey) -> None:
        """Raises where nothing could be begun."""
        self.groups.of(key)

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
        group = self.groups.as_it_is(key)
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
    def deploy(self, key: ServiceKey, appspec: str) -> str:
        """The id of a new deployment, "" where one is not over yet."""
        try:
            return self.account.codedeploy.create(self.groups.of(key), appspec)
        except AwsError as error:
            if error.code == BUSY:
                return ""
            raise

    @_allowed()
    def take_back(self, name: str) -> bool:
        """A deployment of ours that failed and is not over: as long as it lasts the old tasks are there, and nothing
        else can be deployed.
        """
        return self.account.codedeploy.take_back(name)

    @_allowed()
    def appspec(self, key: ServiceKey, revision: str) -> str:
        """What a deployment says: as the last good one did, or the last of all; else made from the service. It names
        `revision`, and can be given another.
        """
        group = self.groups.of(key)
        try:
            if last := group.good or group.last:
                return with_definition(self._of(group, last), revision)
            service = next(iter(self.account.ecs.describe_services(key.cluster, [key.service]).found), {})
            return made(revision, service)
        except AppSpecUnusable as error:
            raise NoGroup(f"deployment group {group}: {error}") from error

    def _of(self, group: DeploymentGroup, deployment: str) -> str:
        calls = self.account.codedeploy
        for info in calls.deployments([deployment]):
            revision = info.get("revision") or {}
            if content := calls.content(group, revision):
                return content
            if "s3Location" in revision:
                return self._object(revision["s3Location"])
        raise AppSpecUnusable(f"CodeDeploy does not show the AppSpec of its deployment {deployment}; deploy once more")

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
