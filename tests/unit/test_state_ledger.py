"""The ledger: what is put is there for the next process, two writers both survive, and nothing is written in vain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import orjson
import pytest

from controller.aws.objects import S3Bucket
from controller.aws.ports import ObjectStore
from controller.sandbox import Sandbox
from controller.state.ledger import Ledger
from tests.support.aws import MemoryStore, caller
from tests.support.records import PREFIX, Thing, keys_in, object_key, things

ONE, TWO = Thing("one"), Thing("two")
FIRST, SECOND, *_ = (key for key, _ in zip(keys_in("a"), range(3), strict=False))
OTHER = next(keys_in("b"))
numbers = count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(params=["s3", "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """The promises hold on S3 as on its stand-in; where requests are counted the stand-in is used."""
    if request.param == "memory":
        return MemoryStore()
    client = request.getfixturevalue("sandbox").client("s3")
    name = f"ledger-{next(numbers)}"
    client.create_bucket(Bucket=name)
    return S3Bucket(caller(client), name)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


def test_an_empty_store_knows_nothing_and_nothing_is_unknown(store: ObjectStore) -> None:
    ledger = things(store)
    assert (list(ledger.items()), ledger.get(FIRST), ledger.unknown(FIRST)) == ([], None, "")


def test_what_is_put_is_there_for_the_next_process(store: ObjectStore) -> None:
    ledger = things(store)
    ledger.put(FIRST, ONE)
    ledger.update({SECOND: TWO, OTHER: ONE})
    for reader in (ledger, things(store)):
        assert dict(reader.items()) == {FIRST: ONE, SECOND: TWO, OTHER: ONE}
        assert reader.get(SECOND) == TWO


def test_a_change_over_a_record_that_is_another_by_now_is_not_made(store: ObjectStore) -> None:
    """Nor where somebody else wrote it to S3 and this process has not seen it yet."""
    ledger, other = things(store), things(store)
    ledger.put(FIRST, ONE)
    other.update({FIRST: TWO, SECOND: TWO}, over={FIRST: None, SECOND: None})
    assert dict(things(store).items()) == {FIRST: ONE, SECOND: TWO}
    ledger.update({FIRST: TWO}, over={FIRST: ONE})
    assert things(store).get(FIRST) == TWO


def test_items_come_in_the_order_of_their_keys(store: ObjectStore) -> None:
    ledger = things(store)
    names = [f"k{number:02}" for number in range(40)]
    ledger.update(dict.fromkeys(reversed(names), ONE))
    assert [key for key, _ in things(store).items()] == names


def test_a_record_is_replaced_and_forgotten(store: ObjectStore) -> None:
    ledger = things(store)
    ledger.put(FIRST, ONE)
    ledger.put(FIRST, TWO)
    assert things(store).get(FIRST) == TWO
    ledger.put(FIRST, None)
    assert ledger.get(FIRST) is None
    assert list(things(store).items()) == []


def test_two_writers_of_one_shard_both_survive(store: ObjectStore) -> None:
    controller, cli = things(store), things(store)
    controller.put(FIRST, ONE)
    cli.put(SECOND, TWO)
    controller.put(OTHER, ONE)
    assert dict(things(store).items()) == {FIRST: ONE, SECOND: TWO, OTHER: ONE}
    assert cli.get(FIRST) == ONE


def test_a_writer_does_not_bring_back_what_another_forgot(store: ObjectStore) -> None:
    controller = things(store)
    controller.update({FIRST: ONE, SECOND: ONE})
    cli = things(store)
    cli.put(FIRST, None)
    controller.put(SECOND, TWO)
    assert dict(things(store).items()) == {SECOND: TWO}


def test_of_two_writers_of_one_record_the_last_counts(store: ObjectStore) -> None:
    controller, cli = things(store), things(store)
    controller.put(FIRST, ONE)
    cli.put(FIRST, TWO)
    assert things(store).get(FIRST) == TWO


def test_a_writer_that_did_not_load_overwrites_nothing(store: ObjectStore) -> None:
    things(store).put(FIRST, ONE)
    things(store, load=False).put(SECOND, TWO)
    assert dict(things(store).items()) == {FIRST: ONE, SECOND: TWO}


def test_objects_are_small_readable_and_of_a_format(memory: MemoryStore) -> None:
    things(memory).put(FIRST, ONE)
    assert orjson.loads(memory.objects[object_key("a")].body) == {"format": 1, "entries": {FIRST: {"value": "one"}}}


def test_loading_costs_one_listing_and_a_read_a_shard_that_is_there(memory: MemoryStore) -> None:
    things(memory).update({FIRST: ONE, OTHER: ONE})
    memory.asked.clear()
    things(memory)
    assert memory.asked == [("list", f"{PREFIX}/"), ("get", object_key("a")), ("get", object_key("b"))]


def test_an_equal_update_writes_nothing(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    memory.asked.clear()
    ledger.update({FIRST: Thing("one"), SECOND: None, OTHER: None})
    assert memory.asked == []


def test_an_update_writes_each_shard_once(memory: MemoryStore) -> None:
    ledger = things(memory)
    memory.asked.clear()
    ledger.update({f"key-{number}": ONE for number in range(1000)})
    assert sorted(memory.asked) == sorted(("put", object_key(f"{number:x}")) for number in range(16))


def test_reading_asks_s3_for_nothing(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    memory.asked.clear()
    assert (ledger.get(FIRST), ledger.unknown(FIRST), dict(ledger.items())) == (ONE, "", {FIRST: ONE})
    assert memory.asked == []


def etags(store: ObjectStore) -> dict[str, str]:
    return {info.key: info.etag for info in store.list("")}


def test_a_refresh_sees_what_others_wrote(store: ObjectStore) -> None:
    controller, cli = things(store), things(store)
    controller.update({FIRST: ONE, OTHER: ONE})
    cli.refresh(etags(store))
    assert dict(cli.items()) == {FIRST: ONE, OTHER: ONE}
    cli.update({FIRST: None, SECOND: TWO})
    controller.refresh(etags(store))
    assert dict(controller.items()) == {SECOND: TWO, OTHER: ONE}


def test_a_refresh_where_nothing_changed_costs_nothing(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.update({f"key-{number}": ONE for number in range(100)})
    memory.force("p/another/object", b"x")
    memory.asked.clear()
    ledger.refresh(memory.etags())
    assert memory.asked == []


def test_our_own_writes_are_no_news(store: ObjectStore, sandbox: Sandbox) -> None:
    """ETags of writes and of listings compare equal."""
    ledger = things(store)
    ledger.update({FIRST: ONE, OTHER: ONE})
    ledger.put(FIRST, TWO)
    listing = etags(store)
    sandbox.reset_call_counts()
    ledger.refresh(listing)
    assert sandbox.call_counts == {}
    assert dict(ledger.items()) == {FIRST: TWO, OTHER: ONE}


def test_a_refresh_reads_only_what_changed(memory: MemoryStore) -> None:
    controller, cli = things(memory), things(memory)
    controller.update({FIRST: ONE, OTHER: ONE})
    cli.refresh(memory.etags())
    controller.put(OTHER, TWO)
    memory.asked.clear()
    cli.refresh(memory.etags())
    assert memory.asked == [("get", object_key("b"))]
    assert dict(cli.items()) == {FIRST: ONE, OTHER: TWO}


def test_a_shard_that_vanished_is_unknown(store: ObjectStore) -> None:
    ledger = things(store)
    ledger.update({FIRST: ONE, OTHER: TWO})
    store.delete(object_key("a"))
    ledger.refresh(etags(store))
    assert ledger.get(FIRST) is None
    assert ledger.unknown(FIRST) == ledger.unknown(SECOND) == f"{object_key('a')} is not readable: the object is gone"
    assert (ledger.get(OTHER), ledger.unknown(OTHER)) == (TWO, "")


def test_a_shard_that_vanished_is_asked_for_once(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    memory.delete(object_key("a"))
    ledger.refresh(memory.etags())
    memory.asked.clear()
    ledger.refresh(memory.etags())
    assert memory.asked == []
    assert ledger.unknown(FIRST)


def test_a_shard_that_vanished_is_not_written_again(memory: MemoryStore) -> None:
    """A record or two in place of all would pass for the whole."""
    ledger = things(memory)
    ledger.update({FIRST: ONE, SECOND: ONE})
    memory.delete(object_key("a"))
    ledger.put(FIRST, TWO)
    assert memory.objects == {}
    assert ledger.get(FIRST) is None
    assert "the object is gone" in ledger.unknown(FIRST)


def test_a_shard_that_is_put_back_is_known_again(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    body = memory.objects[object_key("a")].body
    memory.delete(object_key("a"))
    ledger.refresh(memory.etags())
    memory.force(object_key("a"), body)
    ledger.refresh(memory.etags())
    assert (ledger.get(FIRST), ledger.unknown(FIRST)) == (ONE, "")


def test_a_shard_without_entries_may_vanish(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(FIRST, ONE)
    ledger.put(FIRST, None)
    memory.delete(object_key("a"))
    ledger.refresh(memory.etags())
    assert ledger.unknown(FIRST) == ""
    ledger.put(FIRST, TWO)
    assert things(memory).get(FIRST) == TWO


def test_a_listing_older_than_our_write_loses_nothing(memory: MemoryStore) -> None:
    ledger = things(memory)
    ledger.put(OTHER, ONE)
    old = memory.etags()
    ledger.put(FIRST, ONE)
    ledger.put(OTHER, TWO)
    ledger.refresh(old)
    assert dict(ledger.items()) == {FIRST: ONE, OTHER: TWO}
    assert ledger.unknown(FIRST) == ""


def test_ledgers_of_other_prefixes_are_none_of_its_business(memory: MemoryStore) -> None:
    mine, theirs = things(memory), Ledger(memory, f"{PREFIX}-2", Thing.from_plain)
    theirs.put(FIRST, TWO)
    mine.put(FIRST, ONE)
    mine.load()
    assert dict(mine.items()) == {FIRST: ONE}
