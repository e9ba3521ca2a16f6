"""What a route can be matched against: one service (or task family) and its application's definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.taskdef.body import Body


@dataclass(frozen=True, slots=True)
class Subject:
    """`tags` are the ECS service's. None means "not known here", as in `inject` without a cluster."""

    account: str | None
    """The account's name in the settings."""
    region: str | None
    cluster: str | None
    service: str | None
    family: str
    app: Body = field(repr=False)
    """The application's own definition: stripped, in register form."""
    tags: Mapping[str, str] | None = None
    adopted: bool = False
    """Ours stands already where `app` has a router of its own."""

    @property
    def network_mode(self) -> str:
        return str(self.app.get("networkMode") or "bridge")

    @property
    def name(self) -> str:
        return f"{self.cluster}/{self.service}" if self.service else self.family


class Refusal(Exception):
    """A service cannot have what the routes ask for. `reason` is one of api.conditions.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return self.message
