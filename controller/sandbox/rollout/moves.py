"""What the scheduler is to do next with the tasks of a service."""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.sandbox.model.services import Deployment
from controller.sandbox.model.tasks import Task


@dataclass(slots=True)
class Moves:
    stop: list[Task] = field(default_factory=list)
    start: list[tuple[Deployment, int]] = field(default_factory=list)

    def scale(self, deployment: Deployment, count: int) -> None:
        wanted = [task for task in deployment.tasks if task.wanted]
        self.stop += wanted[count:]
        if (missing := count - len(wanted)) > 0:
            self.start.append((deployment, missing))
