"""The limiter keeps to its rate, whatever is asked of it and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from controller.aws.limiter import Rate, TokenBucket
from controller.aws.ports import Urgency
from tests.support.aws import Turned

rates = st.builds(Rate, st.floats(1, 50), st.floats(0.5, 50))
shares = st.floats(0.05, 1)
steps = st.lists(st.one_of(st.just("acquire"), st.just("throttled"), st.floats(0, 120)), max_size=80)
CLOSE = 1e-6


def within(moments: list[float], burst: float, rate: float) -> bool:
    """No window of time holds more than a full bucket and what flowed in during it."""
    ordered = sorted(moments)
    return all(
        later - earlier + 1 <= burst + rate * (ordered[later] - ordered[earlier]) + CLOSE * len(ordered)
        for earlier in range(len(ordered))
        for later in range(earlier, len(ordered))
    )


@given(rates, shares, steps)
def test_no_window_holds_more_than_burst_and_rate_allow(rate: Rate, share: float, asked: list[str | float]) -> None:
    clock = Turned()
    bucket = TokenBucket(rate, share, clock.now, clock.sleep)
    moments: list[float] = []
    for step in asked:
        if step == "acquire":
            bucket.acquire()
            moments.append(clock.at)
        elif step == "throttled":
            bucket.throttled()
        else:
            clock.at += float(step)
    assert within(moments, max(1.0, rate.burst * share), rate.sustained * share)


@given(rates, shares, st.integers(1, 8), st.lists(st.floats(0, 5), min_size=1, max_size=5))
def test_no_window_holds_more_across_threads(rate: Rate, share: float, threads: int, pauses: list[float]) -> None:
    """Those that wait turn the clock; when each was let through, the bucket itself tells."""
    clock, moments = Turned(), []
    bucket = TokenBucket(rate, share, clock.now, clock.sleep)

    def take(urgency: int) -> None:
        bucket.acquire(Urgency(urgency % 3))
        moments.append(clock.at)

    with ThreadPoolExecutor(threads) as pool:
        for pause in pauses:
            clock.at += pause
            list(pool.map(take, range(threads * 3)))
    every = len(moments)
    assert every <= max(1.0, rate.burst * share) + rate.sustained * share * clock.at + CLOSE * every
