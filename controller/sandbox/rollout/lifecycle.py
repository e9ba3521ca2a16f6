"""One task's way: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPED.

Amazon ECS developer guide, "Task lifecycle". The short states between are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from controller.sandbox.arns import Arns
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.services import Deployment
from controller.sandbox.model.tasks import ContainerState, Task
from controller.sandbox.model.world import Cluster, World
from controller.sandbox.rollout.faults import Fault
from controller.sandbox.rollout.start_checks import ESSENTIAL_EXITED, Crash, init_crash, missing_agent_config

_PENDING_AFTER = 0.4  # of the time that a start takes

# (task, whether it failed to start)
Listener = Callable[[Task, bool], None]


class TaskLifecycle:
    """Starts and stops tasks; tells `listener` when one runs, fails, sickens, begins to stop or has stopped."""

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
            faults=_faults(world, group, definition, deployment),
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
        self._wind_down(task, cluster)

    def _wind_down(self, task: Task, cluster: Cluster) -> None:
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
            self._fail(task, cluster, "TaskFailedToStart", reason)
            return
        crashes = [*_planned_crashes(task), *init_crash(task.definition, account, outside)]
        if fatal := [crash for crash in crashes if _crash_kills(task, crash)]:
            self._fail(task, cluster, *fatal[0].stopped)
            return
        self._run(task, cluster)

    def _fail(self, task: Task, cluster: Cluster, code: str, reason: str) -> None:
        self._begin_stop(task, code, reason)
        self._finish(task, cluster, failed=True)

    def _run(self, task: Task, cluster: Cluster) -> None:
        task.last_status, task.started_at = "RUNNING", self._world.now
        task.version += 1
        for container in task.containers:
            if container.last_status != "STOPPED":
                container.last_status = "RUNNING"
                container.health = "HEALTHY" if "healthCheck" in container.definition else "UNKNOWN"
        for fault in task.faults:
            self._plan(task, cluster, fault)
        self._listener(task, False)

    def _plan(self, task: Task, cluster: Cluster, fault: Fault) -> None:
        """What a running container has before it."""
        container, seconds = task.container(fault.target.container), fault.ailment.after
        if fault.ailment.way == "unhealthy":
            check = container.definition.get("healthCheck")
            if check is None:
                return
            if seconds is None:  # it is never healthy, and UNHEALTHY once the retries are used up
                container.health = "UNKNOWN"
                seconds = check.get("startPeriod", 0) + check["interval"] * check["retries"]
        if seconds is not None:
            self._world.timeline.after(seconds, partial(self._strike, task, cluster, fault))

    def _strike(self, task: Task, cluster: Cluster, fault: Fault) -> None:
        container, ailment = task.container(fault.target.container), fault.ailment
        if not (task.running and container.running):
            return
        if ailment.way == "unhealthy":
            container.health = "HEALTHY" if fault.mended else "UNHEALTHY"
        elif not fault.mended:
            container.exit(ailment.code, ailment.told(container.definition))
            if container.definition["essential"]:
                self._begin_stop(task, "EssentialContainerExited", ESSENTIAL_EXITED)
                self._wind_down(task, cluster)
        task.version += 1
        self._listener(task, False)

    def _begin_stop(self, task: Task, code: str, reason: str) -> None:
        task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", code, reason
        task.stopping_at = self._world.now
        task.version += 1

    def _finish(self, task: Task, cluster: Cluster, *, failed: bool) -> None:
        for container in task.containers:
            if container.last_status == "RUNNING":
                container.exit_code = 0
            container.last_status, container.health = "STOPPED", "UNKNOWN"
        task.last_status, task.stopped_at = "STOPPED", self._world.now
        task.version += 1
        if task.deployment:
            task.deployment.tasks.remove(task)
        self._world.timeline.after(self._world.settings.stopped_task_seconds, lambda: _forget(task, cluster))
        self._listener(task, failed)


def _faults(world: World, group: str, definition: Revision, deployment: Deployment | None) -> Sequence[Fault]:
    service = group.removeprefix("service:") if deployment else None
    return world.faults.of_task(deployment.fault if deployment else None, service, definition)


def _planned_crashes(task: Task) -> Iterator[Crash]:
    """Of the containers that do not even start well."""
    for fault in task.faults:
        ailment, name = fault.ailment, fault.target.container
        if ailment.after is not None or ailment.way == "unhealthy" or fault.mended:
            continue
        code = None if ailment.way == "unpullable" else ailment.code
        yield Crash(name, code, ailment.told(task.container(name).definition))


def _crash_kills(task: Task, crash: Crash) -> bool:
    """Record the crash. A container that is not essential dies alone."""
    container = task.container(crash.container)
    container.exit(crash.exit_code, crash.reason)
    return bool(container.definition["essential"])


def _forget(task: Task, cluster: Cluster) -> None:
    cluster.tasks.pop(task.arn, None)
