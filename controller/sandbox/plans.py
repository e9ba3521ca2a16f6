"""What callers of the sandbox want to happen at a time of its clock.

Apart from the timeline, whose actions run while the world is locked: these call the API like anybody.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from threading import RLock


class Plans:
    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._lock = RLock()

    def add(self, when: float, action: Callable[[], object]) -> None:
        with self._lock:
            heapq.heappush(self._queue, (when, next(self._order), action))

    def next_until(self, when: float) -> float | None:
        """When the first of those up to `when` is due."""
        with self._lock:
            return self._queue[0][0] if self._queue and self._queue[0][0] <= when else None

    def run_until(self, now: Callable[[], float]) -> None:
        """Each once, in order and one at a time. An action may turn the clock, and so make others due."""
        with self._lock:
            while self.next_until(now()) is not None:
                heapq.heappop(self._queue)[2]()
