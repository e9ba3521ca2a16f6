"""The ledger where S3 fails, objects are broken, and others write: what cannot be read is never overwritten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from controller.aws.ports import NotFound, PreconditionFailed, Unreachable
from controller.state.ledger import ATTEMPTS
from tests.support.aws import MemoryStore
from tests.support.records import Thing, keys_in, object_key, things

ONE, TWO = Thing("one"), Thing("two")
FIRST, SECOND, *_ = (key for key, _ in zip(keys_in("a"), range(3), strict=False))
OTHER, LAST = next(keys_in("b")), next(keys_in("c"))
DOWN = Unreachable("s3:PutObject", "s3://store/x", "ReadTimeoutError", "no answer")

BROKEN = {
    "no JSON": (b"{", "unexpected end of data"),
    "empty": (b"", "empty document"),
    "not UTF-8": (b'{"format": 1, "entries": {"\xff": {}}}', "str is not valid UTF-8"),
    "a list": (b"[]", "list indices must be integers"),
    "no format": (b'{"entries": {}}', "it lacks 'format'"),
    "no entries": (b'{"format": 1}', "it lacks 'entries'"),
    "entries that are none": (b'{"format": 1, "entries": []}', "has no attribute 'items'"),
    "a newer format": (b'{"format": 2, "entries": {}}', "it is of format 2, this version reads 1"),
    "a record without its fields": (b'{"format": 1, "entries": {"k": {}}}', "it lacks 'value'"),
    "a record of another shape": (b'{"format": 1, "entries": {"k": {"value": 5}}}', "value is no text"),
    "a record that is none": (b'{"format": 1, "entries": {"k": null}}', "not subscriptable"),
}


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.mark.parametrize("case", BROKEN)
def test_a_shard_that_cannot_be_read_says_why_and_is_never_overwritten(memory: MemoryStore, case: str) -> None:
    body, why = BROKEN[case]
    things(memory).put(OTHER, ONE)
    memory.force(object_key("a"), body)
    ledger = things(memory)
    for key in (FIRST, SECOND):
        assert ledger.unknown(key).startswith(f"{object_key('a')} is not readable: ")
        assert why in ledger.unknown(key)
        assert ledger.get(key) is None
    ledger.update({FIRST: ONE, SECOND: None, OTHER: TWO})
    assert memory.objects[object_key("a")].body == body
    assert ledger.get(FIRST) is None
    assert (ledger.unknown(OTHER), things(memory).get(OTHER)) == ("", TWO)


def test_a_shard_that_broke_since_it_was_read_is_not_overwritten(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    memory.force(object_key("a"), b"broken")
    ledger.put(SECOND, TWO)
    assert memory.objects[object_key("a")].body == b"broken"
    assert ledger.get(SECOND) is None
    assert ledger.unknown(FIRST)


def test_a_broken_shard_is_read_again_only_when_it_changes(memory: MemoryStore) -> None:
    memory.force(object_key("a"), b"broken")
    ledger = things(memory)
    memory.asked.clear()
    ledger.refresh(memory.etags())
    assert memory.asked == []
    memory.force(object_key("a"), orjson.dumps({"format": 1, "entries": {FIRST: {"value": "one"}}}))
    ledger.refresh(memory.etags())
    assert (ledger.get(FIRST), ledger.unknown(FIRST)) == (ONE, "")


def test_a_broken_shard_that_vanishes_stays_unknown(memory: MemoryStore) -> None:
    memory.force(object_key("a"), b"broken")
    ledger = things(memory)
    memory.delete(object_key("a"))
    ledger.refresh(memory.etags())
    assert "the object is gone" in ledger.unknown(FIRST)


def test_a_write_that_fails_leaves_memory_where_s3_is(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    with memory.failing(DOWN, "put"), pytest.raises(Unreachable):
        ledger.put(FIRST, TWO)
    assert ledger.get(FIRST) == ONE == things(memory).get(FIRST)
    ledger.put(FIRST, TWO)
    assert ledger.get(FIRST) == TWO == things(memory).get(FIRST)


def test_an_update_that_fails_half_way_is_half_done_in_memory_too(memory: MemoryStore) -> None:
    ledger = things(memory)
    with memory.failing(DOWN, "put", 2), pytest.raises(Unreachable):
        ledger.update({FIRST: ONE, OTHER: ONE, LAST: ONE})
    assert dict(ledger.items()) == dict(things(memory).items()) == {FIRST: ONE}


def test_a_write_whose_answer_was_lost_is_found_by_the_next_one(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    real = memory.force

    def lose(key: str, body: bytes) -> str:
        real(key, body)
        memory.force = real  # type: ignore[method-assign]
        raise DOWN

    memory.force = lose  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        ledger.put(FIRST, TWO)
    ledger.put(SECOND, TWO)
    assert dict(ledger.items()) == dict(things(memory).items()) == {FIRST: TWO, SECOND: TWO}


def test_a_load_that_fails_half_way_can_be_done_again(memory: MemoryStore) -> None:
    things(memory).update({FIRST: ONE, OTHER: TWO})
    ledger = things(memory, load=False)
    with memory.failing(DOWN, "get", 2), pytest.raises(Unreachable):
        ledger.load()
    ledger.load()
    assert dict(ledger.items()) == {FIRST: ONE, OTHER: TWO}


def test_a_refresh_that_fails_leaves_what_was_known(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    things(memory).put(FIRST, TWO)
    with memory.failing(DOWN, "get"), pytest.raises(Unreachable):
        ledger.refresh(memory.etags())
    assert ledger.get(FIRST) == ONE
    ledger.refresh(memory.etags())
    assert ledger.get(FIRST) == TWO


def test_a_reread_that_fails_between_two_writes_is_an_error(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    things(memory).put(SECOND, TWO)
    with memory.failing(DOWN, "get"), pytest.raises(Unreachable):
        ledger.put(FIRST, TWO)
    assert dict(things(memory).items()) == {FIRST: ONE, SECOND: TWO}
    assert ledger.get(FIRST) == ONE


def test_a_bucket_that_is_missing_is_told_as_such(memory: MemoryStore) -> None:
    ledger = things(memory)
    gone = NotFound("s3:PutObject", "s3://store/x", "NoSuchBucket", "no")
    with memory.failing(gone, "put"), pytest.raises(NotFound, match="NoSuchBucket"):
        ledger.put(FIRST, ONE)
    assert ledger.get(FIRST) is None


def test_somebody_who_always_writes_first_is_told_after_some_tries(memory: MemoryStore) -> None:
    ledger = things(memory)
    number = 0

    def write_first(operation: str, key: str) -> None:
        nonlocal number
        if operation == "put":
            number += 1
            memory.force(key, orjson.dumps({"format": 1, "entries": {SECOND: {"value": str(number)}}}))

    memory.before = write_first
    with pytest.raises(PreconditionFailed, match=f"{object_key('a')}.*somebody else wrote first, {ATTEMPTS} times"):
        ledger.put(FIRST, ONE)
    assert dict(ledger.items()) == {SECOND: Thing(str(number))}


def test_reading_does_not_wait_for_a_write_that_hangs(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.update({FIRST: ONE, OTHER: ONE})
    hangs, go_on = threading.Event(), threading.Event()

    def hang(operation: str, key: str) -> None:
        if operation == "put" and key == object_key("a"):
            hangs.set()
            assert go_on.wait(10)

    memory.before = hang
    with ThreadPoolExecutor(1) as pool:
        write = pool.submit(ledger.put, FIRST, TWO)
        assert hangs.wait(10)
        assert (ledger.get(FIRST), ledger.unknown(FIRST)) == (ONE, "")
        assert dict(ledger.items()) == {FIRST: ONE, OTHER: ONE}
        ledger.put(OTHER, TWO)  # nor does another shard
        go_on.set()
        write.result(10)
    assert dict(ledger.items()) == {FIRST: TWO, OTHER: TWO}


def test_threads_lose_none_of_each_other_s_records(memory: MemoryStore) -> None:
    ledger = things(memory)
    keys = [f"key-{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: ledger.put(key, ONE), keys))
    assert dict(things(memory).items()) == dict(ledger.items()) == dict.fromkeys(keys, ONE)


def test_a_refresh_beside_writers_takes_nothing_back(memory: MemoryStore) -> None:
    ledger = things(memory)
    keys = [f"key-{number}" for number in range(100)]

    def work(key: str) -> None:
        listing = memory.etags()
        ledger.put(key, ONE)
        ledger.refresh(listing)
        assert ledger.get(key) == ONE

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, keys))
    assert not any(ledger.unknown(key) for key in keys)
    assert dict(ledger.items()) == dict.fromkeys(keys, ONE)
