"""Whatever routes meet on a task, each gets what it would get alone: its own records, through its own filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.desired.compose import compose
from controller.desired.subject import Subject
from controller.fluentbit.reader import from_classic
from controller.specs.model import Route
from tests.support.engine_model import Event, Record, deliver
from tests.support.routes import INSTALLATION, route_document, routes, subject

CONTAINERS = ("app", "web", "app-firelens-x")
TASK = "3de392df6bfa470b97edaa6f482cd7a0"
LINES = ("one keep", "two drop", "three error")

PATTERNS = st.sampled_from([{}, {"match": "*"}, {"match": "app*"}, {"match_regex": "^web-firelens-[0-9a-f]+$"}])
MARK = st.sampled_from("xyz").map(lambda mark: {"name": "record_modifier", "record": f"mark {mark}"})
DROP = st.just({"name": "grep", "exclude": "log drop"})
REWRITE = st.sampled_from(["errors", "errors.$TAG", "$TAG.errors", "$TAG[0].errors"]).flatmap(
    lambda tag: st.sampled_from(["true", "false"]).map(
        lambda keep: {"name": "rewrite_tag", "rule": f"$log error {tag} {keep}"}
    )
)
FILTERS = st.lists(st.one_of(st.tuples(MARK, PATTERNS).map(lambda both: both[0] | both[1]), DROP), max_size=2)
OUTPUTS = st.lists(st.one_of(PATTERNS, st.just({"match": "errors*"})), min_size=1, max_size=3)


@st.composite
def route(draw: st.DrawFn, name: str) -> dict[str, Any]:
    filters = draw(FILTERS) + draw(st.lists(REWRITE, max_size=1)) + draw(FILTERS)
    outputs = [{"name": "stdout", "alias": f"o{at}", **one} for at, one in enumerate(draw(OUTPUTS))]
    containers = draw(st.lists(st.sampled_from(CONTAINERS), min_size=1, unique=True))
    document = route_document(
        name, target={"containers": containers}, pipeline={"filters": filters, "outputs": outputs}
    )
    document["metadata"]["annotations"] = {"logroute.dev/allow": "OUTPUT_UNREACHABLE"}
    return document


MEETING = st.integers(1, 4).flatmap(lambda many: st.tuples(*(route(name) for name in "abcd"[:many])))


def on() -> Subject:
    return subject([{"name": name, "image": "httpd"} for name in CONTAINERS])


def delivered(some: Sequence[Route], containers: Sequence[str]) -> dict[str, list[Record]]:
    """What each output gets of the lines of these containers, in some order."""
    (config, *_) = compose(some, on(), INSTALLATION).configs
    events = [
        Event(f"{name}-firelens-{TASK}", (("source", "stdout"), ("log", f"{name} {line}")))
        for name in containers
        for line in LINES
    ]
    return {alias: sorted(records) for alias, records in deliver(from_classic(config.body), events).items()}


@settings(max_examples=150, deadline=None)
@given(MEETING)
def test_a_route_gets_among_others_what_it_gets_alone(documents: tuple[dict[str, Any], ...]) -> None:
    some = sorted(routes(*documents), key=lambda one: one.key)
    together = delivered(some, [name for name in CONTAINERS if any(name in _containers(one) for one in some)])
    alone: dict[str, list[Record]] = {}
    for one in some:
        alone |= delivered([one], _containers(one))
    assert together == alone


def _containers(one: Route) -> tuple[str, ...]:
    return one.document.spec.target.containers


@settings(max_examples=100, deadline=None)
@given(MEETING)
def test_nobody_gets_the_health_checks_of_the_agent(documents: tuple[dict[str, Any], ...]) -> None:
    (config, *_) = compose(sorted(routes(*documents), key=lambda one: one.key), on(), INSTALLATION).configs
    assert deliver(from_classic(config.body), [Event("firelens-healthcheck", (("log", "health error"),))]) == {}


@settings(max_examples=100, deadline=None)
@given(route("a"))
def test_without_filters_that_drop_every_line_is_at_every_output_that_takes_all(document: dict[str, Any]) -> None:
    pipeline = document["spec"]["pipeline"]
    pipeline["filters"] = [one for one in pipeline["filters"] if one["name"] != "grep"]
    pipeline["outputs"] = [{"name": "stdout", "alias": "all"}]
    (one,) = routes(document)
    (records,) = delivered([one], _containers(one)).values()
    logs = [dict(record)["log"] for record in records]
    assert set(logs) == {f"{name} {line}" for name in _containers(one) for line in LINES}
