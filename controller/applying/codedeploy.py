"""Services that CodeDeploy deploys: their deployment group, what it did lately, and a new deployment.

Which group deploys a service nobody tells but the groups themselves, so it is looked for once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.aws.ports import AccessDenied, Account, DeploymentGroup, NotFound
from controller.observed.model import ServiceDeployment, moment
from controller.planning.memory import ServiceMemory, Stage
from controller.taskdef.appspec import AppSpecUnusable, definition_of, made, with_definition

LATELY = 300.0
"""Seconds within which somebody's finished deployment may still matter: more than what is held off after it."""
MAX_APPSPEC = 256 * 1024
STATUS = {"Succeeded": "SUCCESSFUL", "Failed": "ROLLBACK_SUCCESSFUL", "Stopped": "ROLLBACK_SUCCESSFUL"}
"""As an ECS service deployment would say it: a deployment that failed leaves the traffic where it was, or CodeDeploy
takes it back. All others are under way."""


class NoGroup(Explained):
    """CodeDeploy deploys the service, and it cannot be told how."""


@dataclass(slots=True)
class CodeDeployer:
    """Of one account and region. Every method may raise AwsError, and NoGroup."""

    account: Account
    groups: dict[ServiceKey, DeploymentGroup] = field(default_factory=dict)

    def group(self, key: ServiceKey) -> DeploymentGroup:
        if key not in self.groups:
            found = self.account.codedeploy.groups_of(key.cluster, key.service)
            if len(found) != 1:
                names = ", ".join(f"{one.application}/{one.name}" for one in found) or "none"
                raise NoGroup(
                    f"its deployment controller is CODE_DEPLOY, and {len(found)} deployment groups name it ({names}): "
                    "one is needed to roll it out; else run `logroute inject` in what deploys it"
                )
            self.groups[key] = found[0]
        return self.groups[key]

    def history(self, key: ServiceKey, memory: ServiceMemory | None) -> tuple[ServiceDeployment, ...]:
        """Ours, what is under way, and what ended lately; the newest first.

        What each brings out is asked for only where the answer of our CreateDeployment was lost.
        """
        group, calls = self.group(key), self.account.codedeploy
        lost = memory is not None and memory.stage is Stage.ASKED and not memory.deployment
        start = min(self.account.ecs.now(), memory.asked_at if memory and lost else float("inf")) - LATELY
        names = dict.fromkeys([*calls.ongoing(group), *calls.since(group, start)])
        if memory and memory.deployment:
            names[memory.deployment] = None
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

    def is_busy(self, key: ServiceKey) -> bool:
        return bool(self.account.codedeploy.ongoing(self.group(key)))

    def deploy(self, key: ServiceKey, appspec: str) -> str:
        """The id of a new deployment."""
        return self.account.codedeploy.create(self.group(key), appspec)

    def appspec(self, key: ServiceKey, revision: str) -> str:
        """What a deployment of that revision says: as the last one did, else made from the service."""
        group = self.account.codedeploy.again(self.group(key))
        try:
            text = self._appspec(group)
            return made(revision, self._described(key)) if text is None else with_definition(text, revision)
        except AppSpecUnusable as error:
            raise NoGroup(f"deployment group {group.application}/{group.name}: {error}") from error

    def _described(self, key: ServiceKey) -> Mapping[str, Any]:
        found = self.account.ecs.describe_services(key.cluster, [key.service]).found
        return found[0] if found else {}

    def _appspec(self, group: DeploymentGroup) -> str | None:
        """Of its last success. None: there was none."""
        calls = self.account.codedeploy
        revision = next(
            (one.get("revision") or {} for one in calls.deployments([group.last] if group.last else [])), {}
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
