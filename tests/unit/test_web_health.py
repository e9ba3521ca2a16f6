"""Health by the age of the last finished pass, on a clock turned by hand."""

from __future__ import annotations

from controller.runtime.clock import ManualClock
from controller.web.health import Health


class Controller:
    """As much of one as health asks for: limit 600 s, grace 120 s."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.clock.advance(1_000)
        self.last_pass: float | None = None
        self.specs = False
        self.health = Health(self.clock, lambda: self.last_pass, lambda: self.specs, limit=600, grace=120)

    def finish_pass(self) -> None:
        self.last_pass = self.clock.monotonic()


def test_before_the_first_pass_it_is_healthy_for_the_grace_only() -> None:
    controller = Controller()
    controller.clock.advance(120)
    assert controller.health.live().ok
    controller.clock.advance(1)
    verdict = controller.health.live()
    assert not verdict.ok
    assert verdict.message == "no pass has ended since the start 121 s ago; the limit is 120 s"


def test_it_is_healthy_while_passes_end_in_time() -> None:
    controller = Controller()
    for _ in range(5):
        controller.finish_pass()
        controller.clock.advance(600)
        assert controller.health.live().ok


def test_it_is_not_healthy_when_passes_stopped_ending_though_it_answers() -> None:
    controller = Controller()
    controller.finish_pass()
    controller.clock.advance(601)
    verdict = controller.health.live()
    assert not verdict.ok
    assert verdict.message == "the last pass ended 601 s ago; the limit is 600 s"


def test_a_pass_that_ends_late_makes_it_healthy_again() -> None:
    controller = Controller()
    controller.clock.advance(10_000)
    controller.finish_pass()
    assert controller.health.live().ok


def test_it_is_ready_after_the_first_snapshot_and_the_first_pass() -> None:
    controller = Controller()
    missing = "waiting for the first snapshot of the source and the end of the first pass"
    assert controller.health.ready().message == missing
    controller.specs = True
    assert controller.health.ready().message == "waiting for the end of the first pass"
    assert not controller.health.ready().ok
    controller.finish_pass()
    assert controller.health.ready().ok


def test_a_stuck_controller_stays_ready() -> None:
    controller = Controller()
    controller.specs = True
    controller.finish_pass()
    controller.clock.advance(10_000)
    assert controller.health.ready().ok
