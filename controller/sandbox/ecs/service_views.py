"""Services and their deployments in ECS's shapes (API reference, Service, Deployment, ServiceRevision, …)."""

from __future__ import annotations

import hashlib

from controller.sandbox.ecs.task_set_views import task_set_view
from controller.sandbox.model import Json
from controller.sandbox.model.services import Deployment, Service, ServiceDeployment, ServiceRevision
from controller.sandbox.model.stages import Progress
from controller.sandbox.rollout import breaker

# A service revision's members that Service itself does not have; they show in its deployments.
DEPLOYMENT_ONLY = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
_DEPLOYMENT_MEMBERS = (
    *DEPLOYMENT_ONLY,
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
)


def service_view(service: Service, *, tags: bool) -> Json:
    primary, shown = service.primary, service.shown_deployments
    by_ecs = service.controller == "ECS"
    answer: Json = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": sum(one.running for one in shown),
        "pendingCount": sum(one.pending for one in shown),
        "deploymentConfiguration": service.deployment_configuration,
        "taskSets": [] if by_ecs else [task_set_view(service, one) for one in shown],
        "deployments": [_deployment(service, one) for one in shown] if by_ecs else [],
        "events": list(service.events),
        "createdAt": service.created_at,
        "createdBy": service.created_by,
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": service.scheduling,
        "deploymentController": {"type": service.controller},
        "resourceManagementType": "CUSTOMER",
        **{key: value for key, value in service.configuration.items() if key not in DEPLOYMENT_ONLY},
        **service.options,
    }
    if primary:
        answer["taskDefinition"] = primary.revision.definition.arn
    if by_ecs and (record := service.current_record):
        answer["currentServiceDeployment"] = record.arn
        answer["currentServiceRevisions"] = [_counted(one.revision, service, one) for one in shown]
    if tags:
        answer["tags"] = service.tags
    return answer


def _deployment(service: Service, deployment: Deployment) -> Json:
    configuration = deployment.revision.configuration
    return {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.revision.definition.arn,
        "desiredCount": _requested(service, deployment),
        "pendingCount": deployment.pending,
        "runningCount": deployment.running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_reason,
        **{key: configuration[key] for key in _DEPLOYMENT_MEMBERS if key in configuration},
    }


def _requested(service: Service, deployment: Deployment) -> int:
    return service.desired_count if deployment.status == "PRIMARY" else deployment.wanted


def _counted(revision: ServiceRevision, service: Service, deployment: Deployment | None) -> Json:
    return {
        "arn": revision.arn,
        "requestedTaskCount": _requested(service, deployment) if deployment else 0,
        "runningTaskCount": deployment.running if deployment else 0,
        "pendingTaskCount": deployment.pending if deployment else 0,
    }


def record_view(service: Service, record: ServiceDeployment) -> Json:
    """A ServiceDeployment in full."""
    by_revision = {one.revision.arn: one for one in service.deployments}
    answer = _record_head(service, record) | {
        "updatedAt": record.updated_at,
        "sourceServiceRevisions": [_counted(source, service, by_revision.get(source.arn)) for source in record.sources],
        "targetServiceRevision": _counted(record.deployment.revision, service, record.deployment),
        "deploymentConfiguration": record.configuration,
        "deploymentCircuitBreaker": {
            "status": _breaker_status(service, record),
            "failureCount": record.deployment.failed_tasks,
            "threshold": breaker.threshold(service),
        },
    }
    if record.progress:
        answer |= _stage(record.progress, answer)
    if record.rollback:
        answer["rollback"] = record.rollback
    if record.stopped_at is not None:
        answer["stoppedAt"] = record.stopped_at
    return answer


def _stage(progress: Progress, answer: Json) -> Json:
    """How far a staged deployment is; the new revision has its share of the traffic, the first old one the rest."""
    target, sources = answer["targetServiceRevision"], answer["sourceServiceRevisions"]
    step = progress.step
    return {
        "lifecycleStage": step.stage,
        "lifecycleHookDetails": [hook.view() for hook in progress.hooks],
        "targetServiceRevision": target | _traffic(step.test, step.production),
        "sourceServiceRevisions": [
            source | (_traffic(0, 0) if number else _traffic(100 - step.test, 100 - step.production))
            for number, source in enumerate(sources)
        ],
    }


def _traffic(test: float, production: float) -> Json:
    return {"requestedTestTrafficWeight": test, "requestedProductionTrafficWeight": production}


def _breaker_status(service: Service, record: ServiceDeployment) -> str:
    if not breaker.breaker_of(service)["enable"]:
        return "DISABLED"
    if record.breaker_triggered:
        return "TRIGGERED"
    return "MONITORING" if record.ongoing else "MONITORING_COMPLETE"


def record_brief(service: Service, record: ServiceDeployment) -> Json:
    return _record_head(service, record) | {"targetServiceRevisionArn": record.deployment.revision.arn}


def _record_head(service: Service, record: ServiceDeployment) -> Json:
    answer: Json = {
        "serviceDeploymentArn": record.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "createdAt": record.created_at,
        "status": record.status,
    }
    optional = {
        "startedAt": record.started_at,
        "finishedAt": record.finished_at,
        "statusReason": record.status_reason,
    }
    return answer | {key: value for key, value in optional.items() if value is not None}


def revision_view(service: Service, revision: ServiceRevision) -> Json:
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": revision.definition.arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "containerImages": [_image(container) for container in revision.definition.containers],
        "guardDutyEnabled": False,
        "createdAt": revision.created_at,
        **revision.configuration,
    }


def _image(container: Json) -> Json:
    digest = hashlib.sha256(container["image"].encode()).hexdigest()
    return {
        "containerName": container["name"],
        "image": container["image"],
        "imageDigest": f"sha256:{digest}",
    }
