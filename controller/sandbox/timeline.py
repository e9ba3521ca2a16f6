"""What will happen, and when: a small discrete event simulation.

Everything that moves by itself in the sandbox (tasks that start, rollouts that complete) is an action on this
timeline. No thread runs it: whoever is about to look at the world first calls `run_until`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

Action = Callable[[], None]


@dataclass(order=True, frozen=True, slots=True)
class _Due:
    when: float
    order: int  # actions of the same moment run in the order they were planned: runs repeat exactly
    action: Action = field(compare=False)


class Timeline:
    def __init__(self, now: float) -> None:
        self.now = now
        self._queue: list[_Due] = []
        self._order = count()

    def after(self, seconds: float, action: Action) -> None:
        """Plan `action` for `seconds` from now. It must itself check that it still makes sense then."""
        heapq.heappush(self._queue, _Due(self.now + seconds, next(self._order), action))

    def run_until(self, when: float) -> None:
        """Let everything that is due by `when` happen, in order, each at its own time."""
        while self._queue and self._queue[0].when <= when:
            due = heapq.heappop(self._queue)
            self.now = max(self.now, due.when)
            due.action()
        self.now = max(self.now, when)
