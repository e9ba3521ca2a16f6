"""Which Fluent Bit an image holds. Known for AWS's own tags (aws-for-fluent-bit releases); else it must be said."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, get_args

Engine = Literal["1.9.10", "5.0.9", "5.1", "unchecked"]
ENGINES: tuple[str, ...] = get_args(Engine)
UNCHECKED = "unchecked"
VERSIONS: tuple[str, ...] = tuple(engine for engine in ENGINES if engine != UNCHECKED)
"""The versions that the catalogue knows, oldest first."""

_IMAGE = re.compile(r"(?:[^@]*/)?aws-for-fluent-bit:(?P<tag>[^@:/]+)(?:@sha256:[0-9a-f]{64})?")
_TAG = re.compile(r"(?:(?:init|debug|amd64|arm64)-)*(\d+)\.(\d+)(?:\.(\d+))?(?:\.\d+)*")
_FIRST_OF_5_0, _LAST_OF_5_0 = 9, 15
"""Patch releases of aws-for-fluent-bit 3.4 that carry Fluent Bit 5.0.9."""


class EngineError(ValueError):
    """No engine can be told for this image, or none that works. `code` is stable, `hint` says what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def engine_of(image: str, stated: str | None) -> str:
    """The engine that `image` runs: as stated, else as AWS's tag tells. Raises EngineError."""
    known = known_engine(image)
    if stated is not None:
        return stated
    if known is None:
        raise EngineError(
            "ENGINE_REQUIRED",
            f"which Fluent Bit is in {image} cannot be told from its tag",
            f"state spec.engine ({', '.join(ENGINES)}), or pin a release such as init-3.4.15",
        )
    return known


@lru_cache(maxsize=256)
def known_engine(image: str) -> str | None:
    """What AWS's tag says; None for floating tags, digests, releases not known here and other images.

    Raises EngineError for the release that AWS took back, whatever engine is stated.
    """
    match = _IMAGE.fullmatch(image)
    version = _TAG.fullmatch(match["tag"]) if match else None
    if not version:
        return None
    major, minor, patch = (int(part) if part else None for part in version.groups())
    if (major, minor, patch) == (3, 5, 0):
        raise EngineError(
            "ENGINE_REVERTED",
            "aws-for-fluent-bit 3.5.0 was reverted by AWS: its Fluent Bit 5.1.0 aborts where both "
            "FLB_LOG_LEVEL and [SERVICE] log_level are set (fluent-bit#12310)",
            "use init-3.5.8 or init-3.4.15",
        )
    return _engine_of_release(major, minor, patch)


def _engine_of_release(major: int | None, minor: int | None, patch: int | None) -> str | None:
    if major == 2:  # noqa: PLR2004 - the release line
        return "1.9.10"
    if (major, minor) == (3, 4) and patch is not None and _FIRST_OF_5_0 <= patch <= _LAST_OF_5_0:
        return "5.0.9"
    return "5.1" if (major, minor) == (3, 5) else None
