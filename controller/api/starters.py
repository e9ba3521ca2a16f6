"""What starts the jobs of a task family by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Starter:
    """What starts tasks of a task definition: a target of an EventBridge rule, or a schedule of its Scheduler."""

    kind: Literal["rule", "schedule"]
    group: str
    """The event bus, or the schedule group."""
    name: str
    target: str
    """The target's id in its rule; "" for a schedule, which has one."""
    task_definition: str
    """The ARN as given: with its revision, or without."""

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.group}/{self.name}/{self.target}"

    @classmethod
    def of(cls, id_: str, task_definition: str) -> Starter:
        """ValueError where `id_` is none."""
        kind, group, name, target = id_.split("/")
        return cls("rule" if kind == "rule" else "schedule", group, name, target, task_definition)

    @property
    def family(self) -> str:
        """The ARN without its revision."""
        return self.task_definition.rsplit(":", 1)[0] if self.pinned else self.task_definition

    @property
    def pinned(self) -> bool:
        """It names one revision, so that a new one changes nothing for it."""
        return self.task_definition.rsplit(":", 1)[-1].isdigit()

    def __str__(self) -> str:
        return f"{self.kind} {self.group}/{self.name}"
