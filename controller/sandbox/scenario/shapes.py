"""The shape of a scenario. Scalars may be text, as a YAML reader that takes nothing for granted gives them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from controller.sandbox.actors.shapes import Ci, CiCopy, Person, PutObject, Retention, Shape, Terraform, Text, check_one
from controller.sandbox.bodies import ContainerFault, Definition, Mending, RolloutFault, ServiceBody
from controller.sandbox.endpoint.faults import Fault
from controller.sandbox.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smh])")


def _seconds(value: Any) -> Any:
    """`90s`, `1h30m`, or a plain number of seconds."""
    if not isinstance(value, str) or re.fullmatch(r"\d{1,9}(\.\d{1,3})?", value):
        return value
    if not re.fullmatch(rf"(?:{_PART.pattern})+", value):
        raise PydanticCustomError("duration", "a duration is written like 90s, 15m or 1h30m")
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(value))


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=10**9)]


class Speeds(Shape):
    """`Settings`, and what a sandbox is started with besides. None: as without a scenario."""

    speed: Annotated[float, Field(gt=0)] | None = None
    region: Text | None = None
    throttle: bool | None = None
    lag_seconds: Seconds | None = None
    start_seconds: Seconds | None = None
    stop_seconds: Seconds | None = None
    steady_seconds: Seconds | None = None
    stopped_task_seconds: Seconds | None = None
    stage_seconds: Seconds | None = None
    deployment_lag_seconds: Seconds | None = None
    history_seconds: Seconds | None = None
    inactive_lag_seconds: Seconds | None = None
    delete_seconds: Seconds | None = None
    daemon_instances: Annotated[int, Field(ge=0)] | None = None

    def settings(self, *, throttle: bool) -> Settings:
        """`throttle` holds where the scenario does not say."""
        stated = self.model_dump(exclude_none=True, exclude={"speed", "region"})
        return Settings(**{"throttle": throttle, **stated})


class Step(Shape):
    """One thing that happens when the clock has gone so far. Of two at the same time the first is first."""

    at: Seconds
    advance: Seconds | None = None
    fail_next_rollout: RolloutFault | None = None
    break_container: ContainerFault | None = None
    mend: Mending | None = None
    fault: Fault | None = None
    remove_fault: Text | None = None
    ci: Ci | None = None
    ci_copy: CiCopy | None = None
    terraform: Terraform | None = None
    person: Person | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        check_one(self, ACTIONS)
        return self

    @property
    def action(self) -> str:
        return next(name for name in ACTIONS if getattr(self, name) is not None)


ACTIONS = tuple(name for name in Step.model_fields if name != "at")


class Scenario(Shape):
    settings: Speeds = Speeds()
    clusters: tuple[Text, ...] = ()
    task_definitions: tuple[Definition, ...] = ()
    """As RegisterTaskDefinition takes them, in this order."""
    buckets: tuple[Text, ...] = ()
    objects: tuple[PutObject, ...] = ()
    log_groups: tuple[Retention, ...] = ()
    services: tuple[ServiceBody, ...] = ()
    """As CreateService takes them."""
    steps: tuple[Step, ...] = ()
