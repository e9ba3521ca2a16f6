"""CodeDeploy through botocore, as ports.CodeDeploy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import AwsError, DeploymentGroup, NotFound

ONGOING = ("Created", "Queued", "InProgress", "Baking", "Ready")
"""DeploymentStatus of what is not over (CodeDeploy API reference, DeploymentInfo)."""
GROUPS = 100
"""Most names in one BatchGetDeploymentGroups and in one BatchGetApplications (CodeDeploy API reference)."""
DEPLOYMENTS = 25
"""Most ids in one BatchGetDeployments."""
OVER = "DeploymentAlreadyCompletedException"
WITHIN = ("appSpecContent", "string")
"""Members of a revision whose AppSpec CodeDeploy keeps itself; the second is the older name."""


class BotoCodeDeploy:
    """CodeDeploy in one account and region."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    def groups(self) -> Iterator[tuple[str, str, DeploymentGroup]]:
        for application in self._applications():
            for row in self._groups(application):
                for cluster, service in _services(row):
                    yield cluster, service, _group(application, row)

    def again(self, group: DeploymentGroup, cluster: str, service: str) -> DeploymentGroup | None:
        try:
            rows = self._rows_of(group.application, [group.name])
        except NotFound:
            return None
        return next((_group(group.application, row) for row in rows if (cluster, service) in _services(row)), None)

    def ongoing(self, group: DeploymentGroup) -> list[str]:
        return list(self._pages("ListDeployments", "deployments", group, includeOnlyStatuses=list(ONGOING)))

    def since(self, group: DeploymentGroup, start: float) -> list[str]:
        return list(self._pages("ListDeployments", "deployments", group, createTimeRange={"start": start}))

    def deployments(self, names: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for some in _by(DEPLOYMENTS, list(names)):
            about = f"deployments {', '.join(some)}"
            found += self._call("BatchGetDeployments", about, expects="deploymentsInfo", deploymentIds=some)[
                "deploymentsInfo"
            ]
        return found

    def content(self, group: DeploymentGroup, revision: Mapping[str, Any]) -> str:
        """What a deployment shows has the hash alone (API reference, GetDeployment)."""
        member = next((one for one in WITHIN if one in revision), "")
        if not member or revision[member].get("content"):
            return str(revision[member]["content"]) if member else ""
        answer = self._call(
            "GetApplicationRevision",
            f"application {group.application}",
            expects="revision",
            applicationName=group.application,
            revision=revision,
        )
        return str(answer["revision"].get(member, {}).get("content") or "")

    def create(self, group: DeploymentGroup, appspec: str) -> str:
        answer = self._call(
            "CreateDeployment",
            f"deployment group {group}",
            expects="deploymentId",
            repeatable=False,
            applicationName=group.application,
            deploymentGroupName=group.name,
            description="LogRoute: the logs of the service",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec}},
        )
        return str(answer["deploymentId"])

    def take_back(self, name: str) -> bool:
        about = f"deployment {name}"
        try:
            self._call("StopDeployment", about, expects="status", deploymentId=name, autoRollbackEnabled=True)
        except AwsError as error:
            if error.code == OVER:
                return False
            raise
        return True

    def _applications(self) -> Iterator[str]:
        """Those that deploy to ECS."""
        for some in _by(GROUPS, list(self._rows("ListApplications", "applications", "applications"))):
            answer = self._call(
                "BatchGetApplications", "applications", expects="applicationsInfo", applicationNames=some
            )
            for row in answer["applicationsInfo"]:
                if row.get("computePlatform") == "ECS":
                    yield row["applicationName"]

    def _groups(self, application: str) -> Iterator[dict[str, Any]]:
        about = f"application {application}"
        names = list(self._rows("ListDeploymentGroups", about, "deploymentGroups", applicationName=application))
        for some in _by(GROUPS, names):
            yield from self._rows_of(application, some)

    def _rows_of(self, application: str, names: list[str]) -> list[dict[str, Any]]:
        answer = self._call(
            "BatchGetDeploymentGroups",
            f"application {application}",
            expects="deploymentGroupsInfo",
            applicationName=application,
            deploymentGroupNames=names,
        )
        found: list[dict[str, Any]] = answer["deploymentGroupsInfo"]
        return found

    def _pages(self, operation: str, field: str, group: DeploymentGroup, **arguments: Any) -> Iterator[str]:
        about = f"deployment group {group}"
        where = {"applicationName": group.application, "deploymentGroupName": group.name}
        return self._rows(operation, about, field, **where, **arguments)

    def _rows(self, operation: str, resource: str, field: str, **arguments: Any) -> Iterator[str]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(operation, resource, expects=field, **arguments, **token)
            yield from answer[field]
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}


def _group(application: str, row: dict[str, Any]) -> DeploymentGroup:
    last, good = (row.get(f"last{which}Deployment") or {} for which in ("Attempted", "Successful"))
    return DeploymentGroup(
        application, row["deploymentGroupName"], last.get("deploymentId", ""), good.get("deploymentId", "")
    )


def _services(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.get("clusterName") or "default", one.get("serviceName", "")) for one in row.get("ecsServices") or ()]


def _by(most: int, names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), most):
        yield names[start : start + most]
