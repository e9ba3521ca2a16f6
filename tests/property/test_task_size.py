"""A router that is put into a task fits there, and what was grown for it is given back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.desired.size import FARGATE, _pairs, grown
from controller.desired.subject import Refusal
from controller.sandbox.registration import fargate, task_size
from controller.taskdef import canonical
from controller.taskdef.mark import Originals, read
from controller.taskdef.overlay import Overlay, Ownership, put, strip

PAIRS = sorted(_pairs())
OURS = Ownership("logroute", "arn:aws:s3:::store/logroute/")
shares = st.fixed_dictionaries(
    {},
    optional={"cpu": st.integers(0, 4096), "memory": st.integers(6, 8192), "memoryReservation": st.integers(6, 8192)},
)
routers = st.builds(lambda share: {"name": "log_router", "image": "r", **share}, shares)


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, Any]:
    """What ECS takes already: on Fargate, or elsewhere with or without a size of its own."""
    containers = [
        {"name": f"c{number}", **share} for number, share in enumerate(draw(st.lists(shares, min_size=1, max_size=3)))
    ]
    body: dict[str, Any] = {"family": "app", "networkMode": "awsvpc", "containerDefinitions": containers}
    if draw(st.booleans()):
        cpu, memory = draw(st.sampled_from(PAIRS))
        body |= {"requiresCompatibilities": ["FARGATE"], "cpu": str(cpu), "memory": str(memory)}
    else:
        sizes = st.integers(128, 16384).map(str)
        body |= draw(st.fixed_dictionaries({}, optional={"cpu": sizes, "memory": sizes}))
    assume(not list(problems(body)))
    return body


def problems(body: dict[str, Any]) -> list[str]:
    fit = [*task_size.problems(body)]
    return [*fit, *fargate._size(body)] if body.get("requiresCompatibilities") else fit


def overlaid(body: dict[str, Any], router: dict[str, Any], size: dict[str, str]) -> dict[str, Any]:
    routed = {one["name"]: {"logDriver": "awsfirelens"} for one in body["containerDefinitions"]}
    whole = {**router, "firelensConfiguration": {"type": "fluentbit"}}
    return put(body, Overlay(whole, routed, "START", (), "logroute", "d", ("web/a",), size))


@given(tasks(), routers)
def test_with_grow_task_what_ecs_took_it_takes_with_the_router(body: dict[str, Any], router: dict[str, Any]) -> None:
    try:
        size = grown(body, router, may_grow=True)
    except Refusal as refusal:
        assert "no Fargate size is large enough" in refusal.message  # noqa: PT017 - any other is a failure
        return
    after = overlaid(body, router, size)
    assert problems(after) == []
    assert all(int(after[name]) >= int(body[name]) for name in size)


@given(tasks(), routers)
def test_without_it_the_task_stays_as_it_is_or_is_refused_with_the_numbers(
    body: dict[str, Any], router: dict[str, Any]
) -> None:
    after = overlaid(body, router, {})
    try:
        assert grown(body, router, may_grow=False) == {}
        assert problems(after) == []
    except Refusal as refusal:
        assert problems(after) != []
        assert "the task has" in refusal.message  # noqa: PT017


@given(tasks(), routers)
def test_the_size_comes_back(body: dict[str, Any], router: dict[str, Any]) -> None:
    try:
        size = grown(body, router, may_grow=True)
    except Refusal:
        assume(False)
    back = strip(overlaid(body, router, size), OURS)
    assert canonical.canonical(back.app) == canonical.canonical(body)
    assert grown(back.app, router, may_grow=True) == size


def test_a_size_that_the_application_chose_since_stays() -> None:
    body: dict[str, Any] = {"family": "a", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"]}
    body["containerDefinitions"] = [{"name": "app", "memory": 512}]
    router = {"name": "log_router", "memoryReservation": 128}
    grown_body = overlaid(body, router, grown(body, router, may_grow=True))
    assert strip({**grown_body, "memory": "2048"}, OURS).app["memory"] == "2048"
    assert strip({**grown_body, "cpu": "512"}, OURS).app["memory"] == "1024"  # with 512 MiB it were no pair
    assert strip(grown_body, OURS).app["memory"] == "512"


def test_the_pairs_are_those_that_ecs_takes() -> None:
    assert {cpu: {memory for one, memory in PAIRS if one == cpu} for cpu in FARGATE} == fargate.SIZES


@pytest.mark.parametrize("size", [3, {"disk": ["1", "2"]}, {"cpu": ["1"]}, {"cpu": [1, 2]}])
def test_an_original_size_that_is_none_is_not_readable(size: Any) -> None:
    with pytest.raises(ValueError, match="size"):
        Originals.from_plain({"logConfiguration": {}, "volumes": [], "size": size})


def test_a_size_written_with_units_comes_back_as_it_was_written() -> None:
    body: dict[str, Any] = {"family": "a", "cpu": ".25 vCPU", "memory": "0.5 GB"}
    body |= {"requiresCompatibilities": ["FARGATE"], "containerDefinitions": [{"name": "app", "memory": 512}]}
    router = {"name": "log_router", "memoryReservation": 128}
    size = grown(body, router, may_grow=True)
    assert size == {"cpu": "256", "memory": "1024"}
    after = overlaid(body, router, size)
    mark = read(after["containerDefinitions"][-1])
    assert mark is not None
    assert [strip(after, OURS).app[name] for name in ("cpu", "memory")] == [".25 vCPU", "0.5 GB"]
