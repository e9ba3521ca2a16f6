"""Notes that commands and a controller write at once, and notes that cannot be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from controller.api.conditions import Reason
from controller.reconciling.notes import Kind, Note, NoteError, Notes
from controller.state import ledger as room
from tests.support.aws import MemoryStore

ROUTES = [f"web/route-{number}" for number in range(60)]
NOTE = Note("ann@laptop", 1.0, "why")


def notes(store: MemoryStore) -> Notes:
    found = Notes(store, "p/_state/notes", lambda: 2.0)
    found.ledger.load()
    return found


def test_commands_and_a_controller_at_once_lose_nothing_of_each_other() -> None:
    """Each command is a process of its own; the controller drops the requests that it sees."""
    store = MemoryStore()
    controller = notes(store)
    for name in ROUTES:
        controller.write(Kind.RECONCILE, name, NOTE)

    def command(name: str) -> None:
        notes(store).write(Kind.SUSPENDED, name, NOTE)
        controller.ledger.refresh(store.etags())
        controller.keep(Kind.RECONCILE, {name: None})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(command, ROUTES))
    assert notes(store).all(Kind.SUSPENDED) == dict.fromkeys(ROUTES, NOTE)
    assert notes(store).all(Kind.RECONCILE) == {}


def test_a_resume_beside_other_suspends_takes_back_only_its_own() -> None:
    store = MemoryStore()
    one, other = notes(store), notes(store)
    one.write(Kind.SUSPENDED, "web/a", NOTE)
    for name in ROUTES:
        other.write(Kind.SUSPENDED, name, NOTE)
    one.write(Kind.SUSPENDED, "web/a", None)
    assert notes(store).all(Kind.SUSPENDED) == dict.fromkeys(ROUTES, NOTE)


def test_where_it_cannot_be_read_whether_something_is_suspended_it_counts_as_held() -> None:
    store = MemoryStore()
    notes(store).write(Kind.SUSPENDED, "web/a", NOTE)
    ((key, _),) = store.objects.items()
    store.force(key, b"broken")
    found = notes(store)
    hold = found.hold("web/a")
    assert hold is not None
    assert hold.reason is Reason.UNKNOWN
    assert f"{key} is not readable" in hold.message
    with pytest.raises(NoteError, match="nothing was written"):
        found.write(Kind.SUSPENDED, "web/a", None)
    assert store.objects[key].body == b"broken"


def test_notes_that_vanish_while_somebody_knows_them_are_unknown_not_gone() -> None:
    store = MemoryStore()
    found = notes(store)
    found.write(Kind.SUSPENDED, "web/a", NOTE)
    store.objects.clear()
    found.ledger.refresh(store.etags())
    hold = found.hold("web/a")
    assert hold is not None
    assert hold.reason is Reason.UNKNOWN


def test_an_object_that_is_far_too_large_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    notes(store).write(Kind.SUSPENDED, "web/a", NOTE)
    monkeypatch.setattr(room, "MAX_BYTES", 20)
    found = notes(store)
    assert "it is larger than" in found.unknown(Kind.SUSPENDED, "web/a")


def test_what_is_not_suspended_is_not_held() -> None:
    store = MemoryStore()
    notes(store).write(Kind.SUSPENDED, "web/a", NOTE)
    assert notes(store).holds(["web/a", "web/b"]).keys() == {"web/a"}
