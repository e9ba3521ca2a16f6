"""CreateTaskSet, DescribeTaskSets, UpdateTaskSet, DeleteTaskSet, UpdateServicePrimaryTaskSet.

Amazon ECS API reference; the words of errors are ECS's where a source is named, else ours.
"""

from __future__ import annotations

from controller.sandbox.arns import is_arn
from controller.sandbox.ecs import service_settings as settings
from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.task_set_views import task_set_view
from controller.sandbox.errors import InvalidParameterError, ServiceNotActiveError, TaskSetNotFoundError
from controller.sandbox.model import Json
from controller.sandbox.model.services import Deployment, Service
from controller.sandbox.model.world import Cluster
from controller.sandbox.rollout import task_sets
from controller.sandbox.tags import tag_problems

_WHOLE = 100.0


def create_task_set(call: Call) -> Json:
    """Its scale is 0 percent unless the request says more, so that it runs nothing yet.

    The reference names no default; the developer guide's "third-party controller" has each request give one.
    """
    request = call.request
    cluster, service = _external_service(call)
    if made := _same_request(service, request):
        return {"taskSet": task_set_view(service, made, tags=True)}
    _check(service, request)
    scale = _scale(request.get("scale", {}))
    definition = call.startable_revision(request["taskDefinition"])
    configuration = settings.default_configuration(request)
    settings.check_network(configuration, definition)
    settings.check_launch_type(configuration, definition)
    made = task_sets.open_task_set(call.world, call.region.arns, cluster.name, service, definition, configuration)
    if made.task_set:
        made.task_set.scale = scale
        made.task_set.external_id = request.get("externalId")
        made.task_set.client_token = request.get("clientToken")
        made.task_set.tags = request.get("tags", [])
    call.scheduler(cluster).reconcile(service)
    return {"taskSet": task_set_view(service, made, tags=True)}


def _external_service(call: Call) -> tuple[Cluster, Service]:
    """For writing. CodeDeploy's task sets are CodeDeploy's."""
    cluster = call.cluster()
    service = call.service_named(cluster, call.request["service"])
    if service.status != "ACTIVE":
        raise ServiceNotActiveError("Service was not ACTIVE.")
    if service.controller != "EXTERNAL":
        raise InvalidParameterError(
            f"Task sets of services with a {service.controller} deployment controller cannot be changed: "
            "the operation is for the EXTERNAL deployment controller."
        )
    return cluster, service


def _same_request(service: Service, request: Json) -> Deployment | None:
    token = request.get("clientToken")
    made = (one for one in service.shown_deployments if one.task_set and one.task_set.client_token == token)
    return next(made, None) if token is not None else None


def _check(service: Service, request: Json) -> None:
    if len(service.shown_deployments) >= task_sets.MOST:
        # aws-samples/ecs-bg-external-controller, issue 6
        raise InvalidParameterError(
            f"{task_sets.MOST} deployments exist on the service. "
            "Unable to create new TaskSet since this exceeds the maximum limit."
        )
    if problem := next(tag_problems(request["tags"]) if request.get("tags") else iter(()), None):
        raise InvalidParameterError(problem)


def _scale(stated: Json) -> float:
    value = float(stated.get("value", 0.0))
    if not 0 <= value <= _WHOLE:
        raise InvalidParameterError(f"The value of scale must be between 0 and 100: {value}")
    return value


def describe_task_sets(call: Call) -> Json:
    cluster = call.cluster()
    service = call.service_named(cluster, call.request["service"])
    tags = call.includes("TAGS")
    if "taskSets" not in call.request:
        return {"taskSets": [task_set_view(service, one, tags=tags) for one in _shown(service)], "failures": []}
    found, failures = [], []
    for name in call.request["taskSets"]:
        if one := _find(service, name):
            found.append(task_set_view(service, one, tags=tags))
        else:
            arn = name if is_arn(name) else call.region.arns.task_set(cluster.name, service.name, name)
            failures.append(missing(arn))
    return {"taskSets": found, "failures": failures}


def update_task_set(call: Call) -> Json:
    cluster, service = _external_service(call)
    one = _existing(service, call.request["taskSet"])
    if one.status == "DRAINING":
        raise InvalidParameterError(f"The task set {one.id} is DRAINING and cannot be updated.")
    if one.task_set:
        one.task_set.scale, one.updated_at = _scale(call.request["scale"]), call.world.now
    call.scheduler(cluster).reconcile(service)
    return {"taskSet": task_set_view(service, one)}


def delete_task_set(call: Call) -> Json:
    """Without `force`, neither one that is scaled above zero, nor the PRIMARY one.

    For the latter see hashicorp/terraform-provider-aws, pull request 30839.
    """
    cluster, service = _external_service(call)
    one = _existing(service, call.request["taskSet"])
    scaled = one.task_set is not None and one.task_set.scale > 0
    if not call.request.get("force", False) and (scaled or one.status == "PRIMARY"):
        state = "the PRIMARY one" if one.status == "PRIMARY" else "scaled above 0"
        raise InvalidParameterError(f"The task set {one.id} cannot be deleted without force: it is {state}.")
    if one.status == "PRIMARY":
        service.configuration = {}
    task_sets.drain(call.world, one)
    call.scheduler(cluster).reconcile(service)
    return {"taskSet": task_set_view(service, one)}


def update_service_primary_task_set(call: Call) -> Json:
    cluster, service = _external_service(call)
    one = _existing(service, call.request["primaryTaskSet"])
    if one.status == "DRAINING":
        raise InvalidParameterError(f"The task set {one.id} is DRAINING and cannot become PRIMARY.")
    task_sets.make_primary(call.world, service, one)
    call.scheduler(cluster).reconcile(service)
    return {"taskSet": task_set_view(service, one)}


def _shown(service: Service) -> list[Deployment]:
    """None of services under ECS's own controller: those have deployments."""
    return [one for one in service.shown_deployments if one.task_set is not None]


def _find(service: Service, name: str) -> Deployment | None:
    return next((one for one in _shown(service) if one.task_set and name in {one.id, one.task_set.arn}), None)


def _existing(service: Service, name: str) -> Deployment:
    found = _find(service, name)
    if found is None:
        raise TaskSetNotFoundError("The specified task set wasn't found.")
    return found


OPERATIONS: dict[str, Operation] = {
    "CreateTaskSet": create_task_set,
    "DescribeTaskSets": describe_task_sets,
    "UpdateTaskSet": update_task_set,
    "DeleteTaskSet": delete_task_set,
    "UpdateServicePrimaryTaskSet": update_service_primary_task_set,
}
