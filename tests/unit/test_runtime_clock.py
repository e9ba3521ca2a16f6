"""Time that stands still until it is turned, and the real one."""

from __future__ import annotations

import threading
from datetime import UTC, timedelta

import pytest

from controller.runtime.clock import Clock, ManualClock, SystemClock


def _sleeper(clock: Clock, deadline: float, woken: threading.Event) -> threading.Thread:
    def sleep() -> None:
        condition = threading.Condition()
        with condition:
            while clock.monotonic() < deadline:
                clock.wait_until(condition, deadline)
        woken.set()

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    return thread


def test_the_manual_clock_stands_still_until_it_is_turned() -> None:
    clock = ManualClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(90)
    assert clock.now() - before == timedelta(seconds=90)
    assert clock.monotonic() == 90


def test_turning_the_clock_wakes_who_is_due_and_nobody_else() -> None:
    clock = ManualClock()
    soon, late = threading.Event(), threading.Event()
    _sleeper(clock, 10, soon)
    _sleeper(clock, 100, late)
    clock.until_waiting(2)
    clock.advance(10)
    assert soon.wait(10)
    assert not late.is_set()
    clock.advance(90)
    assert late.wait(10)


def test_a_deadline_that_passed_before_the_wait_does_not_wait() -> None:
    clock = ManualClock()
    clock.advance(10)
    condition = threading.Condition()
    with condition:
        clock.wait_until(condition, 10)


def test_time_does_not_go_back() -> None:
    clock = ManualClock()
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="does not go back"):
            clock.advance(wrong)


def test_a_thread_that_never_comes_is_an_error_not_a_hang() -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        ManualClock().until_waiting(1, patience=0)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_system_clock_wakes_by_notification_and_by_deadline() -> None:
    clock, condition = SystemClock(), threading.Condition()
    with condition:
        clock.wait_until(condition, clock.monotonic() - 1)
        clock.wait_until(condition, clock.monotonic() + 0.001)

        def notify() -> None:
            with condition:
                condition.notify_all()

        threading.Thread(target=notify, daemon=True).start()
        clock.wait_until(condition, None)
