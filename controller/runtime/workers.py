"""The threads that pull keys from the queue and reconcile them. A failing key never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Generic

from controller.runtime.clock import Clock
from controller.runtime.observers import SILENT, WorkerObserver
from controller.runtime.ordering import K
from controller.runtime.queue import WorkQueue
from controller.runtime.threads import Threads

Reconcile = Callable[[K], float | None]
"""Make one key true. Returns None when nothing is left to do, or after how many seconds to look again.

It is level-triggered: it reads the world anew each time, and may be called at any moment for any key. It
raises to be called again after a backoff.
"""


class Workers(Generic[K]):
    """`count` threads over one queue. After `stop` it cannot be started again."""

    def __init__(
        self,
        queue: WorkQueue[K],
        reconcile: Reconcile[K],
        *,
        clock: Clock,
        count: int = 4,
        observer: WorkerObserver = SILENT,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._clock = clock
        self._count = count
        self._observer = observer
        self._threads = Threads(clock)

    def start(self) -> None:
        for number in range(1, self._count + 1):
            self._threads.start(f"worker-{number}", self._work)

    def stop(self, deadline_seconds: float) -> bool:
        """Begin nothing more, let what runs finish; False where it has not by the deadline."""
        self._queue.shut_down()
        return self._threads.join(deadline_seconds)

    def _work(self) -> None:
        while (key := self._queue.get()) is not None:
            try:
                self._turn(key)
            finally:
                self._queue.done(key)

    def _turn(self, key: K) -> None:
        started = self._clock.monotonic()
        try:
            again = self._reconcile(key)
            if again is not None:
                self._queue.add_after(key, again)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the worker lives on
            retry_in = self._queue.retry(key)
            with suppress(Exception):
                self._observer.reconcile_failed(key, self._clock.monotonic() - started, error, retry_in)
            return
        self._queue.forget(key)
        with suppress(Exception):
            self._observer.reconciled(key, self._clock.monotonic() - started, again)
