"""Rollouts that a test or a demo wants to fail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from controller.sandbox.arns import short_name


@dataclass(frozen=True, slots=True)
class Fault:
    """Every task of one rollout dies as it starts: `container` exits with `exit_code`.

    `service` is a name or ARN, None for whichever comes first.
    """

    service: str | None
    container: str
    exit_code: int
    reason: str


@dataclass(slots=True)
class Faults:
    """Faults that wait for the rollout they are meant for."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, service: str, containers: Collection[str]) -> Fault | None:
        """The fault for a rollout of `service` that is starting; it strikes once.

        A fault waits on where the new task definition has no container of that name.
        """
        for fault in self.waiting:
            if fault.service is not None and short_name(fault.service) != service:
                continue
            if fault.container in containers:
                self.waiting.remove(fault)
                return fault
        return None
