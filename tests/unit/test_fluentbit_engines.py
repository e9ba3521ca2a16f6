"""Which engine an image holds: known for AWS's tags, else it must be said."""

from __future__ import annotations

import pytest

from controller.fluentbit.engines import EngineError, engine_of

REPOSITORY = "public.ecr.aws/aws-observability/aws-for-fluent-bit"


@pytest.mark.parametrize(
    ("tag", "engine"),
    [
        ("2.32.4", "1.9.10"),
        ("init-2.32.4", "1.9.10"),
        ("2.31.12.20231011", "1.9.10"),
        ("init-debug-2.32.0", "1.9.10"),
        ("init-3.4.9", "5.0.9"),
        ("3.4.15", "5.0.9"),
        ("init-3.5.8", "5.1"),
        ("init-3.5", "5.1"),
        ("init-3.4.15@sha256:" + "0" * 64, "5.0.9"),
    ],
)
def test_awss_tags_tell_their_engine(tag: str, engine: str) -> None:
    for repository in (
        REPOSITORY,
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-for-fluent-bit",
        "amazon/aws-for-fluent-bit",
    ):
        assert engine_of(f"{repository}:{tag}", None) == engine


@pytest.mark.parametrize(
    "image",
    [
        f"{REPOSITORY}:latest",
        f"{REPOSITORY}:stable",
        f"{REPOSITORY}:init-3",
        f"{REPOSITORY}:init-3.4",
        f"{REPOSITORY}:init-3.4.8",
        f"{REPOSITORY}:init-3.4.16",
        f"{REPOSITORY}:init-4.0.0",
        f"{REPOSITORY}@sha256:{'0' * 64}",
        REPOSITORY,
        "fluent/fluent-bit:2.2.0",
        "example.com:5000/own-build:2.32.4",
    ],
)
def test_other_images_must_say_their_engine(image: str) -> None:
    with pytest.raises(EngineError) as raised:
        engine_of(image, None)
    assert raised.value.code == "ENGINE_REQUIRED"
    assert "spec.engine" in raised.value.hint
    assert engine_of(image, "5.1") == "5.1"


@pytest.mark.parametrize("stated", [None, "5.1", "unchecked"])
def test_the_release_that_aws_took_back_is_refused_whatever_is_said(stated: str | None) -> None:
    with pytest.raises(EngineError, match="reverted") as raised:
        engine_of(f"{REPOSITORY}:init-3.5.0", stated)
    assert raised.value.code == "ENGINE_REVERTED"
