"""Whatever lies where state should be: it is read as a record, or said to be unreadable, and then never written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.keys import Place
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.waves import Change
from controller.reconciling.notes import Note
from controller.specs.carry import RouteMemory
from controller.specs.load import reread
from controller.state.ledger import Ledger, Record
from tests.support.aws import MemoryStore

PLACE = Place("main", "us-east-1")
SERVICE = f"{PLACE}/c/s"
GOOD: dict[str, dict[str, Any]] = {
    "services": ServiceMemory("arn:2", "arn:1", "d", "f", Stage.SETTLED).as_plain(),
    "routes": RouteMemory("f", "d", ({"kind": "LogRoute"},)).as_plain(),
    "notes": Note("ann", 1.0, "why", (f"{SERVICE} restore ",)).as_plain(),
    "waves": Change("id", "r", 1.0, {SERVICE: "tag", f"{SERVICE}2": "tag"}, (1, 1), (SERVICE,)).as_plain(),
}
READS: dict[str, Callable[[Any], Record]] = {
    "services": ServiceMemory.from_plain,
    "routes": RouteMemory.from_plain,
    "notes": Note.from_plain,
    "waves": Change.from_plain,
}
junk = st.recursive(
    st.one_of(st.text(max_size=5), st.integers(-(2**63), 2**63), st.floats(allow_nan=False), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn, kind: str) -> bytes:
    """Bytes, JSON, a shard of junk, or a good record with one field spoilt."""
    spoilt = {**GOOD[kind], draw(st.sampled_from(sorted(GOOD[kind]))): draw(junk)}
    record = draw(st.one_of(junk, st.just(spoilt)))
    shard = {"format": 1, "entries": {SERVICE: record}}
    whole = [orjson.dumps(one) for one in (record, shard)]
    return draw(st.one_of(st.binary(max_size=20), st.sampled_from(whole)))


@pytest.mark.parametrize("kind", GOOD)
@given(data=st.data())
def test_junk_is_unreadable_or_a_record_and_breaks_nothing(kind: str, data: st.DataObject) -> None:
    store, body = MemoryStore(), data.draw(bodies(kind))
    ledger = Ledger(store, "p", READS[kind])
    shard = next(name for name in "0123456789abcdef" if _is_in(SERVICE, name))
    store.force(f"p/{shard}.json", body)
    ledger.load()
    if ledger.unknown(SERVICE):
        ledger.put(SERVICE, READS[kind](GOOD[kind]))
        assert store.objects[f"p/{shard}.json"].body == body
    elif found := ledger.get(SERVICE):
        assert type(found)(**_fields(found)) == found
        str(found)


def _is_in(key: str, shard: str) -> bool:
    store = MemoryStore()
    Ledger(store, "p", Note.from_plain).put(key, Note("a", 1.0))
    return f"p/{shard}.json" in store.objects


def _fields(record: Any) -> dict[str, Any]:
    if isinstance(record, RouteMemory):
        return {"file": record.file, "digest": record.digest, "made_from": record.made_from}
    return {name: getattr(record, name) for name in record.__slots__}


@given(st.lists(st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "x"]), junk, max_size=4)))
def test_documents_that_are_none_give_no_route(made_from: list[dict[str, Any]]) -> None:
    assert reread(RouteMemory("f", "d", tuple(made_from)).made_from, "f") is None


@pytest.mark.parametrize("key", ["", "x", "main/us-east-1/c", f"{SERVICE}/more", "main/elsewhere/c/s", "a/b/c/d"])
def test_a_key_that_is_no_service_of_the_place_makes_its_part_unreadable(key: str) -> None:
    store = MemoryStore()
    Ledger(store, "p", ServiceMemory.from_plain).put(key, ServiceMemory.from_plain(GOOD["services"]))
    ledger = Ledger(store, "p", ServiceMemory.from_plain, PLACE.service)
    ledger.load()
    assert ledger.unknown(key)
