"""Turns, looked at one by one; what holds for all of them is in tests/property/test_waves.py."""

from __future__ import annotations

import pytest

from controller.api.keys import ServiceKey
from controller.api.kinds import Rollout
from controller.aws.ports import AwsError
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.notes import Note
from tests.property.test_waves import PLACE, Fleet


def fleet(count: int, **rollout: object) -> Fleet:
    keys = [ServiceKey(PLACE, "c", f"s{number:02}") for number in range(count)]
    settings = Rollout.model_validate({"batch": "1", "maxParallel": 0, **rollout})
    found = Fleet(settings, keys, dict.fromkeys(keys, 0))
    found.a_pass()
    return found


def test_after_an_outage_the_first_batch_goes_first_again() -> None:
    """Each batch was let by while the one before met errors; the errors end for all at once."""
    some = fleet(5)
    for key in some.keys:
        assert some.queue == [key]
        some.queue.clear()
        some.waves.failed(key)
        some.queue += some.waves.due(0.0)
    some.queue = list(some.keys)
    for _ in some.keys:
        some.work()
    assert some.begun == some.keys[:1]
    some.end(some.keys[0], "done")
    some.work()
    assert some.begun == some.keys[:2]


def denied(some: Fleet, prefix: str) -> None:
    """The store takes no write there."""

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.startswith(prefix):
            raise AwsError("s3:PutObject", key, "AccessDenied", "denied")

    some.store.before = before


def test_a_change_that_could_not_be_written_down_at_once_is_written_down_later() -> None:
    some = fleet(0)
    some.keys = [ServiceKey(PLACE, "c", f"s{number}") for number in range(3)]
    some.stages = dict.fromkeys(some.keys, 0)
    denied(some, "waves")
    with pytest.raises(AwsError):
        some.a_pass()
    some.store.before = lambda _operation, _key: None
    some.a_pass()
    assert len(dict(some.ledger.items())) == 1


def test_an_aborted_change_stays_so_while_the_store_takes_no_notes() -> None:
    some = fleet(3)
    (change,) = some.waves.plain()
    for kind in (NoteKind.ROLLOUT_ABORTED, NoteKind.ROLLOUT_RESUMED):
        some.notes.write(kind, change["id"], Note("somebody", 1.0))
    some.start()
    denied(some, "notes")
    with pytest.raises(AwsError):
        some.a_pass()
    some.queue = list(some.keys)
    for _ in some.keys:
        some.work()
    assert some.begun == []
