"""Settings of what is heard from outside, and answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from controller.api.values import Duration, Model
from controller.secret_reader import SecretRef
from controller.settings.parsing import several

SecretRefs = Annotated[tuple[SecretRef, ...], BeforeValidator(several)]
"""Several count side by side, while one is changed for the next."""


QueueUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.:{}_-]+/[A-Za-z0-9{}_-]+/[A-Za-z0-9{}_.-]+$")
]


class ApiSettings(Model):
    """Who may ask for something over HTTP: see [api.md](api.md)."""

    token: SecretRefs = ()
    """Where the bearer token of the API's actions is: `env:NAME`, `file:/path` or a Secrets Manager ARN; a list while
    it is changed. Unset: nobody can ask for anything, and everybody can read.
    """


class HookSettings(Model):
    """Who may say that the source changed: see [hooks.md](hooks.md). Each names the secret of its hook, as `api.token`
    does.
    """

    github: SecretRefs = ()
    """Of `/hooks/github`."""
    gitlab: SecretRefs = ()
    """Of `/hooks/gitlab`: its signing token, or its secret token."""
    bitbucket: SecretRefs = ()
    """Of `/hooks/bitbucket`."""
    generic: SecretRefs = ()
    """Of `/hooks/generic`, signed as the Standard Webhooks specification says."""


class EventSettings(Model):
    """Events of AWS that say where to look at once: see [events.md](events.md)."""

    queue: QueueUrl | None = None
    """URL of an SQS queue: that of the controller's own account and region, or one for each where it holds `{account}`
    (the id), `{region}` or `{shard}`. What has none is polled.
    """
    resync: Annotated[Duration, Field(gt=0, le=3600)] = 3600.0
    """How often every service is looked at while events come through, an hour at the most; `resync` counts else."""
