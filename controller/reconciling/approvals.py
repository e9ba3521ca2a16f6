"""Blocked plans and their approvals, as small objects in the config store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from controller.api.errors import Explained
from controller.aws.ports import NotFound, ObjectStore, PreconditionFailed
from controller.planning.guards import Permit

VALID_SECONDS = 24 * 3600
"""An approval is for what is blocked now: it must not open the door to the same restores next month."""
JSON = "application/json"
APPROVED = {"approved": True}


class ApprovalError(Explained):
    """The digest names no blocked plan, or several."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """`prefix` is the key prefix of state; `now` in seconds since the epoch."""

    objects: ObjectStore
    prefix: str
    now: Callable[[], float]

    def lines(self) -> frozenset[str]:
        """All that is approved and still counts. Raises AwsError."""
        found: set[str] = set()
        for info in self.objects.list(f"{self.prefix}/approved/"):
            with suppress(ValueError, TypeError, KeyError):  # a damaged approval approves nothing
                plain = orjson.loads(self.objects.get(info.key).body)
                if self.now() - plain["at"] < VALID_SECONDS:
                    found |= {str(line) for line in plain["lines"]}
        return frozenset(found)

    def block(self, permit: Permit) -> None:
        """Write down what waits, so that a digest can be approved. Raises AwsError."""
        body = {"digest": permit.digest, "why": permit.why, "lines": sorted(permit.blocked)}
        with suppress(PreconditionFailed):  # the same plan, blocked before
            self.objects.put(self._blocked(permit.digest), orjson.dumps(body), content_type=JSON, create=True)

    def first_run(self, *, remembers_nothing: bool, record: bool) -> bool:
        """Whether this is a first run that nobody has approved yet. What began as one stays one until then."""
        key = f"{self.prefix}/first-run.json"
        try:
            return bool(orjson.loads(self.objects.get(key).body) != APPROVED)
        except NotFound:
            if remembers_nothing and record:
                with suppress(PreconditionFailed):
                    self.objects.put(key, orjson.dumps({"approved": False}), content_type=JSON, create=True)
            return remembers_nothing
        except ValueError:
            return True

    def approve(self, digest: str) -> dict[str, Any]:
        """Approve a blocked plan by its digest or the start of it. Raises ApprovalError, AwsError."""
        prefix = f"{self.prefix}/blocked/"
        keys = [info.key for info in self.objects.list(prefix + digest)]
        if len(keys) != 1:
            what = "no blocked plan has" if not keys else f"{len(keys)} blocked plans have"
            raise ApprovalError(f"{what} a digest that starts with {digest}; `logroute status` shows what is blocked")
        try:
            plain: dict[str, Any] = orjson.loads(self.objects.get(keys[0]).body)
        except NotFound as error:
            raise ApprovalError(f"the plan {digest} is gone") from error
        approved = {**plain, "at": self.now()}
        key = f"{self.prefix}/approved/{plain['digest']}.json"
        self.objects.put(key, orjson.dumps(approved), content_type=JSON)
        self.objects.put(f"{self.prefix}/first-run.json", orjson.dumps(APPROVED), content_type=JSON)
        return plain

    def _blocked(self, digest: str) -> str:
        return f"{self.prefix}/blocked/{digest}.json"
