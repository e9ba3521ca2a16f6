"""UpdateService: which changes bring out a new deployment, and which a deployment controller refuses."""

from __future__ import annotations

from controller.sandbox.ecs import deployment_strategies as strategies
from controller.sandbox.ecs import service_settings as settings
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.ecs.service_views import service_view
from controller.sandbox.errors import InvalidParameterError, ServiceNotActiveError
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Service
from controller.sandbox.rollout import deployments

# The ends are ECS's own for CODE_DEPLOY (boto/boto3 issue 1936, fabfuel/ecs-deploy issue 120).
_INSTEAD = {
    "CODE_DEPLOY": "with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.",
    "EXTERNAL": "with an EXTERNAL deployment controller. Use task sets to trigger a new deployment.",
}
_FORBIDDEN = {
    "taskDefinition": "Unable to update task definition on",
    "forceNewDeployment": "Cannot force a new deployment on",
    "networkConfiguration": "Unable to update network parameters on",
    "capacityProviderStrategy": "Unable to update the capacity provider strategy on",
    "platformVersion": "Unable to update platform version on",
    "loadBalancers": "Unable to update load balancers on",
    "serviceRegistries": "Unable to update service registries on",
    "serviceConnectConfiguration": "Unable to update Service Connect on",
    "volumeConfigurations": "Unable to update volumes on",
    "vpcLatticeConfigurations": "Unable to update VPC Lattice on",
}
_MOST_DEPLOYMENTS = 5


def update_service(call: Call) -> Json:
    request, cluster = call.request, call.cluster()
    service = call.service_named(cluster, request["service"])
    if service.status != "ACTIVE":
        raise ServiceNotActiveError("Service was not ACTIVE.")
    _check_controller(service, request)
    definition = _wanted_definition(call, service)
    configuration = service.configuration | settings.revision_settings(request)
    if definition:
        settings.check_network(configuration, definition)
        settings.check_launch_type(configuration, definition)
    deploys = definition and _deploys(
        service, definition, configuration, forced=request.get("forceNewDeployment", False)
    )
    if deploys:
        _check_room(service)
    _change_in_place(service, request)
    if definition and deploys:
        service.configuration = configuration
        deployments.open_deployment(call.world, call.region.arns, cluster.name, service, definition)
    call.scheduler(cluster).reconcile(service)
    return {"service": service_view(service, tags=False)}


def _check_controller(service: Service, request: Json) -> None:
    wanted = request.get("deploymentController", {}).get("type", service.controller)
    if wanted != service.controller:
        raise InvalidParameterError("The sandbox does not change a service's deployment controller.")
    if service.controller == "ECS":
        return
    for key, what in _FORBIDDEN.items():
        if request.get(key):
            raise InvalidParameterError(f"{what} services {_INSTEAD[service.controller]}")


def _check_room(service: Service) -> None:
    """Old deployments that still have tasks count. aws/containers-roadmap, issue 2836; its code is not told there."""
    if len(service.shown_deployments) >= _MOST_DEPLOYMENTS:
        raise InvalidParameterError(f"{_MOST_DEPLOYMENTS} active deployments exist, unable to create new deployment.")


def _wanted_definition(call: Call, service: Service) -> Revision | None:
    """The revision that is to run: the named one, else the current one.

    An INACTIVE one keeps running and scaling, but is refused where it is forced out again, which deployment
    tools have come to know (Cloud-CV/EvalAI, pull request 5167).
    """
    primary = service.primary
    if name := call.request.get("taskDefinition"):
        return call.startable_revision(name)
    if primary is None:
        return None
    if call.request.get("forceNewDeployment", False):
        return call.startable_revision(primary.revision.definition.arn)
    return primary.revision.definition


def _change_in_place(service: Service, request: Json) -> None:
    count = request.get("desiredCount")
    if count is not None and service.scheduling == "DAEMON":
        raise InvalidParameterError("The desired count of a service with the DAEMON strategy cannot be set.")
    if "deploymentConfiguration" in request:
        wanted = settings.deployment_configuration(request, service.deployment_configuration)
        strategies.check_place(wanted, service.controller, service.scheduling)
        service.deployment_configuration = wanted
    if count is not None:
        service.desired_count = settings.check_count(count)
    service.options |= settings.option_settings(request)


def _deploys(service: Service, definition: Revision, configuration: Json, *, forced: bool) -> bool:
    """Amazon ECS API reference, UpdateService: each member's text says whether it triggers a deployment."""
    primary = service.primary
    return (
        forced
        or primary is None
        or primary.revision.definition is not definition
        or configuration != service.configuration
    )


OPERATIONS: dict[str, Operation] = {"UpdateService": update_service}
