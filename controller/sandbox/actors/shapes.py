"""What actors can be told to do: the bodies of `/_sandbox/<actor>` and the steps of a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from controller.sandbox.bodies import Definition

Text = Annotated[str, StringConstraints(min_length=1)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfService(Shape):
    service: Text
    cluster: Text = "default"
    region: Text | None = None


class Ci(OfService):
    """Registers the definition of its repository and deploys it."""

    deploy: bool = True
    """False: only registers, as a pipeline does whose deploy comes later. The family's latest is then not what runs."""

    definition: Definition
    image: Text | None = None
    container: Text | None = None
    """Whose image; None: the first container's."""


class CiCopy(OfService):
    """Copies a revision, as DescribeTaskDefinition shows it, with another image. Tags do not come along."""

    image: Text
    container: Text | None = None
    of: Literal["live", "latest"] = "live"
    """`latest` of the family need not be what runs: tools that copy it bring out what others only registered."""


class Terraform(OfService):
    """One `apply`. Its state holds the revision and the body of each service from one apply to the next."""

    definition: Definition | None = None
    """None: as at the last apply; at the first one, whatever the service has is imported."""
    skip_destroy: bool = False
    """Leave the old revision ACTIVE when the body changes."""


class RollBack(OfService):
    to: Text = "previous"
    """`family:revision`, or the ACTIVE revision before the live one."""


class Scale(OfService):
    count: int = Field(ge=0)


class Redeploy(OfService):
    """Forces a new deployment of what is there."""


class DeleteObject(Shape):
    bucket: Text
    key: Text
    region: Text | None = None


class PutObject(DeleteObject):
    content: str


class Retention(Shape):
    log_group: Text
    days: int = Field(ge=0)
    """0: events never expire."""
    region: Text | None = None


class Person(Shape):
    """One thing that somebody does at a console."""

    roll_back: RollBack | None = None
    scale: Scale | None = None
    redeploy: Redeploy | None = None
    delete_object: DeleteObject | None = None
    put_object: PutObject | None = None
    retention: Retention | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        check_one(self, type(self).model_fields)
        return self

    @property
    def deed(self) -> Shape:
        found: Shape = next(value for _, value in self if value is not None)
        return found


def check_one(shape: BaseModel, names: Iterable[str]) -> None:
    """Exactly one of `names` must be stated."""
    stated = [name for name in names if getattr(shape, name) is not None]
    if len(stated) != 1:
        raise PydanticCustomError("one_of", "exactly one is needed of {names}", {"names": ", ".join(names)})
