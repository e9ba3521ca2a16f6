"""What runtime tells, as metrics and log lines. Fits runtime's observer Protocols by shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from controller.telemetry.metrics import Metrics
from controller.telemetry.table import PASSES


def _kind(task: str) -> str:
    """`resync main/eu-west-1` is a resync."""
    return task.partition(" ")[0]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Observer:
    """One for the queue, the workers and the periodic tasks of a controller.

    Tasks that are called like a pass (`source`, `resync`) are counted as passes.
    """

    def __init__(self, metrics: Metrics, now: Callable[[], datetime] = _utc_now) -> None:
        self._metrics = metrics
        self._now = now
        self._log = structlog.get_logger()

    def added(self) -> None:
        self._metrics.queue_added()

    def retried(self) -> None:
        self._metrics.queue_retried()

    def started(self, waited: float) -> None:
        self._metrics.queue_waited(waited)

    def finished(self, worked: float) -> None:
        self._metrics.queue_worked(worked)

    def reconciled(self, key: object, seconds: float, again: float | None) -> None:
        self._metrics.reconciled(seconds, again=again is not None)
        self._log.debug("reconciled", key=str(key), seconds=round(seconds, 3), again=again)

    def reconcile_failed(self, key: object, seconds: float, error: BaseException, retry_in: float) -> None:
        self._metrics.reconcile_failed(seconds, error)
        self._log.error("reconcile failed", key=str(key), error=error, retry_in=round(retry_in, 1))

    def task_ran(self, name: str, seconds: float) -> None:
        if (kind := _kind(name)) in PASSES:
            self._metrics.pass_ended(kind, seconds, self._now())
        self._log.debug("task ran", task=name, seconds=round(seconds, 3))

    def task_failed(self, name: str, seconds: float, error: BaseException, retry_in: float) -> None:
        if (kind := _kind(name)) in PASSES:
            self._metrics.pass_ended(kind, seconds, None)
        self._log.error("task failed", task=name, error=error, retry_in=round(retry_in, 1))
