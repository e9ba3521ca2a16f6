"""The records of a service's deployments, its revisions, and StopServiceDeployment."""

from __future__ import annotations

from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.paging import page
from controller.sandbox.ecs.service_views import record_brief, record_view, revision_view
from controller.sandbox.errors import ConflictError, InvalidParameterError, ServiceDeploymentNotFoundError
from controller.sandbox.model import Json
from controller.sandbox.model.services import Service, ServiceDeployment
from controller.sandbox.rollout import deployments

_MOST_DESCRIBED = 20
_DEFAULT_PAGE = 20  # API reference, ListServiceDeployments


def list_service_deployments(call: Call) -> Json:
    """Newest first."""
    request = call.request
    cluster = call.cluster()
    service = call.service_named(cluster, request["service"])
    created = request.get("createdAt", {})
    briefs = [
        record_brief(service, record)
        for record in service.records
        if record.status in request.get("status", [record.status])
        and created.get("after", record.created_at) <= record.created_at
        and created.get("before", record.created_at) >= record.created_at
    ]
    return page("serviceDeployments", briefs, request, default=_DEFAULT_PAGE)


def describe_service_deployments(call: Call) -> Json:
    found, failures = [], []
    for arn in _checked(call.request["serviceDeploymentArns"]):
        if place := _record(call, arn):
            found.append(record_view(*place))
        else:
            failures.append(missing(arn))
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(call: Call) -> Json:
    found, failures = [], []
    for arn in _checked(call.request["serviceRevisionArns"]):
        service = call.service_of_arn(arn)
        revision = next((one for one in service.revisions if one.arn == arn), None) if service else None
        if service and revision:
            found.append(revision_view(service, revision))
        else:
            failures.append(missing(arn))
    return {"serviceRevisions": found, "failures": failures}


def _checked(arns: list[str]) -> list[str]:
    if not 1 <= len(arns) <= _MOST_DESCRIBED:
        raise InvalidParameterError(f"Between 1 and {_MOST_DESCRIBED} ARNs can be described at once.")
    return arns


def _record(call: Call, arn: str) -> tuple[Service, ServiceDeployment] | None:
    service = call.service_of_arn(arn)
    if service is None:
        return None
    return next(((service, record) for record in service.records if record.arn == arn), None)


def stop_service_deployment(call: Call) -> Json:
    """ROLLBACK, the default, goes back as the circuit breaker would, also where that is off.

    ABORT leaves everything where it is: the deployment starts no more tasks.
    """
    arn = call.request["serviceDeploymentArn"]
    place = _record(call, arn)
    if place is None:
        raise ServiceDeploymentNotFoundError("The service deployment ARN that you specified doesn't exist.")
    service, record = place
    if record is not service.current_record or record.status != "IN_PROGRESS":
        raise ConflictError(f"The service deployment is {record.status} and cannot be stopped.")
    _stop(call, service, record)
    call.scheduler(call.cluster_named(service.cluster_arn)).reconcile(service)
    return {"serviceDeploymentArn": arn}


def _stop(call: Call, service: Service, record: ServiceDeployment) -> None:
    deployment = record.deployment
    if call.request.get("stopType") == "ABORT":
        deployments.stall(call.world, service, deployment, "Service deployment stopped by user.")
        return
    target = deployments.rollback_target(service, deployment)
    if target is None:
        raise InvalidParameterError("There is no completed deployment to roll back to.")
    reason = f"Service deployment stopped by user: rolling back to deploymentId {target.id}."
    deployments.roll_back(call.world, service, deployment, target, reason)


OPERATIONS: dict[str, Operation] = {
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceDeployments": describe_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
    "StopServiceDeployment": stop_service_deployment,
}
