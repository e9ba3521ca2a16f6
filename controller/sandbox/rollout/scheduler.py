"""ECS's service scheduler: level-triggered, called whenever something about a service changed.

Amazon ECS developer guide, "Deploy Amazon ECS services by replacing tasks" (rolling updates), and API
reference, DeploymentConfiguration, for how many tasks may run and must run meanwhile.
"""

from __future__ import annotations

import math

from controller.sandbox.arns import Arns
from controller.sandbox.model.services import Deployment, Service
from controller.sandbox.model.tasks import Task
from controller.sandbox.model.world import Cluster, World
from controller.sandbox.rollout import breaker, deployments
from controller.sandbox.rollout.events import tell, tell_started, tell_stopped
from controller.sandbox.rollout.lifecycle import TaskLifecycle

_IMPAIRED_AFTER = 3
_IMPAIRED = (
    "is unable to consistently start tasks successfully. "
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


class ServiceScheduler:
    """Moves the services of one cluster towards what is wanted of them."""

    def __init__(self, world: World, cluster: Cluster, arns: Arns) -> None:
        self._world = world
        self._cluster = cluster
        self._arns = arns
        self.lifecycle = TaskLifecycle(world, self._task_changed)

    def reconcile(self, service: Service) -> None:
        if service.status == "INACTIVE":
            return
        self._stop_surplus(service)
        self._start_missing(service)
        self._retire_drained(service)
        self._notice_steady_state(service)

    def _start_missing(self, service: Service) -> None:
        primary = service.primary
        if primary is None or primary.rollout_state == "FAILED":
            return  # a failed deployment starts no more tasks (API reference, Deployment.rolloutState)
        number = min(service.desired_count - primary.wanted, _most_tasks(service) - len(service.tasks))
        if number <= 0:
            return
        started = [self._launch(service, primary) for _ in range(number)]
        tell_started(self._world, service, started)

    def _launch(self, service: Service, primary: Deployment) -> Task:
        task = self.lifecycle.launch(
            self._cluster,
            self._arns,
            primary.revision.definition,
            group=f"service:{service.name}",
            deployment=primary,
        )
        task.launch_type = service.configuration.get("launchType")
        task.enable_execute_command = bool(service.options.get("enableExecuteCommand"))
        return task

    def _stop_surplus(self, service: Service) -> None:
        primary = service.primary
        if primary is None:
            return
        surplus = [task for task in primary.tasks if task.wanted][service.desired_count :]
        if primary.rollout_state != "FAILED":
            surplus += self._replaced(service, primary)
        if not surplus:
            return
        for task in surplus:
            reason = f"Scaling activity initiated by (deployment {primary.id})"
            self.lifecycle.stop(task, self._cluster, code="ServiceSchedulerInitiated", reason=reason)
        tell_stopped(self._world, service, surplus)

    @staticmethod
    def _replaced(service: Service, primary: Deployment) -> list[Task]:
        """Old tasks that new ones stand in for; those that run are kept longest."""
        old = [task for one in service.draining_deployments for task in one.tasks if task.wanted]
        keep = service.desired_count - primary.running
        if len(service.tasks) >= _most_tasks(service) and primary.wanted < service.desired_count:
            keep = min(keep, _fewest_tasks(service) - primary.running)  # make room
        old.sort(key=lambda task: not task.running)
        return old[max(0, keep) :]

    def _retire_drained(self, service: Service) -> None:
        for deployment in service.draining_deployments:
            if not deployment.tasks:
                deployment.status, deployment.updated_at = "INACTIVE", self._world.now
        if service.status == "DRAINING" and not service.tasks:
            service.status = "INACTIVE"

    def _notice_steady_state(self, service: Service) -> None:
        primary = service.primary
        if primary is None or service.status != "ACTIVE":
            return
        if not _as_wanted(service, primary):
            primary.steady_since, service.steady = None, False
            return
        now, seconds = self._world.now, self._world.settings.steady_seconds
        if primary.steady_since is None:
            primary.steady_since = now
            self._world.timeline.after(seconds, lambda: self.reconcile(service))
        if service.steady or now < primary.steady_since + seconds:
            return
        if primary.rollout_state == "IN_PROGRESS":
            deployments.complete(self._world, service, primary)
        service.steady = True
        tell(self._world, service, "has reached a steady state.")

    def _task_changed(self, task: Task, failed: bool) -> None:
        deployment = task.deployment
        if deployment is None:
            return
        service = self._cluster.services[task.group.removeprefix("service:")]
        if deployment.rollout_state == "IN_PROGRESS":
            if failed:
                self._count_failure(service, deployment)
            elif task.running and breaker.breaker_of(service).get("resetOnHealthyTask", True):
                deployment.failed_tasks = 0
        self.reconcile(service)

    def _count_failure(self, service: Service, deployment: Deployment) -> None:
        deployment.failed_tasks += 1
        deployment.updated_at = self._world.now
        if deployment.failed_tasks == _IMPAIRED_AFTER:
            tell(self._world, service, _IMPAIRED)
        options = breaker.breaker_of(service)
        if not options["enable"] or deployment.failed_tasks < breaker.threshold(service):
            return
        if deployment is not service.primary:
            return
        self._trip(service, deployment, rollback=options["rollback"])

    def _trip(self, service: Service, failed: Deployment, *, rollback: bool) -> None:
        tell(self._world, service, f"(deployment {failed.id}) deployment failed: tasks failed to start.")
        if record := service.current_record:
            record.breaker_triggered = True
        target = deployments.rollback_target(service, failed) if rollback else None
        if target is None:
            reason = "ECS deployment circuit breaker: tasks failed to start."
            deployments.stall(self._world, service, failed, reason)
            return
        reason = f"ECS deployment circuit breaker: rolling back to deploymentId {target.id}."
        deployments.roll_back(self._world, service, failed, target, reason)


def _most_tasks(service: Service) -> int:
    percent: int = service.deployment_configuration["maximumPercent"]
    return math.floor(service.desired_count * percent / 100)


def _fewest_tasks(service: Service) -> int:
    percent: int = service.deployment_configuration["minimumHealthyPercent"]
    return math.ceil(service.desired_count * percent / 100)


def _as_wanted(service: Service, primary: Deployment) -> bool:
    return (
        primary.rollout_state != "FAILED"
        and primary.running == len(primary.tasks) == service.desired_count
        and not service.draining_deployments
    )
