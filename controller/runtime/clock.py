"""Time as a collaborator: the real one, or one that stands still until a test turns it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Protocol

_START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Dates for people, seconds for waiting. Only `monotonic` may decide when something is due."""

    def now(self) -> datetime:
        """The date and time, aware, in UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        """Wait, holding `condition`, until it is notified or `monotonic()` reaches `deadline` (None: never).

        It may also return for no reason, so call it in a loop. A deadline rather than a time-out: a test
        that turns the clock between the reading and the waiting must not make the waiter oversleep.
        """


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        left = inf if deadline is None else max(0.0, deadline - time.monotonic())
        condition.wait(None if left == inf else min(left, threading.TIMEOUT_MAX))


@dataclass(frozen=True, eq=False, slots=True)
class _Waiter:
    condition: threading.Condition
    deadline: float


def seconds_awake_or_asleep() -> float:
    """As `monotonic`, but it goes on while the machine is suspended, where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class ManualClock:
    """Stands still until `advance`, which wakes every thread that is due by then."""

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._waiters: list[_Waiter] = []
        # Taken while a caller holds its own condition, never the other way round.
        self._changed = threading.Condition()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._changed:
            return self._elapsed

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        waiter = _Waiter(condition, inf if deadline is None else deadline)
        with self._changed:
            if self._elapsed >= waiter.deadline:
                return
            self._waiters.append(waiter)
            self._changed.notify_all()
        try:
            condition.wait()
        finally:
            with self._changed:
                self._waiters = [other for other in self._waiters if other is not waiter]

    def advance(self, seconds: float) -> None:
        """Jump ahead. ValueError where that would go back."""
        if not seconds >= 0:
            raise ValueError(f"time does not go back: {seconds}")
        with self._changed:
            self._elapsed += seconds
            due = [waiter for waiter in self._waiters if waiter.deadline <= self._elapsed]
            self._waiters = [waiter for waiter in self._waiters if waiter not in due]
        for waiter in due:
            with waiter.condition:
                waiter.condition.notify_all()

    def until_waiting(self, threads: int = 1, patience: float = 10.0) -> None:
        """Return once so many threads wait on this clock; TimeoutError after `patience` real seconds.

        A thread that `advance` has woken counts again only when it is back.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiters) >= threads, patience):
                raise TimeoutError(f"{len(self._waiters)} of {threads} threads came to wait on the clock")
