"""Settings of where LogRoute looks, and how it gets there."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from controller.api.values import ARN, Glob, Label, Model, Region


class AccountSettings(Model):
    """How to get into an account, and where to look there. Empty: the controller's own credentials."""

    role_arn: Annotated[str, StringConstraints(pattern=ARN)] | None = None
    """The role that is assumed there; none: the controller's own account."""
    external_id: str | None = None
    """What that role's trust policy asks for."""
    regions: tuple[Region, ...] = ()
    """The regions to look after; the controller's own when empty."""
    clusters: tuple[Glob, ...] = ()
    """Names and globs: LogRoute looks nowhere else here, whatever specs say; everywhere when empty."""
    shards: dict[Label, Annotated[tuple[Glob, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """In the place of `clusters`: names of parts, each with its clusters, which replicas share: see
    [replicas.md](replicas.md). A cluster is of the first part that names it.
    """

    @model_validator(mode="after")
    def _is_bounded_once(self) -> Self:
        if self.shards and self.clusters:
            raise ValueError("clusters and shards both say where to look: give one of them")
        return self


class Deny(Model):
    """What LogRoute goes nowhere near, whatever specs and other settings say."""

    accounts: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,63}$")], ...] = ()
    """Names of the setting `accounts`, or account ids of 12 digits."""
    clusters: tuple[Glob, ...] = ()
    """Names and globs, in every account."""
