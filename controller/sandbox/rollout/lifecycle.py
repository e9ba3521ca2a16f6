"""One task's way: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPED.

Amazon ECS developer guide, "Task lifecycle". The short states between are left out.
"""

from __future__ import annotations

from collections.abc import Callable

from controller.sandbox.arns import Arns
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Deployment
from controller.sandbox.model.tasks import ContainerState, Task
from controller.sandbox.model.world import Cluster, World
from controller.sandbox.rollout.start_checks import Crash, init_crash, missing_agent_config

ESSENTIAL_EXITED = "Essential container in task exited"
_PENDING_AFTER = 0.4  # of the time that a start takes

# (task, whether it failed to start)
Listener = Callable[[Task, bool], None]


class TaskLifecycle:
    """Starts and stops tasks; tells `listener` when one runs, fails or has stopped."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._world = world
        self._listener = listener

    def launch(
        self,
        cluster: Cluster,
        arns: Arns,
        definition: Revision,
        *,
        group: str,
        deployment: Deployment | None = None,
    ) -> Task:
        world = self._world
        task_id = world.ids.hex32()
        containers = [
            ContainerState(
                arn=arns.container(cluster.name, task_id, world.ids.uuid()),
                definition=container,
                runtime_id=f"{task_id}-{number:010}",
            )
            for number, container in enumerate(definition.containers)
        ]
        task = Task(
            arn=arns.task(cluster.name, task_id),
            cluster_arn=cluster.arn,
            definition=definition,
            group=group,
            created_at=world.now,
            containers=containers,
            deployment=deployment,
            started_by=deployment.id if deployment else None,
        )
        cluster.tasks[task.arn] = task
        if deployment:
            deployment.tasks.append(task)
        seconds = world.settings.start_seconds
        world.timeline.after(seconds * _PENDING_AFTER, lambda: self._pull(task))
        world.timeline.after(seconds, lambda: self._start(task, cluster, arns.account))
        return task

    def stop(self, task: Task, cluster: Cluster, *, code: str, reason: str) -> None:
        """Begin to stop a task; harmless where it is already stopping."""
        if not task.wanted:
            return
        self._begin_stop(task, code, reason)
        task.last_status = "DEACTIVATING"
        self._world.timeline.after(self._world.settings.stop_seconds, lambda: self._finish(task, cluster, failed=False))

    def _pull(self, task: Task) -> None:
        if task.wanted:
            task.last_status = "PENDING"
            task.version += 1

    def _start(self, task: Task, cluster: Cluster, account: str) -> None:
        """The moment of truth: the task runs, or has failed."""
        if not task.wanted:
            return
        outside = self._world.outside
        if reason := missing_agent_config(task.definition, account, outside):
            self._begin_stop(task, "TaskFailedToStart", reason)
            self._finish(task, cluster, failed=True)
            return
        crash = _planned_crash(task) or init_crash(task.definition, account, outside)
        if crash and self._crash_kills(task, crash):
            self._begin_stop(task, "EssentialContainerExited", ESSENTIAL_EXITED)
            self._finish(task, cluster, failed=True)
            return
        task.last_status, task.started_at = "RUNNING", self._world.now
        task.version += 1
        for container in task.containers:
            if container.exit_code is None:
                container.last_status = "RUNNING"
        self._listener(task, False)

    @staticmethod
    def _crash_kills(task: Task, crash: Crash) -> bool:
        """Record the crash. A container that is not essential dies alone."""
        container = next(one for one in task.containers if one.definition["name"] == crash.container)
        container.last_status, container.exit_code, container.reason = (
            "STOPPED",
            crash.exit_code,
            crash.reason,
        )
        return bool(container.definition["essential"])

    def _begin_stop(self, task: Task, code: str, reason: str) -> None:
        task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", code, reason
        task.stopping_at = self._world.now
        task.version += 1

    def _finish(self, task: Task, cluster: Cluster, *, failed: bool) -> None:
        for container in task.containers:
            if container.last_status == "RUNNING":
                container.exit_code = 0
            container.last_status = "STOPPED"
        task.last_status, task.stopped_at = "STOPPED", self._world.now
        task.version += 1
        if task.deployment:
            task.deployment.tasks.remove(task)
        self._world.timeline.after(self._world.settings.stopped_task_seconds, lambda: _forget(task, cluster))
        self._listener(task, failed)


def _planned_crash(task: Task) -> Crash | None:
    fault = task.deployment.fault if task.deployment else None
    return Crash(fault.container, fault.exit_code, fault.reason) if fault else None


def _forget(task: Task, cluster: Cluster) -> None:
    cluster.tasks.pop(task.arn, None)
