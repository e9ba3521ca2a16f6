"""CreateService, DescribeServices, ListServices, DeleteService."""

from __future__ import annotations

from controller.sandbox.arns import is_arn, short_name
from controller.sandbox.ecs import deployment_strategies as strategies
from controller.sandbox.ecs import service_settings as settings
from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.paging import page
from controller.sandbox.ecs.service_views import service_view
from controller.sandbox.errors import InvalidParameterError
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Service
from controller.sandbox.model.world import Cluster
from controller.sandbox.registration.task_fields import NAME
from controller.sandbox.rollout import deployments, task_sets
from controller.sandbox.tags import tag_problems

MOST_DESCRIBED = 10
_DEFAULT_PAGE = 10  # API reference, ListServices: ten, where other lists have a hundred


def create_service(call: Call) -> Json:
    request, cluster = call.request, call.cluster()
    if existing := _same_request(cluster, request):
        return {"service": service_view(existing, tags=True)}
    _check_names(request)
    controller = request.get("deploymentController", {}).get("type", "ECS")
    definition = _definition(call, controller)
    service = _new_service(call, cluster, controller)
    strategies.check_place(service.deployment_configuration, controller, service.scheduling)
    if definition:
        settings.check_network(service.configuration, definition)
        settings.check_launch_type(service.configuration, definition)
    cluster.services[service.name] = service
    if definition:
        _open(call, cluster, service, definition)
        call.scheduler(cluster).reconcile(service)
    return {"service": service_view(service, tags=True)}


def _open(call: Call, cluster: Cluster, service: Service, definition: Revision) -> None:
    """The first deployment, or the task set that CodeDeploy's first deployment finds."""
    world, arns = call.world, call.region.arns
    if task_sets.governs(service):
        first = task_sets.open_task_set(world, arns, cluster.name, service, definition, service.configuration)
        task_sets.make_primary(world, service, first)
    else:
        deployments.open_deployment(world, arns, cluster.name, service, definition)


def _same_request(cluster: Cluster, request: Json) -> Service | None:
    """The service that the same `clientToken` made. Otherwise a name is taken until INACTIVE."""
    existing = cluster.services.get(request["serviceName"])
    if existing is None or existing.status == "INACTIVE":
        return None
    if existing.status == "DRAINING":
        raise InvalidParameterError("Unable to Start a service that is still Draining.")
    if existing.client_token is not None and existing.client_token == request.get("clientToken"):
        return existing
    raise InvalidParameterError("Creation of service was not idempotent.")


def _check_names(request: Json) -> None:
    if not NAME.fullmatch(request["serviceName"]):
        raise InvalidParameterError("Invalid service name.")
    if problem := next(tag_problems(request["tags"]) if request.get("tags") else iter(()), None):
        raise InvalidParameterError(problem)


def _definition(call: Call, controller: str) -> Revision | None:
    """EXTERNAL services have none: their task sets do (API reference, CreateService)."""
    if controller == "EXTERNAL":
        return None
    name = call.request.get("taskDefinition")
    if name is None:
        raise InvalidParameterError("TaskDefinition can not be blank.")
    return call.startable_revision(name)


def _new_service(call: Call, cluster: Cluster, controller: str) -> Service:
    request, name = call.request, call.request["serviceName"]
    return Service(
        arn=call.region.arns.service(cluster.name, name),
        name=name,
        cluster_arn=cluster.arn,
        created_at=call.world.now,
        created_by=call.principal.arn,
        desired_count=_desired_count(call),
        configuration=_configuration(request, controller),
        options=settings.default_options(request),
        deployment_configuration=settings.deployment_configuration(request),
        controller=controller,
        scheduling=request.get("schedulingStrategy", "REPLICA"),
        tags=request.get("tags", []),
        client_token=request.get("clientToken"),
    )


def _configuration(request: Json, controller: str) -> Json:
    """Of EXTERNAL services the PRIMARY task set's; there is none yet (developer guide, "third-party controller")."""
    return {} if controller == "EXTERNAL" else settings.default_configuration(request)


def _desired_count(call: Call) -> int:
    if call.request.get("schedulingStrategy") == "DAEMON":
        return call.world.settings.daemon_instances
    if "desiredCount" not in call.request:
        raise InvalidParameterError("desiredCount is required where the scheduling strategy is REPLICA.")
    return settings.check_count(call.request["desiredCount"])


def describe_services(call: Call) -> Json:
    names, cluster = call.request["services"], call.cluster()
    if not names:
        raise InvalidParameterError("Services cannot be empty.")
    if len(names) > MOST_DESCRIBED:
        raise InvalidParameterError(f"Services cannot have more than {MOST_DESCRIBED} elements.")
    found, failures = [], []
    for name in names:
        service = cluster.services.get(short_name(name))
        if service is None or (is_arn(name) and service.arn != name):
            failures.append(missing(name if is_arn(name) else call.region.arns.service(cluster.name, name)))
        else:
            found.append(service_view(service, tags=call.includes("TAGS")))
    return {"services": found, "failures": failures}


def list_services(call: Call) -> Json:
    request = call.request
    arns = [
        service.arn
        for service in call.cluster().services.values()
        if service.status != "INACTIVE"
        and request.get("launchType") in {None, service.configuration.get("launchType")}
        and request.get("schedulingStrategy") in {None, service.scheduling}
        and request.get("resourceManagementType") in {None, "CUSTOMER"}
    ]
    return page("serviceArns", arns, request, default=_DEFAULT_PAGE)


def delete_service(call: Call) -> Json:
    """The service drains, and is INACTIVE once its tasks are gone."""
    cluster = call.cluster()
    service = call.service_named(cluster, call.request["service"])
    if service.status == "ACTIVE":
        scaled = service.desired_count > 0 and service.scheduling == "REPLICA"
        if scaled and not call.request.get("force", False):
            raise InvalidParameterError("The service cannot be stopped while it is scaled above 0.")
        service.status, service.desired_count = "DRAINING", 0
        call.scheduler(cluster).reconcile(service)
    return {"service": service_view(service, tags=False)}


OPERATIONS: dict[str, Operation] = {
    "CreateService": create_service,
    "DescribeServices": describe_services,
    "ListServices": list_services,
    "DeleteService": delete_service,
}
