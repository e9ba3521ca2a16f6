"""Containers that a test or a demo wants to break: which tasks, in which way, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from controller.sandbox.arns import short_name
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision

# exit: with an exit code; out_of_memory: killed, 137; unpullable: its image is not to be had;
# unhealthy: its health check fails, though it runs.
Way = Literal["exit", "out_of_memory", "unpullable", "unhealthy"]
_WAYS = get_args(Way)
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Ailment:
    """What befalls a container, `after` seconds of running; after None of them it never comes up well."""

    way: Way = "exit"
    exit_code: int = 1
    reason: str | None = None
    after: float | None = None

    def __post_init__(self) -> None:
        if self.way not in _WAYS:
            raise ValueError(f"a container breaks in one of these ways: {', '.join(_WAYS)}; not {self.way!r}")
        if self.after is not None and (self.after <= 0 or self.way == "unpullable"):
            raise ValueError("`after` is a number of seconds above 0, for a container that starts well")

    @property
    def code(self) -> int:
        return _KILLED if self.way == "out_of_memory" else self.exit_code

    def told(self, container: Json) -> str:
        """The `reason` that ECS gives for the container."""
        if self.reason:
            return self.reason
        if self.way == "out_of_memory":
            return _OUT_OF_MEMORY
        if self.way == "unpullable":
            return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): {container['image']}"
        return f"Container exited with code {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a fault is for; None is any.

    `service` is a name or ARN. `revision` is `family:number` or an ARN, `label` the `name=value` of a Docker
    label that some container carries: a fault for one of these is for every task of such a definition.
    """

    container: str
    service: str | None = None
    revision: str | None = None
    label: str | None = None

    @property
    def names_definitions(self) -> bool:
        return self.revision is not None or self.label is not None

    def matches(self, service: str | None, definition: Revision) -> bool:
        return (
            (self.service is None or short_name(self.service) == service)
            and (self.revision is None or short_name(self.revision) == short_name(definition.arn))
            and (self.label is None or self.label in _labels(definition))
            and any(one["name"] == self.container for one in definition.containers)
        )


def _labels(definition: Revision) -> Iterator[str]:
    for container in definition.containers:
        yield from (f"{name}={value}" for name, value in container.get("dockerLabels", {}).items())


@dataclass(eq=False, slots=True)
class Fault:
    """`rollouts` of the target strike, or where that is None every one of its tasks, until it is mended."""

    id: str
    target: Target
    ailment: Ailment
    rollouts: int | None = 1
    mended: bool = False


@dataclass(slots=True)
class Faults:
    known: list[Fault] = field(default_factory=list)
    _made: int = 0

    def add(self, target: Target, ailment: Ailment, *, rollouts: int | None) -> str:
        """The id by which `mend` knows it. Raises ValueError where `rollouts` makes no sense."""
        if rollouts is not None and (rollouts < 1 or target.names_definitions):
            raise ValueError("`rollouts` is a number above 0, and goes with no revision or label: those strike always")
        self._made += 1
        self.known.append(Fault(f"fault-{self._made}", target, ailment, rollouts))
        return self.known[-1].id

    def mend(self, fault: str | None) -> None:
        """Containers that it has broken stay so; it breaks no more. None is all. Raises KeyError for no such."""
        found = [one for one in self.known if fault in {None, one.id}]
        if fault is not None and not found:
            raise KeyError(fault)
        for one in found:
            one.mended = True
            self.known.remove(one)

    def take(self, service: str, definition: Revision) -> Fault | None:
        """The fault for a rollout that is starting; it waits on where the definition has no such container."""
        for fault in self.known:
            if fault.rollouts and fault.target.matches(service, definition):
                fault.rollouts -= 1
                return fault
        return None

    def of_task(self, taken: Fault | None, service: str | None, definition: Revision) -> Sequence[Fault]:
        """What is wrong with a task of that service; `taken` is the fault of its rollout."""
        lasting = [one for one in self.known if one.rollouts is None and one.target.matches(service, definition)]
        return [taken, *lasting] if taken and not taken.mended else lasting
