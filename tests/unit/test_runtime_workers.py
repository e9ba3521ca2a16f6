"""Worker threads: failures are retried, threads live on, stopping is graceful."""

from __future__ import annotations

import queue as stdlib_queue
import threading
from collections.abc import Callable, Iterator

import pytest

from controller.runtime.backoff import Exponential
from controller.runtime.clock import ManualClock
from controller.runtime.observers import Silent
from controller.runtime.queue import WorkQueue
from controller.runtime.workers import Workers


class Bench:
    """A queue with workers whose reconcile is `answer`; `ran` gives the keys as they are worked on."""

    def __init__(self, count: int) -> None:
        self.clock = ManualClock()
        self.queue = WorkQueue[str](self.clock, Exponential(random=lambda: 0.0))
        self.ran: stdlib_queue.SimpleQueue[str] = stdlib_queue.SimpleQueue()
        self.answer: Callable[[str], float | None] = lambda _key: None
        self.observer = Ledger()
        self.count = count
        self.workers = Workers(self.queue, self._reconcile, clock=self.clock, count=count, observer=self.observer)
        self.workers.start()
        self.idle()

    def idle(self) -> None:
        self.clock.until_waiting(self.count)

    def next(self) -> str:
        return self.ran.get(timeout=10)

    def _reconcile(self, key: str) -> float | None:
        self.ran.put(key)
        return self.answer(key)


class Ledger(Silent):
    def __init__(self) -> None:
        self.told: stdlib_queue.SimpleQueue[tuple[object, ...]] = stdlib_queue.SimpleQueue()

    def reconciled(self, key: object, seconds: float, again: float | None) -> None:
        self.told.put(("reconciled", key, seconds, again))

    def reconcile_failed(self, key: object, seconds: float, error: BaseException, retry_in: float) -> None:
        self.told.put(("failed", key, seconds, str(error), retry_in))

    def next(self) -> tuple[object, ...]:
        return self.told.get(timeout=10)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(count=1)
    yield bench
    assert bench.workers.stop(10)


def _raise(error: BaseException) -> Callable[[str], float | None]:
    def answer(_key: str) -> float | None:
        raise error

    return answer


def _held(release: threading.Event, *keys: str) -> Callable[[str], float | None]:
    """An answer that waits to be released; where `keys` are named, only for those."""

    def answer(key: str) -> float | None:
        assert (keys and key not in keys) or release.wait(10)
        return None

    return answer


def test_a_key_is_reconciled(bench: Bench) -> None:
    bench.queue.add("a")
    assert bench.next() == "a"
    assert bench.observer.next() == ("reconciled", "a", 0, None)


def test_a_key_that_asks_for_it_is_looked_at_again(bench: Bench) -> None:
    bench.answer = lambda _key: 30
    bench.queue.add("a")
    bench.next()
    assert bench.observer.next() == ("reconciled", "a", 0, 30)
    bench.idle()
    bench.clock.advance(30)
    assert bench.next() == "a"


def test_a_failing_key_is_retried_after_its_backoff(bench: Bench) -> None:
    bench.answer = _raise(OSError("down"))
    bench.queue.add("a")
    for backoff in (1, 2, 4):
        bench.next()
        assert bench.observer.next() == ("failed", "a", 0, "down", backoff)
        bench.idle()
        assert bench.queue.depth() == 0
        bench.clock.advance(backoff)


def test_success_ends_the_backoff(bench: Bench) -> None:
    bench.answer = _raise(OSError("down"))
    bench.queue.add("a")
    bench.observer.next()
    bench.answer = lambda _key: None
    bench.queue.add("a")
    assert bench.observer.next()[0] == "reconciled"
    assert bench.queue.retry("a") == 1


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt()])
def test_no_exception_ends_a_worker(bench: Bench, error: BaseException) -> None:
    bench.answer = _raise(error)
    bench.queue.add("a")
    bench.next()
    assert bench.observer.next()[0] == "failed"
    bench.answer = lambda _key: None
    bench.queue.add("b")
    assert bench.next() == "b"


def test_an_answer_that_is_no_time_counts_as_a_failure(bench: Bench) -> None:
    bench.answer = lambda _key: float("nan")
    bench.queue.add("a")
    assert bench.observer.next()[0] == "failed"


def test_an_observer_that_fails_stops_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.observer, "reconciled", _raise(OSError("disk full")))
    bench.queue.add("a")
    bench.queue.add("b")
    assert [bench.next(), bench.next()] == ["a", "b"]


def test_a_stuck_key_does_not_hold_up_the_others() -> None:
    bench, release = Bench(count=2), threading.Event()
    bench.answer = _held(release, "stuck")
    bench.queue.add("stuck")
    assert bench.next() == "stuck"
    bench.queue.add("other")
    assert bench.next() == "other"
    release.set()
    assert bench.workers.stop(10)


def test_stopping_waits_for_the_run_in_progress_and_begins_no_other() -> None:
    bench, release = Bench(count=1), threading.Event()
    bench.answer = _held(release)
    bench.queue.add("a")
    bench.queue.add("b")
    assert bench.next() == "a"
    assert not bench.workers.stop(0)
    release.set()
    assert bench.workers.stop(10)
    assert bench.ran.empty()


def test_stopping_says_when_the_deadline_passed_first() -> None:
    bench, release = Bench(count=1), threading.Event()
    bench.answer = _held(release)
    bench.queue.add("a")
    bench.next()
    ended: list[bool] = []
    stopper = threading.Thread(target=lambda: ended.append(bench.workers.stop(10)), daemon=True)
    stopper.start()
    bench.clock.until_waiting(1)
    bench.clock.advance(10)
    stopper.join(10)
    assert ended == [False]
    release.set()
