"""What the pages need of the rest, as Protocols; and what can be wrong with a request.

WebError
├── Unknown     there is no such thing: 404
└── Refusal     it cannot be done as things stand: 409
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from controller.api.errors import Explained
from controller.api.events import Event


class WebError(Explained):
    """A request that cannot be carried out; the text says why."""


class Unknown(WebError):
    """There is no such thing."""


class Refusal(WebError):
    """It is there, and cannot be done as things stand."""


class View(Protocol):
    """Called on threads; each may take a moment."""

    def version(self) -> tuple[int, int]:
        """Another one when something to show has changed. Never waits."""

    def status(self) -> Mapping[str, Any]:
        """What `logroute status --format json` shows, of all replicas."""

    def plans(self) -> list[dict[str, Any]]: ...

    def events(self) -> list[Event]:
        """The latest first."""

    def history(self, about: str) -> list[Event]:
        """Of one service, the latest first. Raises Unknown."""


class Actions(Protocol):
    """What a person may ask for. Each returns a sentence; raises WebError, Explained."""

    def reconcile(self, route: str, who: str, why: str) -> str: ...

    def suspend(self, route: str, who: str, why: str) -> str: ...

    def resume(self, route: str) -> str: ...

    def approve(self, digest: str, who: str) -> str: ...
