"""Services that CodeDeploy deploys: their deployment group, what it did lately, and a new deployment.

Which group deploys a service nobody tells but the groups themselves, so it is looked for once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.aws.ports import Account, DeploymentGroup, NotFound
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
        """Ours, what is under way, and what ended lately; the newest first."""
        group, calls = self.group(key), self.account.codedeploy
        asked = memory.asked_at if memory and memory.stage is Stage.ASKED else float("inf")
        start = min(self.account.ecs.now(), asked) - LATELY
        names = dict.fromkeys([*calls.ongoing(group), *calls.since(group, start)])
        if memory and memory.deployment and memory.stage is not Stage.SETTLED:
            names[memory.deployment] = None
        found = [observe_deployment(calls.deployment(name)) for name in names]
        return tuple(sorted(found, key=lambda one: -one.created_at))

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
        content = (group.revision.get("appSpecContent") or {}).get("content")
        where = group.revision.get("s3Location") or {}
        if content or not where:
            return str(content) if content else None
        about = f"s3://{where.get('bucket')}/{where.get('key')}"
        try:
            body = self.account.bucket(str(where["bucket"])).get(str(where["key"]), max_bytes=MAX_APPSPEC).body
            return body.decode()
        except (NotFound, UnicodeDecodeError, KeyError) as error:
            raise AppSpecUnusable(f"its AppSpec {about} cannot be read: {error}") from error


def observe_deployment(info: Mapping[str, Any]) -> ServiceDeployment:
    """`deploymentInfo` of GetDeployment, as if ECS had made it."""
    name, status = str(info.get("deploymentId", "")), str(info.get("status", ""))
    said = (info.get("errorInformation") or {}).get("message") or (info.get("rollbackInfo") or {}).get(
        "rollbackMessage"
    )
    content = ((info.get("revision") or {}).get("appSpecContent") or {}).get("content")
    return ServiceDeployment(
        name,
        STATUS.get(status, "IN_PROGRESS"),
        name,
        str(said or (f"CodeDeploy says {status}" if status in STATUS else "")),
        "",
        moment(info.get("createTime")) or 0.0,
        moment(info.get("completeTime")),
        _definition(content),
    )


def _definition(content: Any) -> str:
    try:
        return definition_of(str(content)) if content else ""
    except AppSpecUnusable:
        return ""
