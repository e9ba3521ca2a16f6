"""What the composition root refuses before anything is contacted."""

from __future__ import annotations

import pytest

from controller import app
from controller.settings import GitSettings, Settings, SettingsError


def test_a_protection_that_is_not_enforced_is_refused() -> None:
    settings = Settings(source="specs", config_store="s3://configs/logroute", region="eu-west-1")
    with pytest.raises(SettingsError, match=r"git\.verify is set, and this version does not enforce it"):
        app.build(settings.model_copy(update={"git": GitSettings(verify=("keys/allowed",))}))
