"""The limiter: AWS's own buckets at a share, halved on a throttle, and whole again after a while."""

from __future__ import annotations

import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from controller.aws import ecs
from controller.aws.limiter import FAMILIES, OPERATIONS, RECOVERY_SECONDS, Limiter, Rate, TokenBucket
from tests.support.aws import Turned

AWS = {
    "RegisterTaskDefinition": Rate(20, 1),
    "DescribeTaskDefinition": Rate(50, 20),
    "UpdateService": Rate(50, 5),
    "DescribeServices": Rate(100, 20),
    "ListServices": Rate(100, 20),
    "ListServiceDeployments": Rate(50, 20),
    "DescribeServiceDeployments": Rate(50, 20),
    "DescribeServiceRevisions": Rate(50, 20),
    "ListClusters": Rate(50, 20),
    "ListTasks": Rate(100, 20),
    "DescribeTasks": Rate(100, 20),
}
"""Amazon ECS API reference, "Request throttling for the Amazon ECS API"."""


@pytest.fixture
def clock() -> Turned:
    return Turned()


def bucket(clock: Turned, burst: float = 4, sustained: float = 2, share: float = 1.0) -> TokenBucket:
    return TokenBucket(Rate(burst, sustained), share, clock.now, clock.sleep)


def seconds_for(tokens: int, one: TokenBucket, clock: Turned) -> float:
    start = clock.at
    for _ in range(tokens):
        one.acquire()
    return clock.at - start


def test_a_burst_costs_no_time_and_the_rest_goes_at_the_sustained_rate(clock: Turned) -> None:
    one = bucket(clock)
    assert seconds_for(4, one, clock) == 0
    assert seconds_for(10, one, clock) == pytest.approx(5)


def test_an_idle_bucket_fills_up_to_its_burst_and_no_further(clock: Turned) -> None:
    one = bucket(clock)
    seconds_for(4, one, clock)
    clock.at += 3600
    assert seconds_for(4, one, clock) == 0
    assert seconds_for(1, one, clock) == pytest.approx(0.5)


def test_a_share_takes_that_part_of_burst_and_rate(clock: Turned) -> None:
    one = bucket(clock, burst=20, sustained=1, share=0.5)
    assert seconds_for(10, one, clock) == 0
    assert seconds_for(3, one, clock) == pytest.approx(6)


def test_the_smallest_share_still_lets_one_through(clock: Turned) -> None:
    one = bucket(clock, burst=20, sustained=1, share=0.01)
    assert one.acquire() == 0
    assert one.acquire() == pytest.approx(100)


def test_acquire_says_how_long_it_waited(clock: Turned) -> None:
    one = bucket(clock, burst=1)
    assert one.acquire() == 0
    assert one.acquire() == pytest.approx(0.5) == clock.slept[0]


def test_a_throttle_spends_what_is_saved_and_halves_the_rate(clock: Turned) -> None:
    one = bucket(clock)
    one.throttled()
    assert seconds_for(4, one, clock) == pytest.approx(4)


def test_throttles_never_bring_it_to_a_stop(clock: Turned) -> None:
    one = bucket(clock, sustained=16)
    for _ in range(100):
        one.throttled()
    assert seconds_for(1, one, clock) == pytest.approx(1)


def test_a_throttle_forgives_no_debt(clock: Turned) -> None:
    one = TokenBucket(Rate(1, 1), 1.0, clock.now, lambda _: None)
    assert [one.acquire() for _ in range(4)] == [0, 1, 2, 3]
    one.throttled()
    assert one.acquire() == pytest.approx(8)


def test_a_halved_bucket_doubles_again_after_a_minute_of_peace(clock: Turned) -> None:
    one = bucket(clock)
    one.throttled()
    one.throttled()
    clock.at += RECOVERY_SECONDS
    seconds_for(4, one, clock)
    assert seconds_for(4, one, clock) == pytest.approx(4)
    clock.at += RECOVERY_SECONDS
    seconds_for(4, one, clock)
    assert seconds_for(4, one, clock) == pytest.approx(2)


def test_a_bucket_left_alone_for_long_is_whole_again_at_once(clock: Turned) -> None:
    one = bucket(clock)
    for _ in range(10):
        one.throttled()
    clock.at += 4 * RECOVERY_SECONDS
    seconds_for(4, one, clock)
    assert seconds_for(4, one, clock) == pytest.approx(2)


def test_time_at_half_the_rate_counts_half_though_the_rate_is_whole_by_then(clock: Turned) -> None:
    one = bucket(clock, burst=1000)
    one.throttled()
    clock.at += RECOVERY_SECONDS + 10
    assert seconds_for(60 + 20, one, clock) == 0
    assert one.acquire() == pytest.approx(0.5)


def test_it_never_recovers_beyond_its_share(clock: Turned) -> None:
    one = bucket(clock, share=0.5)
    one.throttled()
    clock.at += 100 * RECOVERY_SECONDS
    seconds_for(2, one, clock)
    assert seconds_for(2, one, clock) == pytest.approx(2)


def test_threads_share_one_bucket() -> None:
    """Each is told to wait for a moment of its own: together they keep the rate."""
    one = TokenBucket(Rate(10, 5), 1.0, lambda: 0.0, lambda _: None)
    with ThreadPoolExecutor(8) as pool:
        moments = sorted(pool.map(lambda _: one.acquire(), range(200)))
    assert moments[:10] == [0.0] * 10
    assert all(later - earlier == pytest.approx(0.2) for earlier, later in pairwise(moments[9:]))


@pytest.mark.parametrize("operation", AWS)
def test_each_operation_has_the_bucket_that_aws_documents(operation: str) -> None:
    assert FAMILIES[OPERATIONS[operation]] == AWS[operation]


def test_no_operation_of_ours_is_without_a_bucket_of_its_family() -> None:
    used = set(re.findall(r'"([A-Z][a-z]+[A-Z][A-Za-z]+)"', inspect.getsource(ecs.BotoEcs)))
    used = {name for name in used if name in _operations()}
    assert used == set(AWS) - {"DescribeServiceDeployments"}


def _operations() -> set[str]:
    import botocore.session

    return set(botocore.session.get_session().get_service_model("ecs").operation_names)


def test_operations_of_one_family_share_a_bucket_and_others_do_not(clock: Turned) -> None:
    limiter = Limiter(1.0, now=clock.now, sleep=clock.sleep)
    for _ in range(50):
        limiter.acquire("ecs", "DescribeServices")
        limiter.acquire("ecs", "ListServices")
    assert clock.slept == []
    limiter.acquire("ecs", "DescribeTaskDefinition")
    assert clock.slept == []
    limiter.acquire("ecs", "ListServices")
    assert clock.slept == [pytest.approx(0.05)]


def test_who_listens_hears_of_each_wait_and_its_family(clock: Turned) -> None:
    heard: list[tuple[str, float]] = []
    limiter = Limiter(0.5, lambda family, seconds: heard.append((family, seconds)), clock.now, clock.sleep)
    for _ in range(11):
        limiter.acquire("ecs", "RegisterTaskDefinition")
    limiter.acquire("s3", "PutObject")
    limiter.acquire("sts", "GetCallerIdentity")
    assert heard[0] == ("ecs:task-definition-modify", 0)
    assert heard[10][1] == pytest.approx(2)
    assert [family for family, _ in heard[11:]] == ["s3", "other"]
