"""The sandbox's throttles and the typing of what people write, whatever comes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.sandbox.bodies import typed
from controller.sandbox.ecs import wire
from controller.sandbox.ecs.buckets import Bucket, Rate

PAUSES = st.lists(st.floats(0, 30, allow_nan=False), max_size=80)
RATES = st.builds(Rate, st.integers(1, 100), st.integers(1, 40))


@given(rate=RATES, pauses=PAUSES)
def test_a_bucket_gives_no_more_than_its_burst_and_what_was_refilled(rate: Rate, pauses: list[float]) -> None:
    bucket, now, given_out = Bucket(rate, rate.burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.take(now)
        assert given_out <= rate.burst + rate.refill * now + 1e-6
        assert 0 <= bucket.level_at(now) <= rate.burst
    assert given_out + bucket.throttled == len(pauses)


@given(rate=RATES, count=st.integers(1, 60))
def test_who_keeps_to_the_rate_is_never_throttled(rate: Rate, count: int) -> None:
    bucket = Bucket(rate, rate.burst, 0.0)
    assert all(bucket.take(index * 1.001 / rate.refill) for index in range(count))


NAMES = st.text("abcdef0123456789", min_size=1, max_size=8)
CONTAINERS = st.fixed_dictionaries(
    {"name": NAMES, "image": NAMES},
    optional={
        "memory": st.integers(4, 10**6),
        "essential": st.booleans(),
        "command": st.lists(NAMES, max_size=3),
        "environment": st.lists(st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=3),
        "dockerLabels": st.dictionaries(NAMES, NAMES, max_size=3),
        "portMappings": st.lists(st.fixed_dictionaries({"containerPort": st.integers(1, 65535)}), max_size=2),
    },
)


@given(containers=st.lists(CONTAINERS, min_size=1, max_size=3), cpu=st.integers(1, 4096).map(str))
def test_a_definition_whose_scalars_are_text_is_the_definition(containers: list[Any], cpu: str) -> None:
    """Text stays text where ECS has text, even if it looks like a number."""
    body = {"family": "app", "cpu": cpu, "containerDefinitions": containers}
    shape = wire.service_model().operation_model("RegisterTaskDefinition").input_shape
    assert typed(as_text(body), shape) == body


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_text(member) for member in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
