"""The limiter: AWS's own buckets at a share, halved on a throttle, and whole again after a while."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeGuard

import botocore.session
import pytest

from controller import aws
from controller.aws.limiter import (
    FAMILIES,
    ONE_EVENT,
    OPERATIONS,
    PATIENCE,
    RECOVERY_SECONDS,
    Limiter,
    Rate,
    TokenBucket,
    Waiter,
)
from controller.aws.ports import Urgency
from controller.sandbox.ecs.buckets import CATEGORIES
from tests.support.aws import Turned

AWS = {
    "RegisterTaskDefinition": Rate(20, 1),
    "DescribeTaskDefinition": Rate(50, 20),
    "ListTaskDefinitionFamilies": Rate(50, 20),
    "ListTaskDefinitions": Rate(50, 20),
    "UpdateService": Rate(50, 5),
    "DescribeServices": Rate(100, 20),
    "ListServices": Rate(100, 20),
    "ListServiceDeployments": Rate(50, 20),
    "DescribeServiceDeployments": Rate(50, 20),
    "DescribeServiceRevisions": Rate(50, 20),
    "DeregisterTaskDefinition": Rate(20, 1),
    "DescribeClusters": Rate(50, 20),
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
    assert seconds_for(4, one, clock) == pytest.approx(4, rel=0.05)


def test_throttles_never_bring_it_to_a_stop(clock: Turned) -> None:
    one = bucket(clock, sustained=16)
    for _ in range(100):
        clock.at += ONE_EVENT
        one.throttled()
    assert seconds_for(1, one, clock) == pytest.approx(1, rel=0.1)


def test_calls_that_are_throttled_together_are_one_event(clock: Turned) -> None:
    one = bucket(clock)
    for _ in range(8):
        one.throttled()
        clock.at += ONE_EVENT / 10
    assert seconds_for(3, one, clock) == pytest.approx(3, rel=0.3)


def test_a_throttle_reaches_those_that_wait_already(clock: Turned) -> None:
    """Their call would be the next to be throttled."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            one.throttled()
        clock.sleep(seconds)

    one = TokenBucket(Rate(1, 1), 1.0, clock.now, sleep)
    one.acquire()
    assert one.acquire() == pytest.approx(2, rel=0.1)


def test_it_grows_back_by_and_by(clock: Turned) -> None:
    one = bucket(clock, burst=1)
    one.throttled()
    seconds_for(1, one, clock)
    slow = seconds_for(1, one, clock)
    clock.at += RECOVERY_SECONDS / 4
    seconds_for(1, one, clock)
    better = seconds_for(1, one, clock)
    clock.at += RECOVERY_SECONDS / 4
    seconds_for(1, one, clock)
    assert slow > better > seconds_for(1, one, clock) == pytest.approx(0.5)


def test_what_came_in_while_it_grew_is_counted_as_it_came(clock: Turned) -> None:
    """From half of two a second to all of it takes 120 s, in which 180 come."""
    one = bucket(clock, burst=1000)
    one.throttled()
    clock.at += RECOVERY_SECONDS / 2 + 10
    assert seconds_for(180 + 20, one, clock) == 0
    assert one.acquire() == pytest.approx(0.5)


def test_the_most_urgent_goes_first(clock: Turned) -> None:
    """Four wait; whoever came last is served first where it is urgent."""
    served: list[Urgency] = []
    one = TokenBucket(Rate(1, 1), 1.0, clock.now, lambda _: arrive())
    others = [Urgency.ROLLOUT, Urgency.REPAIR]

    def arrive() -> None:
        if others:
            urgency = others.pop(0)
            one.acquire(urgency)
            served.append(urgency)
        else:
            clock.at += 0.1

    one.acquire()
    one.acquire(Urgency.RESYNC)
    served.append(Urgency.RESYNC)
    assert served == [Urgency.REPAIR, Urgency.ROLLOUT, Urgency.RESYNC]


def test_who_has_waited_long_is_as_urgent_as_anybody() -> None:
    patient, urgent = Waiter(Urgency.RESYNC, 1, since=0.0), Waiter(Urgency.REPAIR, 2, since=PATIENCE)
    assert urgent.rank(PATIENCE) < patient.rank(PATIENCE)
    assert patient.rank(PATIENCE + 1) < urgent.rank(PATIENCE + 1)


def test_it_never_recovers_beyond_its_share(clock: Turned) -> None:
    one = bucket(clock, share=0.5)
    one.throttled()
    clock.at += 100 * RECOVERY_SECONDS
    seconds_for(2, one, clock)
    assert seconds_for(2, one, clock) == pytest.approx(2)


def test_threads_share_one_bucket() -> None:
    clock, moments = Turned(), []
    one = TokenBucket(Rate(10, 5), 1.0, clock.now, clock.sleep)

    def take(_: int) -> None:
        one.acquire()
        moments.append(clock.at)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(200)))
    assert max(moments) >= (200 - 10) / 5 - 1e-3


@pytest.mark.parametrize("operation", AWS)
def test_each_operation_has_the_bucket_that_aws_documents(operation: str) -> None:
    assert FAMILIES[OPERATIONS[operation]] == AWS[operation]


def test_no_operation_of_ours_is_without_a_bucket_of_its_family() -> None:
    """In whatever file it is called, of those that know ECS's operations."""
    assert _named_in_code() <= set(OPERATIONS)


def test_operations_share_a_bucket_where_they_do_in_aws_and_nowhere_else() -> None:
    """The sandbox has AWS's table too, written down for itself."""
    theirs = {name: (rate, category) for category, (rate, names) in CATEGORIES.items() for name in names.split()}
    assert OPERATIONS.keys() <= theirs.keys()
    for one in OPERATIONS:
        assert FAMILIES[OPERATIONS[one]] == Rate(theirs[one][0].burst, theirs[one][0].refill)
        for other in OPERATIONS:
            assert (OPERATIONS[one] == OPERATIONS[other]) == (theirs[one][1] == theirs[other][1])


def _named_in_code() -> set[str]:
    """logs.py aside: ListTagsForResource is CloudWatch's there."""
    files = [file for file in Path(aws.__file__).parent.glob("*.py") if file.name not in ("logs.py", "limiter.py")]
    constants = (node.value for file in files for node in ast.walk(ast.parse(file.read_text())) if _is_text(node))
    known = set(botocore.session.get_session().get_service_model("ecs").operation_names)
    return known & set(constants)


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(
    ("service", "operation", "family"),
    [
        ("logs", "ListTagsForResource", "logs"),
        ("sts", "AssumeRole", "other"),
        ("scheduler", "GetSchedule", "scheduler"),
    ],
)
def test_other_services_have_buckets_of_their_own(service: str, operation: str, family: str) -> None:
    assert Limiter().bucket(service, operation)[0] == family


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
