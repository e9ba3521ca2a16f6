"""Settings of who is told."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from controller.api.events import EventKind
from controller.api.values import Label, Model
from controller.secret_reader import SecretRef

TOPIC = r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"
RouteGlob = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,63}/[a-z0-9*?-]{1,63}$")]


class WebhookSettings(Model):
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]
    """https, or http on this machine."""
    secret: SecretRef
    """Where the secret is that signs each message, after the Standard Webhooks specification."""


class NotificationSettings(Model):
    """One of `slack`, `webhook` and `sns`, and what it is told: see [notifications.md](notifications.md)."""

    name: Label
    """In metrics and logs."""
    severity: Literal["info", "warning", "error"] = "warning"
    """Events below are not told."""
    routes: tuple[RouteGlob, ...] = ()
    """Of which routes, by `namespace/name` or globs; all when empty."""
    kinds: tuple[EventKind, ...] = ()
    """Which kinds of events; when empty, all that people act upon."""
    slack: SecretRef | None = None
    """Where the URL of a Slack incoming webhook is, or of something that takes the same: `env:NAME`, `file:/path` or a
    Secrets Manager ARN.
    """
    webhook: WebhookSettings | None = None
    """Where signed JSON goes."""
    sns: Annotated[str, StringConstraints(pattern=TOPIC)] | None = None
    """ARN of a topic in the controller's own account."""

    @model_validator(mode="after")
    def _goes_one_way(self) -> Self:
        if sum(one is not None for one in (self.slack, self.webhook, self.sns)) != 1:
            raise ValueError("give exactly one of slack, webhook and sns")
        return self
