"""Settings of what waits for a person, how fast it goes, and what is put away."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from controller.api.values import Model, Share
from controller.settings.parsing import off


class Guards(Model):
    max_share: Share = "20%"
    """Beyond this share of the services that are looked after, and beyond `maxCount`, restores and repairs that no
    changed spec explains wait for `logroute approve`.
    """
    max_count: int = Field(3, ge=0)
    """See `maxShare`."""
    first_run: Literal["apply", "plan"] = "apply"
    """`plan`: a first run writes nothing before it is approved."""
    self_: Literal["refuse", "allow"] = Field("refuse", alias="self")
    """`refuse`: the controller's own ECS service is out of reach of specs; its task metadata tells which it is."""


def _fraction(value: Any) -> Any:
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else value


class Limits(Model):
    share: Annotated[float, BeforeValidator(_fraction), Field(gt=0, le=100)] = 0.5
    """Share of AWS's sustained call rates that is used, such as `50%`; over `100%` only where AWS raised the quotas."""


class Garbage(Model):
    """What nothing needs any more. `configs`: config objects that nothing has named for `grace_days`; `revisions`:
    those of LogRoute's own beyond the latest `keep_revisions` of a family.
    """

    configs: Annotated[Literal["off", "dry-run", "delete"], BeforeValidator(off)] = "dry-run"
    """Config objects that nothing names: told only, or deleted."""
    grace_days: int = Field(30, ge=1, le=3650)
    """Days for which nothing must have named them."""
    revisions: Annotated[Literal["off", "dry-run", "deregister"], BeforeValidator(off)] = "off"
    """Superseded revisions of LogRoute's own: told only, or deregistered."""
    keep_revisions: int = Field(10, ge=1, le=1000)
    """The latest of a family that stay."""
