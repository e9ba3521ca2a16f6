"""What is remembered survives the way through JSON, whatever is in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.planning.groups import Group
from controller.planning.memory import Held, ServiceMemory, Stage
from controller.specs.carry import RouteMemory
from controller.state.ledger import Ledger
from tests.support.aws import MemoryStore

texts = st.text(st.characters(codec="utf-8"), max_size=30)
plain = st.recursive(
    st.one_of(texts, st.integers(-(2**53), 2**53), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=10,
)
held = st.builds(Held, texts, texts, st.floats(0, 4e9, allow_nan=False))
groups = st.builds(Group, texts, st.one_of(st.none(), st.integers(1, 3653)), texts)
services = st.builds(
    ServiceMemory,
    revision=texts,
    base=texts,
    digest=texts,
    fingerprint=texts,
    stage=st.sampled_from(Stage),
    routes=st.dictionaries(texts, texts, max_size=3),
    configs=st.lists(texts, max_size=3).map(tuple),
    groups=st.lists(groups, max_size=3).map(tuple),
    originals=st.dictionaries(texts, plain, max_size=3),
    policy=st.sampled_from(["restore", "orphan"]),
    deployment=texts,
    ignored=st.lists(texts, max_size=3).map(tuple),
    held=st.dictionaries(texts, held, max_size=3),
)
routes = st.builds(
    RouteMemory,
    file=texts,
    digest=texts,
    made_from=st.lists(st.dictionaries(texts, plain, max_size=3), max_size=3).map(tuple),
)


@given(services)
def test_a_service_s_memory_survives_the_way_through_json(memory: ServiceMemory) -> None:
    assert ServiceMemory.from_plain(orjson.loads(orjson.dumps(memory.as_plain()))) == memory


@given(services)
def test_groups_that_an_earlier_version_remembered_by_name_are_known_by_name(memory: ServiceMemory) -> None:
    plain = orjson.loads(orjson.dumps(memory.as_plain()))
    plain["groups"] = [one["name"] for one in plain["groups"]]
    assert ServiceMemory.from_plain(plain).groups == tuple(Group(one.name) for one in memory.groups)


@given(routes)
def test_a_route_s_memory_survives_the_way_through_json(memory: RouteMemory) -> None:
    assert RouteMemory.from_plain(orjson.loads(orjson.dumps(memory.as_plain()))) == memory


@given(st.dictionaries(texts, services, max_size=5))
def test_a_ledger_gives_the_next_process_what_it_was_given(memories: dict[str, ServiceMemory]) -> None:
    store = MemoryStore()
    Ledger(store, "p", ServiceMemory.from_plain).update(dict(memories))
    read = Ledger(store, "p", ServiceMemory.from_plain)
    read.load()
    assert dict(read.items()) == memories


WHOLE = ServiceMemory("arn:2", "arn:1", "d", "f", Stage.SETTLED).as_plain()


@pytest.mark.parametrize(
    "broken",
    [
        {key: value for key, value in WHOLE.items() if key != "revision"},
        {key: value for key, value in WHOLE.items() if key != "held"},
        {key: value for key, value in WHOLE.items() if key != "configs"},
        WHOLE | {"stage": "a stage of a newer version"},
        WHOLE | {"field_of_a_newer_version": 1},
        WHOLE | {"held": {"d": {"reason": "r"}}},
        WHOLE | {"held": {"d": "r"}},
        WHOLE | {"held": None},
        WHOLE | {"configs": 5},
        WHOLE | {"groups": 5},
        WHOLE | {"groups": [5]},
        WHOLE | {"groups": [{"name": "g", "field_of_a_newer_version": 1}]},
        [],
        "memory",
        None,
    ],
)
def test_what_is_no_memory_of_a_service_makes_it_unknown(broken: Any) -> None:
    store = MemoryStore()
    ledger = Ledger(store, "p", ServiceMemory.from_plain)
    ledger.put("k", ServiceMemory.from_plain(WHOLE))
    key, one = next(iter(store.objects.items()))
    body = orjson.loads(one.body)
    body["entries"]["k"] = broken
    store.force(key, orjson.dumps(body))
    ledger.refresh(store.etags())
    assert ledger.get("k") is None
    assert ledger.unknown("k").startswith(f"{key} is not readable: ")


@pytest.mark.parametrize("broken", [{}, {"file": "f", "digest": "d"}, {"file": "f", "digest": "d", "made_from": 3}, []])
def test_what_is_no_memory_of_a_route_is_refused(broken: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        RouteMemory.from_plain(broken)
