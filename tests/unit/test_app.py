"""What the composition root refuses before anything is contacted."""

from __future__ import annotations

from typing import Any

import pytest

from controller import app
from controller.settings import GitSettings, Settings, SettingsError, Tenant


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("tenants", {"tenants": (Tenant(namespaces=("web",)),)}),
        ("git.verify", {"git": GitSettings(verify=("keys/allowed",))}),
    ],
)
def test_a_protection_that_is_not_enforced_is_refused(name: str, asked: dict[str, Any]) -> None:
    settings = Settings(source="specs", config_store="s3://configs/logroute", region="eu-west-1")
    with pytest.raises(SettingsError, match=f"{name} is set, and this version does not enforce it"):
        app.build(settings.model_copy(update=asked))
