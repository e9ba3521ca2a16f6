"""Lints of the router's image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from controller.api.problems import Severity
from controller.fluentbit.engines import UNCHECKED, VERSIONS, known_engine
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.lint import Lint
from controller.fluentbit.words import shown

IMAGE_FLOATING = Lint(
    "IMAGE_FLOATING",
    Severity.WARNING,
    "An image without a tag, with `latest` or `stable`, or with a tag of AWS's that moves, such as `init-3`.",
    "What a task runs depends on the day that it started. A new release changes the router everywhere, without a "
    "rollout that could be watched and rolled back, and its Fluent Bit may not take the config.",
    "pin a release, such as init-3.4.15",
)
IMAGE_END_OF_LIFE = Lint(
    "IMAGE_END_OF_LIFE",
    Severity.WARNING,
    "An image of the 2.x line, or the engine 1.9.10.",
    "AWS ended aws-for-fluent-bit 2.x on 2026-06-30: no more fixes, not even for security.",
    "move to init-3.4.15",
)
ENGINE_MISMATCH = Lint(
    "ENGINE_MISMATCH",
    Severity.WARNING,
    "An `engine` that is another than the one that AWS's tag is known to hold.",
    "Options are checked against the stated engine: what passes here may stop the router that really runs.",
    "leave engine out",
)

IMAGE_WITHOUT_INIT = Lint(
    "IMAGE_WITHOUT_INIT",
    Severity.WARNING,
    "AWS's image without `init-` in its tag, where the init process has to fetch the config.",
    "The router starts without a pipeline: nothing reads the variables that name the config, every log is dropped, and "
    "the health check finds no server.",
    "write init- before the version, such as init-3.4.15; on EC2, delivery: firelens-s3 does without it",
)

_OLD = VERSIONS[0]
_MOVING = frozenset({"", "latest", "stable", "init-latest", "init-stable"})
_AWS = re.compile(r"(?:.*/)?aws-for-fluent-bit")
_AWS_TAG = re.compile(r"(?:.*/)?aws-for-fluent-bit:[^@]+(?:@.*)?")
_RELEASE = re.compile(r"(?:[a-z0-9]+-)*\d+\.\d+\.\d+(?:[.-].*)?")


def lint_image(image: str, engine: str, *, needs_init: bool = True) -> Iterator[Finding]:
    """`engine` is the one that counts; `needs_init`: the config comes through the init process. Raises EngineError for
    the release that AWS took back. Paths start at the spec of the class.
    """
    if _floats(image):
        yield IMAGE_FLOATING.at(("image",), f"the image {shown(image)} is not the same every day")
    if needs_init and _AWS_TAG.fullmatch(image) and "init-" not in image.rpartition(":")[2]:
        yield IMAGE_WITHOUT_INIT.at(("image",), f"nothing in the image {shown(image)} fetches the config")
    known = known_engine(image)
    if _OLD in (known, engine):
        at = "image" if known == _OLD else "engine"
        yield IMAGE_END_OF_LIFE.at(
            (at,), f"aws-for-fluent-bit 2.x, with Fluent Bit {_OLD}, has had no fixes since 2026-06-30"
        )
    if known and engine not in (known, UNCHECKED):
        message = f"the engine is said to be {engine}, but AWS's image {shown(image)} holds {known}"
        yield ENGINE_MISMATCH.at(("engine",), message, f"say {known}, or leave it out")


def _floats(image: str) -> bool:
    if "@" in image:
        return False
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        name, tag = image, ""
    return tag in _MOVING or bool(_AWS.fullmatch(name) and not _RELEASE.fullmatch(tag))
