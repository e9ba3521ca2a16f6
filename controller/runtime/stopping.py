"""How a process is asked to end, and how its parts do."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from types import FrameType
from typing import Protocol

from controller.runtime.clock import Clock

_EXIT_ON_SIGINT = 128 + signal.SIGINT
_LOOK = 1.0
"""Seconds of one wait: a signal that comes in the moment before it does not interrupt it, and is heard after it."""


class Stopper:
    """Remembers the first request to stop, and wakes whoever waits for one.

    Built on a SimpleQueue, whose `put` may interrupt its own `get`: an Event that is set by a signal
    handler can deadlock with the wait that the signal interrupted.
    """

    def __init__(self, exit_hard: Callable[[int], object] = os._exit) -> None:
        self.reason: str | None = None
        self._exit_hard = exit_hard
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    @property
    def stopping(self) -> bool:
        return self.reason is not None

    def stop(self, reason: str) -> None:
        """Ask for the stop; only the first reason counts. May be called from a signal handler."""
        if self.reason is None:
            self.reason = reason
            self._wake.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Until somebody asks, or for so many real seconds; whether anybody has asked."""
        left = inf if timeout is None else timeout
        while not self.stopping and left > 0:
            with suppress(queue.Empty):
                self._wake.get(timeout=min(left, _LOOK))
                self._wake.put(None)  # for the next who waits
            left -= _LOOK
        return self.stopping

    @contextmanager
    def on_signals(self) -> Iterator[Stopper]:
        """Within: SIGTERM and SIGINT ask for the stop. Main thread only.

        SIGINT after that ends the process at once: a person who presses Ctrl-C again means it. SIGTERM
        does not, for service managers repeat it.
        """
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.stopping and number == signal.SIGINT:
            self._exit_hard(_EXIT_ON_SIGINT)
        self.stop(signal.Signals(number).name)


class Stoppable(Protocol):
    def stop(self, deadline_seconds: float) -> bool:
        """End; whether everything had ended by the deadline. It may be called again, to go on waiting."""


def stop_all(clock: Clock, deadline_seconds: float, *parts: Stoppable) -> bool:
    """Stop the parts within one deadline for all: each is asked at once, then waited for."""
    until = clock.monotonic() + deadline_seconds
    for part in parts:
        part.stop(0.0)
    ended = [part.stop(max(0.0, until - clock.monotonic())) for part in parts]
    return all(ended)
