"""Rolling updates: old tasks go as new ones stand in for them.

Amazon ECS developer guide, "Deploy Amazon ECS services by replacing tasks", and API reference,
DeploymentConfiguration, for how many tasks may run and must run meanwhile.
"""

from __future__ import annotations

import math

from controller.sandbox.model.services import Deployment, Service
from controller.sandbox.model.tasks import Task
from controller.sandbox.rollout.moves import Moves


def moves(service: Service) -> Moves:
    """A failed deployment starts no more tasks (API reference, Deployment.rolloutState), and replaces none."""
    found, primary = Moves(), service.primary
    if primary is None:
        return found
    found.stop = [task for task in primary.tasks if task.wanted][service.desired_count :]
    if primary.rollout_state == "FAILED":
        return found
    found.stop += _replaced(service, primary)
    number = min(service.desired_count - primary.wanted, _most_tasks(service) - len(service.tasks))
    if number > 0:
        found.start.append((primary, number))
    return found


def _replaced(service: Service, primary: Deployment) -> list[Task]:
    """Old tasks that new ones stand in for; those that run are kept longest."""
    old = [task for one in service.draining_deployments for task in one.tasks if task.wanted]
    keep = service.desired_count - primary.well
    if len(service.tasks) >= _most_tasks(service) and primary.wanted < service.desired_count:
        keep = min(keep, _fewest_tasks(service) - primary.well)  # make room
    old.sort(key=lambda task: not task.running)
    return old[max(0, keep) :]


def _most_tasks(service: Service) -> int:
    percent: int = service.deployment_configuration["maximumPercent"]
    return math.floor(service.desired_count * percent / 100)


def _fewest_tasks(service: Service) -> int:
    percent: int = service.deployment_configuration["minimumHealthyPercent"]
    return math.ceil(service.desired_count * percent / 100)
