"""Task definitions: families, and their revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from controller.sandbox.model import Json


@dataclass(slots=True)
class Revision:
    """One registered revision. `body` is what DescribeTaskDefinition shows; only its status ever changes."""

    body: Json
    tags: list[Json]

    @property
    def arn(self) -> str:
        return cast("str", self.body["taskDefinitionArn"])

    @property
    def status(self) -> str:
        return cast("str", self.body["status"])

    @property
    def containers(self) -> list[Json]:
        return cast("list[Json]", self.body["containerDefinitions"])


@dataclass(slots=True)
class Family:
    """Revision numbers only grow: a deleted one is never used again."""

    name: str
    revisions: dict[int, Revision] = field(default_factory=dict)
    last_number: int = 0

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def latest_active(self) -> Revision | None:
        active = [number for number, revision in self.revisions.items() if revision.status == "ACTIVE"]
        return self.revisions[max(active)] if active else None
