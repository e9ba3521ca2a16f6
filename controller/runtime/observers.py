"""What runtime tells whoever watches it. It knows no metrics and no logs; telemetry implements these.

An observer that raises in a worker or a task is ignored: watching must not stop the work.
"""

from __future__ import annotations

from typing import Protocol


class QueueObserver(Protocol):
    """Called under the queue's lock: answer at once, do not raise, never call the queue. Times in seconds.

    Depth and what is running now are read from the queue when asked for: a value that was pushed grows
    stale just when all workers hang.
    """

    def added(self) -> None:
        """A key entered the queue; duplicates of one that waits are not told."""

    def retried(self) -> None:
        """A key was put back after a failure."""

    def started(self, waited: float) -> None:
        """A worker took a key, `waited` after it was due."""

    def finished(self, worked: float) -> None:
        """A worker was done with a key."""


class WorkerObserver(Protocol):
    def reconciled(self, key: object, seconds: float, again: float | None) -> None:
        """It went well; it is looked at again after `again` seconds, or when something asks for it."""

    def reconcile_failed(self, key: object, seconds: float, error: BaseException, retry_in: float) -> None: ...


class TaskObserver(Protocol):
    def task_ran(self, name: str, seconds: float) -> None: ...

    def task_failed(self, name: str, seconds: float, error: BaseException, retry_in: float) -> None: ...


class Silent:
    """Observes anything, says nothing."""

    def added(self) -> None:
        pass

    def retried(self) -> None:
        pass

    def started(self, waited: float) -> None:
        pass

    def finished(self, worked: float) -> None:
        pass

    def reconciled(self, key: object, seconds: float, again: float | None) -> None:
        pass

    def reconcile_failed(self, key: object, seconds: float, error: BaseException, retry_in: float) -> None:
        pass

    def task_ran(self, name: str, seconds: float) -> None:
        pass

    def task_failed(self, name: str, seconds: float, error: BaseException, retry_in: float) -> None:
        pass


SILENT = Silent()
