"""What a service should have, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.api.conditions import Reason
from controller.api.kinds import LogGroupSpec
from controller.taskdef.overlay import Overlay

PIPELINE, PARSERS = "pipeline.conf", "parsers.conf"
"""Base names of the config objects. The init image puts them, unquoted, into a shell script."""


@dataclass(frozen=True, slots=True)
class ConfigStore:
    """Where config objects and state lie: `s3://bucket/prefix`, with account and region filled in."""

    bucket: str
    prefix: str
    partition: str = "aws"

    def key(self, *parts: str) -> str:
        return "/".join((*((self.prefix,) if self.prefix else ()), *parts))

    @property
    def arn(self) -> str:
        """The ARN prefix of everything in the store."""
        return f"arn:{self.partition}:s3:::{self.in_bucket('')}"

    def in_bucket(self, key: str) -> str:
        return f"{self.bucket}/{self.key(key)}"


@dataclass(frozen=True, slots=True)
class ConfigObject:
    """One config file; it lies under the sha256 of its own bytes."""

    name: str
    body: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def path(self) -> str:
        """Below the store's prefix."""
        return f"{self.sha256}/{self.name}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say on one route about one service."""

    route: str
    reason: Reason
    message: str
    left_out: bool = False
    """The route has no part in the task."""


@dataclass(frozen=True, slots=True)
class Desired:
    """`overlay` None: no route, so no router."""

    overlay: Overlay | None
    configs: tuple[ConfigObject, ...] = ()
    log_groups: tuple[LogGroupSpec, ...] = ()
    made_groups: frozenset[str] = frozenset()
    """Groups that no spec asks for, but the router's own logs need."""
    routes: tuple[str, ...] = ()
    route_digests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    engine: str = ""
    """The Fluent Bit that the configs are for: one of fluentbit.engines.ENGINES."""

    @property
    def left_out(self) -> dict[str, tuple[str, str]]:
        """Routes that select the service and have no part in it → reason and message."""
        return {note.route: (note.reason.value, note.message) for note in self.notes if note.left_out}

    @property
    def digest(self) -> str:
        return self.overlay.digest if self.overlay else ""
