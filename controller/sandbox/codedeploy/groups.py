"""Applications and deployment groups."""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.codedeploy.configurations import shift_seconds
from controller.sandbox.codedeploy.errors import CodeDeployError
from controller.sandbox.codedeploy.views import group_view
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.model import Json
from controller.sandbox.model.codedeploy import Application, Group
from controller.sandbox.model.services import Service

_MOST_AT_ONCE = 100  # API reference, BatchGetApplications
DEFAULT_CONFIGURATION = "CodeDeployDefault.ECSAllAtOnce"
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_TARGET_GROUPS = 2
_WRONG_CONTROLLER = "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller."


def create_application(call: Call) -> Json:
    name, platform = call.request["applicationName"], call.request.get("computePlatform", "Server")
    if platform != "ECS":
        raise CodeDeployError("InvalidComputePlatformException", f"The sandbox simulates ECS only, not {platform}.")
    if name in call.region.applications:
        raise CodeDeployError("ApplicationAlreadyExistsException", f"Application already exists with name {name}")
    made = Application(call.world.ids.uuid(), name, call.world.now)
    call.region.applications[name] = made
    return {"applicationId": made.id}


def list_applications(call: Call) -> Json:
    return {"applications": sorted(call.region.applications)}


def get_application(call: Call) -> Json:
    return {"application": _application_view(application(call))}


def batch_get_applications(call: Call) -> Json:
    """Those that there are; the others are left out."""
    wanted = call.request["applicationNames"]
    if len(wanted) > _MOST_AT_ONCE:
        raise CodeDeployError("BatchLimitExceededException", f"At most {_MOST_AT_ONCE} applications at once.")
    known = call.region.applications
    return {"applicationsInfo": [_application_view(known[name]) for name in wanted if name in known]}


def _application_view(found: Application) -> Json:
    return {
        "applicationId": found.id,
        "applicationName": found.name,
        "createTime": found.created_at,
        "linkedToGitHub": False,
        "computePlatform": "ECS",
    }


def application(call: Call) -> Application:
    name = call.request["applicationName"]
    if name not in call.region.applications:
        raise CodeDeployError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return call.region.applications[name]


def group(within: Application, name: str) -> Group:
    if name not in within.groups:
        raise CodeDeployError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return within.groups[name]


def groups(call: Call) -> Iterator[Group]:
    """All of the account and region."""
    for one in call.region.applications.values():
        yield from one.groups.values()


def create_deployment_group(call: Call) -> Json:
    request, within = call.request, application(call)
    name = request["deploymentGroupName"]
    if name in within.groups:
        raise CodeDeployError(
            "DeploymentGroupAlreadyExistsException", f"Deployment group already exists with name {name}"
        )
    settings = {"deploymentConfigName": DEFAULT_CONFIGURATION, **request}
    shift_seconds(settings["deploymentConfigName"])
    _check(settings)
    cluster, service = _target(call, settings)
    made = Group(call.world.ids.uuid(), name, within.name, cluster, service.name, settings)
    within.groups[name] = made
    return {"deploymentGroupId": made.id}


def _check(settings: Json) -> None:
    """CodeDeploy API reference, CreateDeploymentGroup, for the compute platform ECS. The words are ours."""
    if settings.get("deploymentStyle") != _STYLE:
        raise CodeDeployError(
            "InvalidDeploymentStyleException", "ECS deployment groups are BLUE_GREEN and WITH_TRAFFIC_CONTROL."
        )
    if "blueGreenDeploymentConfiguration" not in settings:
        raise CodeDeployError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "ECS deployment groups need a blueGreenDeploymentConfiguration.",
        )
    pairs = settings.get("loadBalancerInfo", {}).get("targetGroupPairInfoList", [])
    if [len(pair.get("targetGroups", [])) for pair in pairs] != [_TARGET_GROUPS]:
        raise CodeDeployError(
            "InvalidTargetGroupPairException", "ECS deployment groups need one pair of two target groups."
        )
    if not pairs[0].get("prodTrafficRoute", {}).get("listenerArns"):
        raise CodeDeployError("InvalidLoadBalancerInfoException", "The pair of target groups has no prodTrafficRoute.")


def _target(call: Call, settings: Json) -> tuple[str, Service]:
    stated: list[Json] = settings.get("ecsServices", [])
    if len(stated) != 1:
        raise CodeDeployError("InvalidECSServiceException", "An ECS deployment group has exactly one ECS service.")
    cluster, name = stated[0].get("clusterName", "default"), stated[0].get("serviceName", "")
    found = call.region.clusters[cluster].services.get(name) if cluster in call.region.clusters else None
    if found is None or found.status != "ACTIVE":
        raise CodeDeployError("InvalidECSServiceException", f"The ECS service {name} of cluster {cluster} is missing.")
    if found.controller != "CODE_DEPLOY":
        raise CodeDeployError("InvalidECSServiceException", _WRONG_CONTROLLER)
    if any((one.cluster, one.service) == (cluster, name) for one in groups(call)):
        raise CodeDeployError(
            "ECSServiceMappingLimitExceededException", f"The ECS service {name} already has a deployment group."
        )
    return cluster, found


def get_deployment_group(call: Call) -> Json:
    return {"deploymentGroupInfo": group_view(group(application(call), call.request["deploymentGroupName"]))}


def batch_get_deployment_groups(call: Call) -> Json:
    within = application(call)
    wanted = call.request["deploymentGroupNames"]
    missing = [name for name in wanted if name not in within.groups]
    answer: Json = {
        "deploymentGroupsInfo": [group_view(within.groups[name]) for name in wanted if name in within.groups]
    }
    return answer | ({"errorMessage": f"No Deployment Group found for name: {missing[0]}"} if missing else {})


def delete_deployment_group(call: Call) -> Json:
    """Its deployments go with it; one that runs goes on to its end, as nothing says that it does not."""
    application(call).groups.pop(call.request["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


def list_deployment_groups(call: Call) -> Json:
    within = application(call)
    return {"applicationName": within.name, "deploymentGroups": sorted(within.groups)}


OPERATIONS: dict[str, Operation] = {
    "CreateApplication": create_application,
    "GetApplication": get_application,
    "BatchGetApplications": batch_get_applications,
    "ListApplications": list_applications,
    "CreateDeploymentGroup": create_deployment_group,
    "DeleteDeploymentGroup": delete_deployment_group,
    "GetDeploymentGroup": get_deployment_group,
    "BatchGetDeploymentGroups": batch_get_deployment_groups,
    "ListDeploymentGroups": list_deployment_groups,
}
