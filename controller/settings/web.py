"""Settings of what is heard and answered over HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from controller.api.values import Model
from controller.secret_reader import SecretRef
from controller.settings.parsing import TOLD, several

SecretRefs = Annotated[tuple[SecretRef, ...], BeforeValidator(several)]
"""Several count side by side, while one is changed for the next."""


class ApiSettings(Model):
    """Who may ask for something over HTTP: see [api.md](api.md)."""

    model_config = TOLD

    token: SecretRefs = ()
    """Where the bearer token of the API's actions is: `env:NAME`, `file:/path` or a Secrets Manager ARN; a list while
    it is changed. Unset: nobody can ask for anything, and everybody can read.
    """


class HookSettings(Model):
    """Who may say that the source changed: see [hooks.md](hooks.md). Each names the secret of its hook, as `api.token`
    does.
    """

    model_config = TOLD

    github: SecretRefs = ()
    """Of `/hooks/github`."""
    gitlab: SecretRefs = ()
    """Of `/hooks/gitlab`: its signing token, or its secret token."""
    bitbucket: SecretRefs = ()
    """Of `/hooks/bitbucket`."""
    generic: SecretRefs = ()
    """Of `/hooks/generic`, signed as the Standard Webhooks specification says."""
