"""Looking up routes by index finds what trying every route finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.desired.matching import Home, RouteIndex, Undecidable, matches, priority
from controller.desired.subject import Subject
from controller.specs.model import Route
from tests.support.routes import route_document, routes, subject

HOME = Home("main", "ap-northeast-1")
APP = subject().app

names = st.sampled_from(["x", "y", "xy"])
globs = st.lists(st.sampled_from(["x", "y", "xy", "x*", "?", "*"]), min_size=1, max_size=2)
services = st.builds(lambda some, no: [*some, *no], globs, st.lists(st.just("!y"), max_size=1))
by_service: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"cluster": st.sampled_from(["c", "d", "c*", "?", "*"]), "services": services},
    optional={
        "region": st.sampled_from(["ap-northeast-1", "eu-west-1"]),
        "serviceSelector": st.sampled_from([{"matchTags": {"team": "web"}}]),
        "taskFamilies": globs,
    },
)
by_tags = by_service.map(lambda one: {**one, "services": [], "serviceSelector": {"matchTags": {"team": "web"}}})
by_family: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"taskFamilies": globs})
targets = st.lists(st.tuples(st.integers(0, 2), st.one_of(by_service, by_tags, by_family)), min_size=1, max_size=8)
subjects = st.builds(
    Subject,
    account=st.sampled_from([None, "main", "prod"]),
    region=st.sampled_from([None, "ap-northeast-1", "eu-west-1"]),
    cluster=st.sampled_from([None, "c", "d", "cd"]),
    service=st.none() | names,
    family=names,
    app=st.just(APP),
    tags=st.sampled_from([None, {}, {"team": "web"}]),
)


@given(targets, st.lists(subjects, min_size=1, max_size=6))
def test_the_index_finds_what_trying_every_route_finds(
    some: Sequence[tuple[int, dict[str, Any]]], sought: Sequence[Subject]
) -> None:
    documents = [route_document(f"r{number}", priority=order) for number, (order, _) in enumerate(some)]
    for document, (_, target) in zip(documents, some, strict=True):
        document["spec"]["target"] = target
    every = routes(*documents)
    index = RouteIndex(every, HOME)
    for one in sought:
        assert _by_index(index, one) == _by_trying(every, one)


def _by_index(index: RouteIndex, one: Subject) -> list[str] | None:
    """None where it cannot be decided."""
    try:
        return [route.key for route in index.routes_for(one)]
    except Undecidable:
        return None


def _by_trying(every: Iterable[Route], one: Subject) -> list[str] | None:
    try:
        return [route.key for route in sorted((route for route in every if matches(route, one, HOME)), key=priority)]
    except Undecidable:
        return None
