"""Periodic tasks: at once, every interval, when nudged, in spite of failures, until stopped."""

from __future__ import annotations

import queue as stdlib_queue
import threading
from collections.abc import Callable, Iterator

import pytest

from controller.runtime.backoff import Exponential
from controller.runtime.clock import ManualClock
from controller.runtime.loop import Periodic
from controller.runtime.observers import Silent


class Bench(Silent):
    """A task that runs every 30 s; `runs` gives the times at which it began, `told` what was observed."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.runs: stdlib_queue.SimpleQueue[float] = stdlib_queue.SimpleQueue()
        self.told: stdlib_queue.SimpleQueue[tuple[object, ...]] = stdlib_queue.SimpleQueue()
        self.body: Callable[[], object] = lambda: None
        backoff = Exponential(random=lambda: 0.0)
        self.task = Periodic("poll", self._run, 30, clock=self.clock, backoff=backoff, observer=self)

    def _run(self) -> None:
        self.runs.put(self.clock.monotonic())
        self.body()

    def task_ran(self, name: str, seconds: float) -> None:
        self.told.put((name, seconds))

    def task_failed(self, name: str, seconds: float, error: BaseException, retry_in: float) -> None:
        self.told.put((name, seconds, str(error), retry_in))

    def next(self) -> float:
        return self.runs.get(timeout=10)

    def turn(self, seconds: float) -> None:
        """Turn the clock once the task has come to wait on it."""
        self.clock.until_waiting(1)
        self.clock.advance(seconds)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    assert bench.task.stop(10)


def _down() -> None:
    raise OSError("down")


def _held(inside: threading.Event, release: threading.Event) -> Callable[[], None]:
    """A task body that says when it is inside, and stays until it is released."""

    def body() -> None:
        inside.set()
        assert release.wait(10)

    return body


def test_the_task_runs_at_once_and_then_every_interval(bench: Bench) -> None:
    bench.task.start()
    assert bench.next() == 0
    bench.turn(29)
    assert bench.runs.empty()
    bench.turn(1)
    assert bench.next() == 30
    bench.turn(30)
    assert bench.next() == 60


def test_a_nudge_runs_it_now_and_the_interval_starts_over(bench: Bench) -> None:
    bench.task.start()
    bench.next()
    bench.turn(10)
    bench.clock.until_waiting(1)
    bench.task.nudge()
    assert bench.next() == 10
    bench.turn(29)
    bench.clock.until_waiting(1)
    assert bench.runs.empty()
    bench.clock.advance(1)
    assert bench.next() == 40


def test_many_nudges_during_a_run_are_one_more_run(bench: Bench) -> None:
    inside, release = threading.Event(), threading.Event()
    bench.body = _held(inside, release)
    bench.task.start()
    assert inside.wait(10)
    for _ in range(5):
        bench.task.nudge()
    release.set()
    bench.next()
    bench.next()
    bench.clock.until_waiting(1)
    assert bench.runs.empty()


def test_a_run_that_overran_is_followed_by_one_run_not_by_all_that_were_missed(bench: Bench) -> None:
    bench.body = lambda: bench.clock.advance(100) if bench.clock.monotonic() == 0 else None
    bench.task.start()
    assert [bench.next(), bench.next()] == [0, 100]
    bench.clock.until_waiting(1)
    assert bench.runs.empty()


def test_failures_are_observed_and_retried_sooner_than_the_interval(bench: Bench) -> None:
    bench.body = _down
    bench.task.start()
    waits = []
    for _ in range(7):
        bench.next()
        *_, text, retry_in = bench.told.get(timeout=10)
        assert text == "down"
        assert isinstance(retry_in, float | int)
        waits.append(retry_in)
        bench.turn(retry_in)
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_success_ends_the_backoff(bench: Bench) -> None:
    bench.body = _down
    bench.task.start()
    bench.next()
    bench.clock.until_waiting(1)
    bench.body = lambda: None
    bench.clock.advance(1)
    assert bench.next() == 1
    bench.turn(29)
    bench.clock.until_waiting(1)
    assert bench.runs.empty()
    bench.clock.advance(1)
    assert bench.next() == 31


def test_a_nudge_does_not_wait_for_the_backoff(bench: Bench) -> None:
    bench.body = _down
    bench.task.start()
    bench.next()
    bench.clock.until_waiting(1)
    bench.task.nudge()
    assert bench.next() == 0


def test_an_observer_that_fails_stops_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "task_ran", _down)
    bench.task.start()
    bench.next()
    bench.turn(30)
    assert bench.next() == 30


def test_stopping_lets_a_run_finish_and_begins_no_other() -> None:
    bench, inside, release = Bench(), threading.Event(), threading.Event()
    bench.body = _held(inside, release)
    bench.task.start()
    assert inside.wait(10)
    bench.task.nudge()
    assert not bench.task.stop(0)
    release.set()
    assert bench.task.stop(10)
    assert bench.next() == 0
    assert bench.runs.empty()


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Periodic("poll", lambda: None, 0, clock=ManualClock())


def test_however_often_it_is_nudged_a_gap_lies_between_two_runs() -> None:
    bench = Bench()
    bench.task = Periodic("poll", bench._run, 30, clock=bench.clock, observer=bench, gap=1)
    bench.task.start()
    start = bench.next()
    bench.turn(0)
    for _ in range(1000):
        bench.task.nudge()
    bench.turn(1)
    assert bench.next() == start + 1
    bench.turn(29)
    assert bench.runs.empty()
    bench.turn(1)
    assert bench.next() == start + 31
    assert bench.task.stop(10)


def test_an_interval_that_shrinks_while_it_waits_counts_at_once() -> None:
    bench, interval = Bench(), [3600.0]
    bench.task = Periodic("resync", bench._run, lambda: interval[0], clock=bench.clock, observer=bench)
    bench.task.start()
    start = bench.next()
    bench.turn(600)
    interval[0] = 300.0
    bench.task.recheck()
    assert bench.next() == start + 600
    assert bench.task.stop(10)
