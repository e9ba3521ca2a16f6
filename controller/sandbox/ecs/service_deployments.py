"""The records of a service's deployments, its revisions; to continue and to stop a deployment."""

from __future__ import annotations

from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.paging import page
from controller.sandbox.ecs.service_views import record_brief, record_view, revision_view
from controller.sandbox.errors import ConflictError, InvalidParameterError, ServiceDeploymentNotFoundError
from controller.sandbox.model import Json
from controller.sandbox.model.services import Service, ServiceDeployment, ServiceRevision
from controller.sandbox.model.world import World
from controller.sandbox.rollout import deployments, hooks

_MOST_DESCRIBED = 20
_REQUESTED = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED"})
_STOPPING = _REQUESTED | {"ROLLBACK_IN_PROGRESS"}
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
        if _shown(call, record)
        and record.status in request.get("status", [record.status])
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
        if service and revision and _remembered(call, service, revision):
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
    return next(((service, one) for one in service.records if one.arn == arn and _shown(call, one)), None)


def _existing(call: Call, arn: str) -> tuple[Service, ServiceDeployment]:
    place = _record(call, arn)
    if place is None:
        raise ServiceDeploymentNotFoundError("The service deployment ARN that you specified doesn't exist.")
    return place


def _shown(call: Call, record: ServiceDeployment) -> bool:
    """Amazon ECS developer guide, "View service history": the deployments of the last 90 days."""
    return record.ongoing or _recent(call, record.created_at)


def _remembered(call: Call, service: Service, revision: ServiceRevision) -> bool:
    """A revision that runs is always there; how long others are kept is not documented, so as their records."""
    used = any(one.revision is revision for one in service.shown_deployments)
    return used or _recent(call, revision.created_at)


def _recent(call: Call, created: float) -> bool:
    return call.world.now < created + call.world.settings.history_seconds


def stop_service_deployment(call: Call) -> Json:
    """ROLLBACK, the default, goes back as the circuit breaker would, also where that is off.

    ABORT leaves everything where it is: the deployment starts no more tasks. One that already stops or rolls
    back just continues (developer guide, "Stopping Amazon ECS service deployments").
    """
    arn = call.request["serviceDeploymentArn"]
    service, record = _existing(call, arn)
    if record is service.current_record and record.status in _STOPPING:
        return {"serviceDeploymentArn": arn}
    if record is not service.current_record or record.status not in {"PENDING", "IN_PROGRESS"}:
        raise ConflictError(f"The service deployment is {record.status} and cannot be stopped.")
    abort = call.request.get("stopType") == "ABORT"
    if not abort and deployments.rollback_target(service, record.deployment) is None:
        raise InvalidParameterError("There is no completed deployment to roll back to.")
    record.status, record.updated_at = "STOP_REQUESTED" if abort else "ROLLBACK_REQUESTED", call.world.now
    _stop_later(call, service, record)
    return {"serviceDeploymentArn": arn}


def _stop_later(call: Call, service: Service, record: ServiceDeployment) -> None:
    scheduler = call.scheduler(call.cluster_named(service.cluster_arn))

    def stop() -> None:
        if record is service.current_record and record.status in _REQUESTED:
            _stop(call.world, service, record)
            scheduler.reconcile(service)

    if lag := call.world.settings.deployment_lag_seconds:
        call.world.timeline.after(lag, stop)
    else:
        stop()


def _stop(world: World, service: Service, record: ServiceDeployment) -> None:
    deployment = record.deployment
    target = deployments.rollback_target(service, deployment)
    if target is None or record.status == "STOP_REQUESTED":
        deployments.stall(world, service, deployment, "Service deployment stopped by user.")
        return
    reason = f"Service deployment stopped by user: rolling back to deploymentId {target.id}."
    deployments.roll_back(world, service, deployment, target, reason)


def continue_service_deployment(call: Call) -> Json:
    """Resolves a PAUSE hook that a deployment waits at; CONTINUE is the default."""
    arn, hook_id = call.request["serviceDeploymentArn"], call.request["hookId"]
    service, record = _existing(call, arn)
    met = record.progress.hooks if record.progress and record.ongoing else []
    hook = next((one for one in met if one.id == hook_id and one.waiting), None)
    if hook is None:
        raise InvalidParameterError(f"The service deployment does not wait at a lifecycle hook {hook_id}.")
    hooks.answer(hook, call.request.get("action", "CONTINUE"))
    call.scheduler(call.cluster_named(service.cluster_arn)).reconcile(service)
    return {"serviceDeploymentArn": arn}


OPERATIONS: dict[str, Operation] = {
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceDeployments": describe_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
    "ContinueServiceDeployment": continue_service_deployment,
    "StopServiceDeployment": stop_service_deployment,
}
