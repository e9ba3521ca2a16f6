"""Signals ask once and nicely, a second Ctrl-C insists; the parts share one deadline."""

from __future__ import annotations

import signal
import threading

import pytest

from controller.runtime.clock import ManualClock
from controller.runtime.stopping import Stopper, stop_all


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_stop(number: signal.Signals) -> None:
    stopper = Stopper()
    with stopper.on_signals():
        assert not stopper.wait(0)
        signal.raise_signal(number)
        assert stopper.wait()
    assert stopper.reason == number.name


def test_a_signal_wakes_the_wait_that_it_interrupts() -> None:
    stopper, me = Stopper(), threading.get_ident()
    with stopper.on_signals():
        threading.Thread(target=signal.pthread_kill, args=(me, signal.SIGTERM), daemon=True).start()
        assert stopper.wait(10)


def test_a_second_ctrl_c_ends_the_process_at_once() -> None:
    codes: list[int] = []
    stopper = Stopper(exit_hard=codes.append)
    with stopper.on_signals():
        signal.raise_signal(signal.SIGINT)
        assert codes == []
        signal.raise_signal(signal.SIGINT)
    assert codes == [130]


def test_a_repeated_sigterm_is_still_one_graceful_stop() -> None:
    codes: list[int] = []
    stopper = Stopper(exit_hard=codes.append)
    with stopper.on_signals():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert codes == []


def test_the_handlers_from_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Stopper().on_signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_first_reason_counts_and_everybody_who_waits_is_woken() -> None:
    stopper = Stopper()
    stopper.stop("lease lost")
    stopper.stop("something else")
    assert stopper.wait()
    assert stopper.wait()
    assert stopper.reason == "lease lost"


class Part:
    """Takes `needs` seconds from when it is first asked."""

    def __init__(self, clock: ManualClock, needs: float) -> None:
        self.clock, self.needs = clock, needs
        self.ends: float | None = None

    def stop(self, deadline_seconds: float) -> bool:
        now = self.clock.monotonic()
        if self.ends is None:
            self.ends = now + self.needs
        self.clock.advance(min(deadline_seconds, max(0.0, self.ends - now)))
        return self.clock.monotonic() >= self.ends


def test_parts_that_stop_together_share_one_deadline() -> None:
    clock = ManualClock()
    assert stop_all(clock, 10, Part(clock, 8), Part(clock, 9), Part(clock, 0))
    assert clock.monotonic() == 9


def test_a_part_that_hangs_does_not_use_up_the_time_of_the_others() -> None:
    clock = ManualClock()
    hangs, quick = Part(clock, 1_000), Part(clock, 5)
    assert not stop_all(clock, 10, hangs, quick)
    assert quick.stop(0)
    assert clock.monotonic() == 10


def test_with_nothing_to_stop_everything_has_ended() -> None:
    assert stop_all(ManualClock(), 10)
