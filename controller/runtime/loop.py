"""Something done at once, then every so often, and at once again when nudged: source polls, resyncs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from math import inf

from controller.runtime.backoff import Backoff, Exponential
from controller.runtime.clock import Clock
from controller.runtime.observers import SILENT, TaskObserver
from controller.runtime.threads import Threads


class Periodic:
    """One task on a thread of its own; it never runs twice at a time.

    `interval` seconds lie between the starts of two runs; a run that takes longer is followed by the next
    at once, by one, however many were missed. After a failure the next run comes after the backoff, or the
    interval where that is shorter. After `stop` it cannot be started again. A run that returns False had nothing to do,
    and nobody is told. An interval that is a function is asked while waiting, at a nudge or `recheck`. However often it
    is nudged, `gap` seconds lie between the starts of two runs.
    """

    def __init__(
        self,
        name: str,
        task: Callable[[], object],
        interval: float | Callable[[], float],
        *,
        clock: Clock,
        backoff: Backoff | None = None,
        observer: TaskObserver = SILENT,
        gap: float = 0.0,
    ) -> None:
        if not callable(interval) and not interval > 0:
            raise ValueError(f"{name}: the interval must be above 0, not {interval}")
        self.name = name
        self._task = task
        self._interval: Callable[[], float] = interval if callable(interval) else lambda: interval
        self._gap = gap
        self._clock = clock
        self._backoff = backoff or Exponential()
        self._observer = observer
        self._changed = threading.Condition()
        self._nudged = False
        self._spaced: float | None = None
        self._stopped = False
        self._failures = 0
        self._started: float | None = None
        self._retry: float | None = None
        """When a failed run is tried again."""
        self._threads = Threads(clock)

    def start(self) -> None:
        self._threads.start(self.name, self._loop)

    def nudge(self) -> None:
        """Run now, or once more after the run in progress. Many nudges are one."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def nudge_spaced(self, seconds: float) -> None:
        """Run once more, so many seconds after the last run began, or now where that is over."""
        with self._changed:
            self._spaced = min(seconds, self._spaced) if self._spaced is not None else seconds
            self._changed.notify_all()

    def recheck(self) -> None:
        """The interval may be another one by now."""
        with self._changed:
            self._changed.notify_all()

    def stop(self, deadline_seconds: float) -> bool:
        """Let a run in progress finish; False where it has not by the deadline."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        return self._threads.join(deadline_seconds)

    def _loop(self) -> None:
        while self._wait():
            self._run()

    def _wait(self) -> bool:
        """Until the next run; False: there is none."""
        with self._changed:
            while not self._stopped and self._clock.monotonic() < (due := self._due()):
                self._clock.wait_until(self._changed, due)
            self._nudged, self._spaced = False, None
            return not self._stopped

    def _due(self) -> float:
        if self._started is None:
            return -inf
        soonest = self._started + self._gap
        if self._nudged:
            return soonest
        after = self._retry if self._retry is not None else self._started + self._interval()
        if self._spaced is not None:
            after = min(after, self._started + self._spaced)
        return max(soonest, after)

    def _run(self) -> None:
        self._started = started = self._clock.monotonic()
        try:
            done = self._task()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the loop lives on
            self._failed(started, error)
            return
        self._failures, self._retry = 0, None
        if done is not False:
            with suppress(Exception):
                self._observer.task_ran(self.name, self._clock.monotonic() - started)

    def _failed(self, started: float, error: BaseException) -> None:
        self._failures += 1
        retry_in = min(self._interval(), self._backoff(self._failures))
        ended = self._clock.monotonic()
        self._retry = ended + retry_in
        with suppress(Exception):
            self._observer.task_failed(self.name, ended - started, error, retry_in)
