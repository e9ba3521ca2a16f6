"""The two orders of a work queue: by priority for what is ready, by time for what is not yet due."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lanes(Generic[K]):
    """Keys that are ready: the highest priority first, first come first served within one.

    There are few priorities and many keys, so each priority is a lane. OrderedDict, because taking the
    first key of a plain dict again and again is quadratic.
    """

    def __init__(self) -> None:
        self._lanes: dict[int, OrderedDict[K, None]] = {}
        self._priorities: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self._priorities)

    def put(self, key: K, priority: int) -> None:
        """Add a key, or raise it to the end of a higher lane; nothing ever lowers one."""
        current = self._priorities.get(key)
        if current is not None:
            if priority <= current:
                return
            self._remove(key, current)
        self._priorities[key] = priority
        self._lanes.setdefault(priority, OrderedDict())[key] = None

    def pop(self) -> K:
        """Take the first key. ValueError where there is none."""
        priority = max(self._lanes)
        key = next(iter(self._lanes[priority]))
        self._remove(key, priority)
        return key

    def _remove(self, key: K, priority: int) -> None:
        del self._priorities[key]
        del self._lanes[priority][key]
        if not self._lanes[priority]:
            del self._lanes[priority]


class Timers(Generic[K]):
    """Keys that are not yet due. A key has one time; setting it again moves it.

    A moved key leaves its old entry in the heap until that time comes, when it is recognised and dropped.
    """

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._entries = 0  # breaks ties, so that keys need no order

    def set(self, key: K, due: float) -> None:
        self._due[key] = due
        self._entries += 1
        heapq.heappush(self._heap, (due, self._entries, key))

    def cancel(self, key: K) -> None:
        self._due.pop(key, None)

    def next_due(self) -> float | None:
        """The earliest time of any key; None where there is none."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> Iterator[K]:
        """Take every key that is due by `now`, the earliest first."""
        while (due := self.next_due()) is not None and due <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            yield key
