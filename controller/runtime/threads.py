"""Threads that can be waited for, by a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable

from controller.runtime.clock import Clock


class Threads:
    """Daemon threads: one that hangs may hold up a stop until its deadline, but never the process's end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._alive = 0

    def start(self, name: str, target: Callable[[], None]) -> None:
        with self._changed:
            self._alive += 1
        threading.Thread(target=self._run, args=(target,), name=name, daemon=True).start()

    def join(self, deadline_seconds: float) -> bool:
        """Wait until all have ended; False where some have not by the deadline."""
        until = self._clock.monotonic() + deadline_seconds
        with self._changed:
            while self._alive and self._clock.monotonic() < until:
                self._clock.wait_until(self._changed, until)
            return not self._alive

    def _run(self, target: Callable[[], None]) -> None:
        try:
            target()
        finally:
            with self._changed:
                self._alive -= 1
                self._changed.notify_all()
