"""The latest events of this process, and who wants to hear of each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from controller.api.events import Event

MOST = 1_000
"""Events that are kept, a kilobyte each at the most; their diffs stay with the history."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`number`: 1 for the first event since the start."""

    number: int
    event: Event


class Journal:
    """Safe to use from any thread. Listeners must not block: an event is told in the middle of a pass."""

    def __init__(self, most: int = MOST) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=most)
        self._told = 0
        self.listeners: list[Callable[[Event], None]] = []

    def tell(self, event: Event) -> None:
        event = event.cut()
        with self._lock:
            self._told += 1
            self._entries.append(Entry(self._told, event))
        for listener in self.listeners:
            with suppress(Exception):
                listener(event)

    @property
    def told(self) -> int:
        """How many since the start."""
        return self._told

    def after(self, number: int = 0) -> list[Entry]:
        """Those with a higher number, the oldest first."""
        with self._lock:
            return [entry for entry in self._entries if entry.number > number]
