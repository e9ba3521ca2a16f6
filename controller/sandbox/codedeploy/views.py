"""Deployment groups and deployments in CodeDeploy's shapes (API reference, DeploymentGroupInfo, DeploymentInfo)."""

from __future__ import annotations

import hashlib

from controller.sandbox.model import Json
from controller.sandbox.model.codedeploy import CodeDeployment, Group

_FROM_GROUP = ("blueGreenDeploymentConfiguration", "deploymentStyle", "loadBalancerInfo")
MEMBER = {"AppSpecContent": "appSpecContent", "String": "string"}
"""Type of a revision that is within the request → its member; the second is the older name."""


def group_view(group: Group) -> Json:
    answer = {
        "deploymentGroupId": group.id,
        "computePlatform": "ECS",
        **{key: value for key, value in group.settings.items() if key != "tags"},
    }
    if attempted := next(iter(group.deployments), None):
        answer["lastAttemptedDeployment"] = _last(attempted)
    if successful := last_successful(group):
        answer["lastSuccessfulDeployment"] = _last(successful)
        answer["targetRevision"] = revision_view(successful.revision)
    return answer


def last_successful(group: Group) -> CodeDeployment | None:
    return next((one for one in group.deployments if one.status == "Succeeded"), None)


def _last(one: CodeDeployment) -> Json:
    answer: Json = {"deploymentId": one.id, "status": one.status, "createTime": one.created_at}
    return answer | ({"endTime": one.completed_at} if one.completed_at is not None else {})


def deployment_view(group: Group, one: CodeDeployment) -> Json:
    optional: Json = {
        "startTime": one.started_at,
        "completeTime": one.completed_at,
        "errorInformation": one.error,
        "rollbackInfo": one.rollback,
    }
    return {
        "applicationName": group.application,
        "deploymentGroupName": group.name,
        "deploymentId": one.id,
        "revision": revision_view(one.revision),
        "status": one.status,
        "createTime": one.created_at,
        "creator": one.creator,
        "computePlatform": "ECS",
        "deploymentOverview": _overview(one),
        "instanceTerminationWaitTimeStarted": one.shifted_at is not None,
        **one.settings,
        **{key: group.settings[key] for key in _FROM_GROUP if key in group.settings},
        **{key: value for key, value in optional.items() if value is not None},
    }


def revision_view(revision: Json) -> Json:
    """Without its content: GetDeployment never shows it (API reference, GetDeployment); here nothing else does."""
    return revision | {
        member: {"sha256": sha256_of(revision[member]["content"])} for member in MEMBER.values() if member in revision
    }


def sha256_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _overview(one: CodeDeployment) -> Json:
    """The one target is the service."""
    places = {"Created": "Pending", "InProgress": "InProgress", "Ready": "Ready", "Succeeded": "Succeeded"}
    counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
    return counts | {places.get(one.status, "Failed"): 1}
