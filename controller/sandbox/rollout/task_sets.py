"""Task sets: what services run whose deployments are CodeDeploy's, or somebody else's entirely.

Amazon ECS API reference, TaskSet; developer guide, "Deploy Amazon ECS services using a third-party
controller". ECS only keeps each of them at its share of the tasks; which one is PRIMARY others say.
"""

from __future__ import annotations

import copy
import math

from controller.sandbox.arns import Arns
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Deployment, Service, ServiceRevision, TaskSet
from controller.sandbox.model.world import World
from controller.sandbox.rollout.moves import Moves

MOST = 5
"""Of a service, draining ones included (aws-samples/ecs-bg-external-controller, issue 6)."""


def governs(service: Service) -> bool:
    return service.controller != "ECS"


def open_task_set(
    world: World, arns: Arns, cluster: str, service: Service, definition: Revision, configuration: Json
) -> Deployment:
    """A new one, ACTIVE at first. Service deployments and revisions know nothing of it."""
    number = world.ids.digits19()
    opened = Deployment(
        id=f"ecs-svc/{number}",
        revision=ServiceRevision(
            arn=arns.service_revision(cluster, service.name, number),
            definition=definition,
            configuration=copy.deepcopy(configuration),
            created_at=world.now,
        ),
        created_at=world.now,
        updated_at=world.now,
        fault=world.faults.take(service.name, definition),
        status="ACTIVE",
        rollout_state="",
        task_set=TaskSet(arns.task_set(cluster, service.name, f"ecs-svc/{number}"), judged_at=world.now),
    )
    service.deployments.insert(0, opened)
    return opened


def make_primary(world: World, service: Service, wanted: Deployment) -> None:
    """The service takes over its settings; the one before lives on beside it."""
    if (before := service.primary) is wanted:
        return
    if before:
        before.status, before.updated_at = "ACTIVE", world.now
    wanted.status, wanted.updated_at = "PRIMARY", world.now
    service.configuration = copy.deepcopy(wanted.revision.configuration)


def drain(world: World, doomed: Deployment) -> None:
    if doomed.status != "INACTIVE":
        doomed.status, doomed.updated_at = "DRAINING", world.now


def computed_count(service: Service, one: Deployment) -> int:
    """Its share of the desired tasks, rounded up (API reference, TaskSet.computedDesiredCount)."""
    if one.task_set is None or one.status == "DRAINING" or service.status != "ACTIVE":
        return 0
    return math.ceil(service.desired_count * one.task_set.scale / 100)


def moves(service: Service) -> Moves:
    found = Moves()
    for one in service.shown_deployments:
        found.scale(one, computed_count(service, one))
    return found


def settle(world: World, service: Service) -> None:
    """Notice which are steady, and forget those that have drained."""
    for one in service.shown_deployments:
        if service.status != "ACTIVE":
            drain(world, one)
        if one.task_set is not None:
            _judge(world, one, one.task_set, computed_count(service, one))
        if one.status == "DRAINING" and not one.tasks:
            one.status = "INACTIVE"
    if service.status == "DRAINING" and not service.tasks:
        service.status = "INACTIVE"


def _judge(world: World, one: Deployment, task_set: TaskSet, count: int) -> None:
    """API reference, TaskSet.stabilityStatus."""
    steady = one.well == len(one.tasks) == count
    if steady is not task_set.steady:
        task_set.steady, task_set.judged_at = steady, world.now
