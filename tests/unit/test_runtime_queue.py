"""The promises of the work queue, each alone; all of them together are in tests/property."""

from __future__ import annotations

import threading

import pytest

from controller.runtime.backoff import Exponential
from controller.runtime.clock import ManualClock
from controller.runtime.observers import Silent
from controller.runtime.queue import WorkQueue


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> WorkQueue[str]:
    return WorkQueue[str](clock, Exponential(random=lambda: 0.0))


def _drain(queue: WorkQueue[str]) -> list[str]:
    """What is ready, in order, each key given back at once."""
    taken = []
    while queue.depth():
        key = queue.get()
        assert key is not None
        taken.append(key)
        queue.done(key)
    return taken


def test_a_key_added_often_is_handed_out_once(queue: WorkQueue[str]) -> None:
    for _ in range(3):
        queue.add("a")
    assert _drain(queue) == ["a"]


def test_first_come_first_served_within_a_priority(queue: WorkQueue[str]) -> None:
    for key in ("c", "a", "b"):
        queue.add(key)
    assert _drain(queue) == ["c", "a", "b"]


def test_urgent_keys_go_first(queue: WorkQueue[str]) -> None:
    queue.add("resync")
    queue.add("rollout", 10)
    queue.add("repair", 20)
    assert _drain(queue) == ["repair", "rollout", "resync"]


def test_adding_again_raises_a_key_and_never_lowers_it(queue: WorkQueue[str]) -> None:
    queue.add("a", 10)
    queue.add("b")
    queue.add("b", 20)
    queue.add("a", 0)
    queue.add("c", 5)
    assert _drain(queue) == ["b", "a", "c"]


def test_a_key_added_while_it_runs_runs_once_more_and_not_at_the_same_time(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert queue.depth() == 0
    queue.done("a")
    assert _drain(queue) == ["a"]


def test_a_key_raised_while_it_runs_is_raised_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.get()
    queue.add("b", 5)
    queue.add("a", 10)
    queue.done("a")
    assert _drain(queue) == ["a", "b"]


def test_a_delayed_key_comes_when_it_is_due(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_after("a", 30)
    clock.advance(29)
    assert queue.depth() == 0
    clock.advance(1)
    assert _drain(queue) == ["a"]


def test_a_waiting_worker_is_woken_by_the_clock_alone(queue: WorkQueue[str], clock: ManualClock) -> None:
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.get()), daemon=True)
    worker.start()
    queue.add_after("a", 30)
    clock.until_waiting(1)
    clock.advance(30)
    worker.join(10)
    assert taken == ["a"]


def test_several_keys_due_at_once_wake_several_workers(queue: WorkQueue[str], clock: ManualClock) -> None:
    taken: list[str | None] = []
    workers = [threading.Thread(target=lambda: taken.append(queue.get()), daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    clock.until_waiting(3)
    for key in ("a", "b", "c"):
        queue.add_after(key, 5)
    clock.advance(5)
    for worker in workers:
        worker.join(10)
    assert sorted(filter(None, taken)) == ["a", "b", "c"]


def test_of_two_delays_the_shorter_counts_and_the_key_comes_once(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_after("a", 60)
    queue.add_after("a", 10)
    queue.add_after("a", 90)
    clock.advance(10)
    assert _drain(queue) == ["a"]
    clock.advance(100)
    assert _drain(queue) == []


def test_an_add_now_makes_the_delayed_one_superfluous(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add_after("a", 60)
    queue.add("a")
    assert _drain(queue) == ["a"]
    clock.advance(60)
    assert _drain(queue) == []


def test_failures_in_a_row_wait_longer_each_time(queue: WorkQueue[str]) -> None:
    assert [queue.retry("a") for _ in range(3)] == [1, 2, 4]
    assert queue.retry("b") == 1


def test_success_starts_the_backoff_over(queue: WorkQueue[str]) -> None:
    queue.retry("a")
    queue.forget("a")
    assert queue.retry("a") == 1


def test_new_input_starts_the_backoff_over_and_comes_at_once(queue: WorkQueue[str]) -> None:
    queue.retry("a")
    queue.retry("a")
    queue.add("a", fresh=True)
    assert _drain(queue) == ["a"]
    assert queue.retry("a") == 1


def test_an_event_without_new_input_comes_at_once_but_keeps_the_backoff(queue: WorkQueue[str]) -> None:
    queue.retry("a")
    queue.add("a")
    assert _drain(queue) == ["a"]
    assert queue.retry("a") == 2


def test_a_failed_urgent_key_stays_urgent(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add("a", 20)
    queue.get()
    queue.retry("a")
    queue.done("a")
    clock.advance(1)
    queue.add("b", 10)
    assert _drain(queue) == ["a", "b"]


def test_shutting_down_wakes_every_waiting_worker(queue: WorkQueue[str], clock: ManualClock) -> None:
    taken: list[str | None] = []
    workers = [threading.Thread(target=lambda: taken.append(queue.get()), daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    clock.until_waiting(3)
    queue.shut_down()
    for worker in workers:
        worker.join(10)
    assert taken == [None] * 3


def test_after_shutting_down_nothing_is_handed_out(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.shut_down()
    queue.add("b")
    assert queue.get() is None


def test_a_key_in_work_can_be_given_back_after_shutting_down(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.get()
    queue.shut_down()
    queue.done("a")
    assert queue.running_seconds() == []


def test_giving_back_what_nobody_took_is_an_error(queue: WorkQueue[str]) -> None:
    with pytest.raises(KeyError):
        queue.done("a")


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_key_is_never_lost_to_a_delay_that_never_ends(queue: WorkQueue[str], seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot wait"):
        queue.add_after("a", seconds)


def test_the_queue_says_what_runs_and_for_how_long(queue: WorkQueue[str], clock: ManualClock) -> None:
    queue.add("a")
    queue.add("b")
    queue.get()
    clock.advance(3)
    queue.get()
    clock.advance(2)
    assert sorted(queue.running_seconds()) == [2, 5]


class Ledger(Silent):
    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    def added(self) -> None:
        self.told.append(("added", 0))

    def retried(self) -> None:
        self.told.append(("retried", 0))

    def started(self, waited: float) -> None:
        self.told.append(("started", waited))

    def finished(self, worked: float) -> None:
        self.told.append(("finished", worked))


def test_an_observer_hears_of_adds_retries_waits_and_work(clock: ManualClock) -> None:
    ledger = Ledger()
    queue = WorkQueue[str](clock, Exponential(random=lambda: 0.0), ledger)
    queue.add("a")
    queue.add("a")
    clock.advance(3)
    queue.get()
    clock.advance(7)
    queue.retry("a")
    queue.done("a")
    clock.advance(5)
    queue.get()
    assert ledger.told == [
        ("added", 0),
        ("started", 3),
        ("retried", 0),
        ("added", 0),
        ("finished", 7),
        ("started", 4),
    ]
