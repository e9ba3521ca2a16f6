"""State that an earlier LogRoute wrote: what lies in tests/cases/state is never changed, and is always readable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from controller.api.keys import Place
from controller.planning.memory import ServiceMemory, Stage, forgiven
from controller.reconciling.notes import Kind, Note, Notes
from controller.reconciling.statuses import checked
from controller.specs.carry import RouteMemory
from controller.specs.load import reread
from controller.state.ledger import Ledger, shard_of
from tests.support.aws import MemoryStore

PINNED = Path(__file__).parent.parent / "cases" / "state" / "format-1"
PLACE = Place("main", "ap-northeast-1")
SERVICE = f"{PLACE}/example-poc-app/example"


def entries(name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((PINNED / f"{name}.json").read_bytes())["entries"]
    return found


def store_of(name: str) -> MemoryStore:
    """The pinned entries, each in the object that its key belongs to."""
    shards: dict[str, dict[str, Any]] = {}
    for key, one in entries(name).items():
        shards.setdefault(shard_of(key), {})[key] = one
    store = MemoryStore()
    for shard, some in shards.items():
        store.force(f"p/{shard}.json", orjson.dumps({"format": 1, "entries": some}))
    return store


def test_the_memory_of_a_service_is_readable() -> None:
    ledger = Ledger(store_of("services"), "p", ServiceMemory.from_plain, PLACE.service)
    ledger.load()
    memory = ledger.get(SERVICE)
    assert memory is not None
    assert ledger.unreadable() == {}
    assert memory.stage is Stage.SETTLED
    assert memory.revision == memory.base == "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/example:2"
    assert list(memory.routes) == ["web/httpd"]
    assert [group.name for group in memory.groups] == ["app"]
    assert memory.originals["logConfiguration"]["app"]["logDriver"] == "awslogs"
    ((_, held),) = memory.held.items()
    assert held.reason.startswith("ECS deployment circuit breaker")
    assert forgiven(memory).held == {}


def test_of_a_field_of_a_newer_version_nothing_is_guessed_and_its_object_stays_as_it_is() -> None:
    """docs/upgrading.md tells of it: the services of that object stand still, those of others do not."""
    newer = {**entries("services")[SERVICE], "of_a_newer_version": True}
    path, body = f"p/{shard_of(SERVICE)}.json", orjson.dumps({"format": 1, "entries": {SERVICE: newer}})
    store = MemoryStore()
    store.force(path, body)
    ledger = Ledger(store, "p", ServiceMemory.from_plain, PLACE.service)
    ledger.load()
    elsewhere = next(key for number in range(99) if shard_of(key := f"{SERVICE}{number}") != shard_of(SERVICE))
    assert ledger.get(SERVICE) is None
    assert ledger.unknown(SERVICE).endswith(
        "is not readable: 'of_a_newer_version' in it is of a newer version, or of nobody"
    )
    assert not ledger.unknown(elsewhere)
    ledger.put(SERVICE, None)
    assert store.get(path).body == body


def test_the_memory_of_a_route_is_readable() -> None:
    ledger = Ledger(store_of("routes"), "p", RouteMemory.from_plain)
    ledger.load()
    memory = ledger.get("web/httpd")
    assert memory is not None
    route = reread(memory.made_from, memory.file)
    assert route is not None
    assert (route.key, route.outputs[0]["format"]) == ("web/httpd", "json_lines")


def test_notes_are_readable() -> None:
    notes = Notes(store_of("notes"), "p", lambda: 0.0)
    notes.ledger.load()
    assert notes.get(Kind.SUSPENDED, "web/httpd") == Note("ann@laptop", 1763769600.5, "moving house")
    ((_, blocked),) = notes.all(Kind.BLOCKED).items()
    assert blocked.lines == (f"{SERVICE} restore ",)


def test_the_status_is_readable() -> None:
    found = checked(orjson.loads((PINNED / "status.json").read_bytes()), "here")
    assert found["services"][SERVICE]["reason"] == "Suspended"


@pytest.mark.parametrize("field", ["app", "left_out", "why", "policy", "deployment", "originals", "routes"])
def test_a_record_without_a_field_that_has_a_default_is_readable(field: str) -> None:
    """As a version wrote it that did not know the field."""
    plain = dict(entries("services")[SERVICE])
    del plain[field]
    assert ServiceMemory.from_plain(plain).revision


def test_a_note_without_its_later_fields_is_readable() -> None:
    assert Note.from_plain({"who": "ann", "at": 1}) == Note("ann", 1)
