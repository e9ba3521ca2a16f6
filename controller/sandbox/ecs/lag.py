"""Reads that do not see yet what was just written: ECS is eventually consistent.

Amazon ECS API reference, RunTask: "The Amazon ECS API follows an eventual consistency model". AWS sees some
changes at once and others late; here every read within the lag sees the world from before the write, so that
runs repeat exactly. Writes always meet the world as it is.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, field

from controller.sandbox.model.world import Region

_READS = ("Describe", "List", "Get")
_COPIES = 20
"""That are kept at most."""


def is_read(operation: str) -> bool:
    return operation.startswith(_READS)


@dataclass(slots=True)
class History:
    """What one region was before each of its latest writes, the oldest first."""

    lag: float
    copies: deque[tuple[float, Region]] = field(default_factory=deque)

    def remember(self, before: Region, now: float) -> None:
        self.copies.append((now, before))

    def seen(self, region: Region, now: float) -> Region:
        self._forget(now)
        return self.copies[0][1] if self.copies else region

    def copy(self, region: Region, now: float) -> Region | None:
        """None where reads do not lag, or where one was made a moment ago: then two writes are seen together.

        Answers refer to the region's own objects, so the copy goes deep; hundreds of them would be too much.
        """
        self._forget(now)
        recent = self.copies and now - self.copies[-1][0] < self.lag / _COPIES
        return None if self.lag <= 0 or recent else copy.deepcopy(region)

    def _forget(self, now: float) -> None:
        while self.copies and self.copies[0][0] + self.lag <= now:
            self.copies.popleft()
