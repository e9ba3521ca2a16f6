"""Deployments of a service: opened, completed, rolled back, stopped.

The texts of `rolloutStateReason` are those of the events "ECS Deployment State Change" (Amazon ECS developer
guide, "Amazon ECS service deployment state change events").
"""

from __future__ import annotations

import copy

from controller.sandbox.arns import Arns
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Deployment, Service, ServiceDeployment, ServiceRevision
from controller.sandbox.model.world import World
from controller.sandbox.rollout.events import tell


def open_deployment(world: World, arns: Arns, cluster: str, service: Service, definition: Revision) -> Deployment:
    """A new revision of the service becomes PRIMARY; what was there drains, and its record is closed."""
    number = world.ids.digits19()
    revision = ServiceRevision(
        arn=arns.service_revision(cluster, service.name, number),
        definition=definition,
        configuration=copy.deepcopy(service.configuration),
        created_at=world.now,
    )
    deployment = Deployment(
        id=f"ecs-svc/{number}",
        revision=revision,
        created_at=world.now,
        updated_at=world.now,
        fault=world.faults.take(service.name, definition),
    )
    deployment.rollout_reason = f"ECS deployment {deployment.id} in progress."
    sources = [old.revision for old in service.shown_deployments]
    _supersede(world, service)
    service.deployments.insert(0, deployment)
    service.revisions.append(revision)
    service.records.insert(
        0,
        ServiceDeployment(
            arn=arns.service_deployment(cluster, service.name, world.ids.token()),
            deployment=deployment,
            sources=sources,
            created_at=world.now,
            updated_at=world.now,
            configuration=copy.deepcopy(service.deployment_configuration),
        ),
    )
    service.steady = False
    return deployment


def _supersede(world: World, service: Service) -> None:
    if primary := service.primary:
        primary.status, primary.updated_at = "ACTIVE", world.now
    if (record := service.current_record) and record.ongoing:
        finish(world, record, "STOPPED", "Service deployment stopped because a new deployment started.")


def begun(world: World, record: ServiceDeployment) -> bool:
    """Whether the deployment is past PENDING; it passes when its time has come."""
    if record.status == "PENDING" and world.now >= record.created_at + world.settings.deployment_lag_seconds:
        record.status = "IN_PROGRESS"
        record.started_at = record.updated_at = world.now
    return record.started_at is not None or not record.ongoing


def finish(world: World, record: ServiceDeployment, status: str, reason: str | None = None) -> None:
    record.status, record.status_reason = status, reason
    record.finished_at = record.updated_at = world.now
    if status == "STOPPED":
        record.stopped_at = world.now


def complete(world: World, service: Service, deployment: Deployment) -> None:
    deployment.rollout_state = "COMPLETED"
    deployment.rollout_reason = f"ECS deployment {deployment.id} completed."
    deployment.updated_at = world.now
    service.last_completed = deployment
    tell(world, service, f"(deployment {deployment.id}) deployment completed.")
    record = service.current_record
    if record is None or not record.ongoing:
        return
    if record.rollback is None:
        finish(world, record, "SUCCESSFUL")
    else:
        finish(world, record, "ROLLBACK_SUCCESSFUL", record.status_reason)


def rollback_target(service: Service, failed: Deployment) -> Deployment | None:
    """The last COMPLETED deployment. During a rollback there is none, so that a third deployment stalls.

    Developer guide, "How the Amazon ECS deployment circuit breaker detects failures".
    """
    last = service.last_completed
    return last if last and last is not failed and last.rollout_state == "COMPLETED" else None


def roll_back(world: World, service: Service, failed: Deployment, target: Deployment, reason: str) -> None:
    """`target` is PRIMARY again, under its old id: a rollback makes no new service revision."""
    failed.status, failed.rollout_state, failed.rollout_reason = "ACTIVE", "FAILED", reason
    failed.updated_at = target.updated_at = world.now
    target.status, target.rollout_state = "PRIMARY", "IN_PROGRESS"
    target.rollout_reason = f"ECS deployment {target.id} in progress."
    target.failed_tasks, target.steady_since = 0, None
    service.configuration = copy.deepcopy(target.revision.configuration)
    service.steady = False
    tell(world, service, f"rolling back to (deployment {target.id}).")
    if record := service.current_record:
        record.status, record.status_reason, record.updated_at = "ROLLBACK_IN_PROGRESS", reason, world.now
        record.started_at = record.started_at or world.now
        record.rollback = _rollback(reason, world.now, target)


def _rollback(reason: str, now: float, target: Deployment) -> Json:
    return {"reason": reason, "startedAt": now, "serviceRevisionArn": target.revision.arn}


def fail(world: World, service: Service, failed: Deployment, reason: str) -> None:
    """Back to where it was, and where there is nothing to go back to, no further."""
    if target := rollback_target(service, failed):
        roll_back(world, service, failed, target, reason)
    else:
        stall(world, service, failed, reason)


def stall(world: World, service: Service, failed: Deployment, reason: str) -> None:
    """The deployment has failed and starts no more tasks; there is nothing to go back to."""
    failed.rollout_state, failed.rollout_reason, failed.updated_at = "FAILED", reason, world.now
    record = service.current_record
    if record and record.ongoing:
        finish(world, record, "STOPPED" if record.rollback is None else "ROLLBACK_FAILED", reason)
