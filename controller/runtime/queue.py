"""The work queue, with the promises that Kubernetes controllers rely on.

- A key is asked for once however often it is added; it is never in two workers at a time.
- A key added while a worker has it runs once more afterwards. Nothing that was added is lost.
- Higher priorities first, first come first served within one; adding again can raise a key, never lower it.
- Of a delayed add and an immediate one the earlier counts: one look at the world serves both.
- Failures of a key in a row make it wait longer each time; `forget`, or a `fresh` add, starts over.

After client-go's workqueue and controller-runtime's priority queue.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import isfinite
from typing import Generic

from controller.runtime.backoff import Backoff, Exponential
from controller.runtime.clock import Clock
from controller.runtime.observers import SILENT, QueueObserver
from controller.runtime.ordering import K, Lanes, Timers


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is wanted of a key: from when on, and how urgently."""

    due: float
    priority: int

    def and_also(self, other: _Ask) -> _Ask:
        return _Ask(min(self.due, other.due), max(self.priority, other.priority))


@dataclass(frozen=True, slots=True)
class _Run:
    since: float
    priority: int


class WorkQueue(Generic[K]):
    """Safe to use from any thread. Keys are hashable values other than None."""

    def __init__(self, clock: Clock, backoff: Backoff | None = None, observer: QueueObserver = SILENT) -> None:
        self._clock = clock
        self._backoff = backoff or Exponential()
        self._observer = observer
        self._changed = threading.Condition()
        # Every wanted key is in _asked; in _ready or _timers too, unless a worker has it.
        self._asked: dict[K, _Ask] = {}
        self._ready = Lanes[K]()
        self._timers = Timers[K]()
        self._running: dict[K, _Run] = {}
        self._failures: dict[K, int] = {}
        self._stopped = False

    def add(self, key: K, priority: int = 0, *, fresh: bool = False) -> None:
        """Ask for a key now. `fresh`: there is new input, so its failures so far say nothing any more."""
        with self._changed:
            if fresh:
                self._failures.pop(key, None)
            self._ask(key, 0.0, priority)

    def add_after(self, key: K, seconds: float, priority: int | None = None) -> None:
        """Ask for a key later; `priority` None is that of the run in progress, else 0.

        ValueError where `seconds` is no finite number.
        """
        if not isfinite(seconds):
            raise ValueError(f"cannot wait for {seconds} seconds")
        with self._changed:
            self._ask(key, seconds, self._priority(key) if priority is None else priority)

    def retry(self, key: K) -> float:
        """Ask for a key that just failed, after its backoff; returns that, in seconds."""
        with self._changed:
            self._failures[key] = self._failures.get(key, 0) + 1
            delay = self._backoff(self._failures[key])
            self._observer.retried()
            self._ask(key, delay, self._priority(key))
            return delay

    def forget(self, key: K) -> None:
        """The key went well: its next failure is its first."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> K | None:
        """Wait for a key and take it; `done` must follow. None, at once, when the queue is shut down."""
        with self._changed:
            while not self._stopped:
                self._promote()
                if self._ready:
                    return self._start(self._ready.pop())
                self._clock.wait_until(self._changed, self._timers.next_due())
            return None

    def done(self, key: K) -> None:
        """Give a key back. KeyError where no worker has it."""
        with self._changed:
            run = self._running.pop(key)
            self._observer.finished(self._clock.monotonic() - run.since)
            if key in self._asked:
                self._place(key)

    def shut_down(self) -> None:
        """Wake every `get` with None. What still waits is dropped: the next start looks at everything."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def depth(self) -> int:
        """Keys that are due and that no worker has yet."""
        with self._changed:
            self._promote()
            return len(self._ready)

    def running_seconds(self) -> list[float]:
        """For each key that a worker has now, for how long."""
        with self._changed:
            now = self._clock.monotonic()
            return [now - run.since for run in self._running.values()]

    def _ask(self, key: K, delay: float, priority: int) -> None:
        if self._stopped:
            return
        ask, before = _Ask(self._clock.monotonic() + delay, priority), self._asked.get(key)
        self._asked[key] = before.and_also(ask) if before else ask
        if before is None:
            self._observer.added()
        if key not in self._running:
            self._place(key)

    def _place(self, key: K) -> None:
        ask = self._asked[key]
        if ask.due <= self._clock.monotonic():
            self._timers.cancel(key)
            self._ready.put(key, ask.priority)
        else:
            self._timers.set(key, ask.due)
        # All: one worker may find several keys due, and the others must not sleep past them.
        self._changed.notify_all()

    def _promote(self) -> None:
        for key in self._timers.pop_due(self._clock.monotonic()):
            self._ready.put(key, self._asked[key].priority)

    def _start(self, key: K) -> K:
        now, ask = self._clock.monotonic(), self._asked.pop(key)
        self._running[key] = _Run(now, ask.priority)
        self._observer.started(now - ask.due)
        return key

    def _priority(self, key: K) -> int:
        run = self._running.get(key)
        return run.priority if run else 0
