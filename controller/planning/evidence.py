"""What the tasks of a revision tell: whether its router stays up, and what ended those that died."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controller.observed.model import RUNNING, Container, ServiceDeployment, Task

PROOF = 120.0
"""Seconds that a router must stay up until its revision is believed."""
DEAD_ROUTERS = 3
"""So many tasks whose router stopped are no accident: ECS's circuit breaker has the same least number."""
STOPPED_FROM_OUTSIDE = frozenset({0, 137, 143})
"""Exit codes of a container that was told to stop because another one ended: after SIGTERM, and after SIGKILL."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read beside the service itself, as far as it was needed."""

    history: tuple[ServiceDeployment, ...] | None = None
    """Service deployments, newest first; None where the endpoint lists none."""
    tasks: tuple[Task, ...] | None = None
    """Running tasks, and those that stopped within the hour. None: not asked for."""

    @property
    def newest(self) -> ServiceDeployment | None:
        return self.history[0] if self.history else None


@dataclass(frozen=True, slots=True)
class Routers:
    """The routers of one revision's tasks. `name`: of the router container."""

    tasks: tuple[Task, ...]
    name: str
    now: float

    @property
    def up(self) -> list[Task]:
        """Tasks whose router has run long enough to be believed."""
        return [
            task
            for task in self.tasks
            if _router_runs(task, self.name) and task.started_at is not None and self.now - task.started_at >= PROOF
        ]

    @property
    def dead(self) -> list[Task]:
        """Tasks whose router ended by itself, the latest first."""
        found = [task for task in self.tasks if _killer(task, self.name) is not None]
        return sorted(found, key=lambda task: -(task.stopped_at or self.now))

    @property
    def stay_up(self) -> bool:
        """One has been up for long enough, and none ended meanwhile."""
        return bool(self.up) and not any(self.now - (task.stopped_at or self.now) < PROOF for task in self.dead)

    @property
    def keep_dying(self) -> bool:
        return len(self.dead) >= DEAD_ROUTERS and not self.up


def routers_of(tasks: Iterable[Task] | None, revision: str, name: str, now: float) -> Routers:
    return Routers(tuple(task for task in tasks or () if task.task_definition == revision), name, now)


def last_words(tasks: Iterable[Task] | None, revision: str, router: str) -> str:
    """Why the tasks of a revision ended: `log_router exited 1: …`; the router first. "" where none did."""
    stopped = [task for task in tasks or () if task.task_definition == revision]
    stopped.sort(key=lambda task: -(task.stopped_at or 0.0))
    culprits = [(task, one) for task in stopped for one in task.containers if _ended_by_itself(one)]
    culprits.sort(key=lambda pair: pair[1].name != router)
    if culprits:
        task, container = culprits[0]
        return _words(container, task)
    return next((task.stopped_reason for task in stopped if task.stopped and _unasked(task)), "")


def _killer(task: Task, router: str) -> Container | None:
    return next((one for one in task.containers if one.name == router and _ended_by_itself(one)), None)


def _router_runs(task: Task, router: str) -> bool:
    return not task.stopped and any(
        one.name == router and one.status == RUNNING and one.health != "UNHEALTHY" for one in task.containers
    )


def _ended_by_itself(container: Container) -> bool:
    """It failed, and was not only told to stop. A container that never started has a reason and no exit code."""
    if container.health == "UNHEALTHY" or container.reason.startswith("OutOfMemory"):
        return True
    if container.exit_code is None:
        return "Error" in container.reason.partition(":")[0]
    return container.exit_code not in STOPPED_FROM_OUTSIDE


def _words(container: Container, task: Task) -> str:
    why = container.reason or task.stopped_reason
    if container.exit_code is None:
        said = "is unhealthy" if container.health == "UNHEALTHY" else "did not start"
    else:
        said = f"exited {container.exit_code}"
    return f"{container.name} {said}: {why}" if why else f"{container.name} {said}"


def _unasked(task: Task) -> bool:
    """Not stopped by a person or the service's scaling."""
    return not task.stopped_reason.startswith(("Scaling activity", "Task stopped by user"))
