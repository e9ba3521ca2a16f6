"""ECS's service scheduler: level-triggered, called whenever something about a service changed.

`rolling`, `staged` and `task_sets` say which tasks are to stop and to start; this does it, and notices how it goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from controller.sandbox.arns import Arns
from controller.sandbox.model.services import Deployment, Service, ServiceDeployment
from controller.sandbox.model.tasks import Task
from controller.sandbox.model.world import Cluster, World
from controller.sandbox.rollout import breaker, deployments, rolling, staged, task_sets
from controller.sandbox.rollout.events import tell, tell_started, tell_stopped
from controller.sandbox.rollout.lifecycle import TaskLifecycle
from controller.sandbox.rollout.moves import Moves

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
        if task_sets.governs(service):
            self._perform(service, task_sets.moves(service))
            task_sets.settle(self._world, service)
        else:
            self._reconcile_deployments(service)

    def _reconcile_deployments(self, service: Service) -> None:
        record = service.current_record
        if record and not deployments.begun(self._world, record):
            self._wake(service, self._world.settings.deployment_lag_seconds)
            return
        if record and staged.governs(service):
            self._advance(service, record)
        self._perform(service, staged.moves(service) if staged.governs(service) else rolling.moves(service))
        spared = staged.spared(service)
        self._retire_drained(service, spared)
        if spared is None:
            self._notice_steady_state(service)

    def _perform(self, service: Service, moves: Moves) -> None:
        self._stop(service, moves.stop)
        for deployment, number in moves.start:
            started = [self._launch(service, deployment) for _ in range(number)]
            tell_started(self._world, service, started)

    def _wake(self, service: Service, seconds: float) -> None:
        self._world.timeline.after(seconds, lambda: self.reconcile(service))

    def _advance(self, service: Service, record: ServiceDeployment) -> None:
        """One stage or several further; and look again whenever time alone may bring the next."""
        before = record.progress and record.progress.step
        staged.advance(self._world, service, record)
        if record.progress and record.progress.step is not before:
            for seconds in staged.waits(self._world, record.progress):
                self._wake(service, seconds)

    def _launch(self, service: Service, deployment: Deployment) -> Task:
        task = self.lifecycle.launch(
            self._cluster,
            self._arns,
            deployment.revision.definition,
            group=f"service:{service.name}",
            deployment=deployment,
        )
        task.launch_type = deployment.revision.configuration.get("launchType")
        task.enable_execute_command = bool(service.options.get("enableExecuteCommand"))
        return task

    def _stop(self, service: Service, surplus: Sequence[Task]) -> None:
        if not surplus:
            return
        for task in surplus:
            reason = f"Scaling activity initiated by ({_initiator(service, task)})"
            self.lifecycle.stop(task, self._cluster, code="ServiceSchedulerInitiated", reason=reason)
        tell_stopped(self._world, service, surplus)

    def _retire_drained(self, service: Service, spared: Deployment | None) -> None:
        for deployment in service.draining_deployments:
            if not deployment.tasks and deployment is not spared:
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
            self._wake(service, seconds)
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
        sick = task.running and task.health == "UNHEALTHY"
        if sick:
            self._stop_sick(service, task)
        if deployment.rollout_state == "IN_PROGRESS":
            if failed or sick:
                self._count_failure(service, deployment)
            elif task.well and breaker.breaker_of(service).get("resetOnHealthyTask", True):
                deployment.failed_tasks = 0
        self.reconcile(service)

    def _stop_sick(self, service: Service, task: Task) -> None:
        tell(self._world, service, f"(task {task.id}) failed container health checks.")
        reason = "Task failed container health checks"
        self.lifecycle.stop(task, self._cluster, code="ServiceSchedulerInitiated", reason=reason)

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
        if rollback and (target := deployments.rollback_target(service, failed)):
            reason = f"ECS deployment circuit breaker: rolling back to deploymentId {target.id}."
            deployments.roll_back(self._world, service, failed, target, reason)
        else:
            reason = "ECS deployment circuit breaker: tasks failed to start."
            deployments.stall(self._world, service, failed, reason)


def _initiator(service: Service, task: Task) -> str:
    """A task set scales itself; otherwise it is the PRIMARY deployment that others make way for."""
    if task.deployment and task.deployment.task_set:
        return f"taskSet {task.deployment.id}"
    return f"deployment {service.primary.id if service.primary else ''}"


def _as_wanted(service: Service, primary: Deployment) -> bool:
    return (
        primary.rollout_state != "FAILED"
        and primary.well == len(primary.tasks) == service.desired_count
        and not service.draining_deployments
    )
