"""Time in the sandbox."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from controller.sandbox import ManualClock, RealClock
from controller.sandbox.timeline import Timeline


def test_a_manual_clock_stands_still_until_it_is_turned() -> None:
    clock = ManualClock(datetime.fromisoformat("2026-05-01T12:00:00+00:00"))
    before = clock.now()
    assert clock.now() == before
    clock.advance(90)
    assert clock.now() == before + 90


def test_a_real_clock_follows_real_time_times_its_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: real)
    clock = RealClock(speed=10)
    before = clock.now()
    real += 3
    assert clock.now() == pytest.approx(before + 30)
    clock.advance(5)
    assert clock.now() == pytest.approx(before + 35)


@pytest.mark.parametrize("clock", [ManualClock(), RealClock()])
def test_time_does_not_go_back(clock: ManualClock | RealClock) -> None:
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_a_real_clock_must_move() -> None:
    with pytest.raises(ValueError, match="above 0"):
        RealClock(speed=0)


def test_what_is_planned_happens_in_order_each_at_its_own_time() -> None:
    timeline, seen = Timeline(0), list[tuple[str, float]]()

    def then(name: str, *, follow_up: float | None = None) -> None:
        seen.append((name, timeline.now))
        if follow_up is not None:
            timeline.after(follow_up, lambda: then(f"{name}+"))

    timeline.after(5, lambda: then("late"))
    timeline.after(1, lambda: then("early", follow_up=2))
    timeline.after(5, lambda: then("late too"))
    timeline.after(50, lambda: then("never"))
    timeline.run_until(10)
    assert seen == [("early", 1), ("early+", 3), ("late", 5), ("late too", 5)]
    assert timeline.now == 10
