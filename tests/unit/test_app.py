"""What the composition root refuses before anything is contacted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller import app
from controller.settings import GitSettings, GitVerify, S3Settings, Settings, SettingsError
from controller.sources import SourceError

VERIFIED = GitSettings(verify=GitVerify(keys=(Path("keys/allowed"),)))


def settings(source: str = "specs", **more: Any) -> Settings:
    return Settings(source=source, config_store="s3://configs/logroute", region="eu-west-1").model_copy(update=more)


@pytest.mark.parametrize(
    ("source", "asked", "said"),
    [
        ("specs", {"git": VERIFIED}, "git.verify is set, and the source specs is no git repository"),
        ("s3://specs/here", {"git": VERIFIED}, "git.verify is set, and the source s3://specs/here is no git"),
        ("git+file:///r", {"s3": S3Settings(bucket_owner="123456789012")}, "s3 is set, and the source .* is not in S3"),
    ],
)
def test_a_protection_that_the_source_cannot_have_is_refused(source: str, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        app.build(settings(source, **asked))


def test_unusable_keys_are_refused_before_anything_is_contacted() -> None:
    with pytest.raises(SourceError, match="the key file keys/allowed cannot be read"):
        app.build(settings("git+file:///r", git=VERIFIED))
