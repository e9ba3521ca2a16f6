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

_OLD = VERSIONS[0]
_MOVING = frozenset({"", "latest", "stable", "init-latest", "init-stable"})
_AWS = re.compile(r"(?:.*/)?aws-for-fluent-bit")
_RELEASE = re.compile(r"(?:[a-z0-9]+-)*\d+\.\d+\.\d+(?:[.-].*)?")


def lint_image(image: str, engine: str) -> Iterator[Finding]:
    """`engine` is the one that counts. Raises EngineError for the release that AWS took back. Paths start at the
    spec of the class.
    """
    if _floats(image):
        yield IMAGE_FLOATING.at(("image",), f"the image {shown(image)} is not the same every day")
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
