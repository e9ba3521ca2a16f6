"""How long a failure makes a key wait."""

from __future__ import annotations

from controller.runtime.backoff import Exponential


def _no_jitter() -> float:
    return 0.0


def test_each_failure_doubles_the_wait() -> None:
    backoff = Exponential(random=_no_jitter)
    assert [backoff(failures) for failures in range(1, 6)] == [1, 2, 4, 8, 16]


def test_the_wait_never_exceeds_a_quarter_of_an_hour() -> None:
    backoff = Exponential(random=_no_jitter)
    assert backoff(10) == 512
    assert backoff(11) == backoff(100_000) == 900


def test_jitter_shortens_and_never_lengthens() -> None:
    assert Exponential(random=lambda: 0.5, jitter=0.2)(3) == 3.6
    assert Exponential(random=lambda: 0.999)(50) < 900


def test_base_factor_and_cap_are_settings() -> None:
    backoff = Exponential(base=0.1, factor=10, cap=5, random=_no_jitter)
    assert [backoff(failures) for failures in (1, 2, 3, 4)] == [0.1, 1, 5, 5]
