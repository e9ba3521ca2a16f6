"""Config objects: two copies of each, put right where altered, put back where lost, and looked into only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from controller.applying.configs import COPIES, LARGEST, ConfigShelf, Found, LostForGood, copy_of
from controller.aws.objects import S3Bucket
from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, PreconditionFailed
from controller.desired.model import ConfigObject, ConfigStore
from controller.sandbox import Sandbox
from tests.support.aws import MemoryStore, caller

CONFIG = ConfigObject("pipeline.conf", b"[SERVICE]\n    flush 1\n")
MAIN, COPY = f"p/{CONFIG.path}", f"p/{COPIES}/{CONFIG.sha256}"
BODY = CONFIG.body
_numbers = count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(params=["s3", "memory"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    """On S3, where ETags are MD5, and on a store where no two ETags are equal, as with SSE-KMS."""
    if request.param == "memory":
        return MemoryStore()
    client = request.getfixturevalue("sandbox").client("s3")
    name = f"configs-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return S3Bucket(caller(client), name)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


def shelf(objects: ObjectStore) -> ConfigShelf:
    return ConfigShelf(objects, ConfigStore(objects.bucket, "p"))


def listing(objects: ObjectStore) -> dict[str, ObjectInfo]:
    return {info.key.removeprefix("p/"): info for info in objects.list("p/")}


def bodies(objects: ObjectStore) -> dict[str, bytes]:
    return {info.key: objects.get(info.key).body for info in objects.list("p/")}


def alter(objects: ObjectStore, key: str, body: bytes = b"altered") -> None:
    objects.put(key, body, content_type="text/plain")


def test_a_config_is_put_up_twice_under_its_own_digest(objects: ObjectStore) -> None:
    assert shelf(objects).put(CONFIG) is Found.MISSING
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}
    assert hashlib.sha256(BODY).hexdigest() in MAIN


def test_putting_what_is_there_writes_nothing(memory: MemoryStore) -> None:
    shelf(memory).put(CONFIG)
    memory.asked.clear()
    assert shelf(memory).put(CONFIG) is Found.RIGHT
    assert {operation for operation, _ in memory.asked} == {"get"}


@pytest.mark.parametrize("body", [b"altered", b"", BODY[:-1], BODY + b"\n", BODY * 1000])
def test_an_altered_object_is_put_right(objects: ObjectStore, body: bytes) -> None:
    shelf(objects).put(CONFIG)
    alter(objects, MAIN, body)
    assert shelf(objects).put(CONFIG) is Found.ALTERED
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}


def test_an_altered_copy_is_put_right_and_the_object_counts_as_right(objects: ObjectStore) -> None:
    shelf(objects).put(CONFIG)
    alter(objects, COPY)
    assert shelf(objects).put(CONFIG) is Found.RIGHT
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}


def test_the_copy_comes_first(memory: MemoryStore) -> None:
    """A kill in between must leave nothing that only one place has."""
    shelf(memory).put(CONFIG)
    assert [key for operation, key in memory.asked if operation == "put"] == [COPY, MAIN]


def test_writers_at_the_same_moment_agree(objects: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shelf(objects).put(CONFIG), range(8)))
    assert found.count(Found.MISSING) == 1
    assert set(found) == {Found.MISSING, Found.RIGHT}
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}


@pytest.mark.parametrize("theirs", [BODY, b"theirs"])
def test_who_wrote_in_between_is_looked_at_again(memory: MemoryStore, theirs: bytes) -> None:
    once = [theirs]

    def write_first(operation: str, key: str) -> None:
        if (operation, key) == ("put", MAIN) and once:
            memory.force(MAIN, once.pop())

    memory.before = write_first
    assert shelf(memory).put(CONFIG) is (Found.RIGHT if theirs == BODY else Found.ALTERED)
    assert memory.objects[MAIN].body == BODY


def test_an_object_that_is_deleted_while_it_is_put_right_is_made_anew(memory: MemoryStore) -> None:
    shelf(memory).put(CONFIG)
    alter(memory, MAIN)
    once = [True]

    def delete_first(operation: str, key: str) -> None:
        if (operation, key) == ("put", MAIN) and once:
            once.pop()
            del memory.objects[MAIN]

    memory.before = delete_first
    assert shelf(memory).put(CONFIG) is Found.MISSING
    assert memory.objects[MAIN].body == BODY


def test_a_config_that_is_not_known_to_be_right_is_never_taken_for_put(memory: MemoryStore) -> None:
    """Somebody alters it each time before we can write: nothing may be registered on top of that."""

    def always_first(operation: str, key: str) -> None:
        if (operation, key) == ("put", MAIN):
            memory.force(MAIN, b"theirs")

    memory.before = always_first
    with pytest.raises(PreconditionFailed):
        shelf(memory).put(CONFIG)


def test_a_missing_bucket_is_an_error(sandbox: Sandbox) -> None:
    nowhere = S3Bucket(caller(sandbox.client("s3")), "nowhere")
    with pytest.raises(NotFound, match="NoSuchBucket"):
        shelf(nowhere).put(CONFIG)


def test_a_listing_tells_what_is_missing(objects: ObjectStore) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    objects.delete(MAIN)
    assert one.missing([CONFIG.path, "ab/parsers.conf"], listing(objects)) == {
        CONFIG.path: Found.MISSING,
        "ab/parsers.conf": Found.MISSING,
    }


def test_where_the_listing_tells_all_nothing_is_asked(sandbox: Sandbox) -> None:
    """Plain ETags are equal for equal bytes, so that the two copies vouch for each other."""
    client = sandbox.client("s3")
    client.create_bucket(Bucket="vouch")
    bucket = S3Bucket(caller(client), "vouch")
    shelf(bucket).put(CONFIG)
    seen = listing(bucket)
    sandbox.reset_call_counts()
    assert shelf(bucket).missing([CONFIG.path], seen) == {}
    assert sandbox.call_counts == {}


@pytest.mark.parametrize("body", [b"altered", BODY[:-1] + b"2", BODY * 1000])
def test_an_altered_object_is_found(objects: ObjectStore, body: bytes) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    assert one.missing([CONFIG.path], listing(objects)) == {}
    alter(objects, MAIN, body)
    for _ in range(2):
        assert one.missing([CONFIG.path], listing(objects)) == {CONFIG.path: Found.ALTERED}


def test_etags_that_tell_nothing_cost_one_look_each(memory: MemoryStore) -> None:
    """With SSE-KMS equal bytes have different ETags; a look inside is remembered by its ETag."""
    one = shelf(memory)
    one.put(CONFIG)
    memory.asked.clear()
    for _ in range(3):
        assert one.missing([CONFIG.path], listing(memory)) == {}
    assert [asked for asked in memory.asked if asked[0] == "get"] == [("get", MAIN), ("get", COPY)]
    alter(memory, MAIN, BODY)
    for _ in range(2):
        assert one.missing([CONFIG.path], listing(memory)) == {}
    assert [asked for asked in memory.asked if asked[0] == "get"] == [("get", MAIN), ("get", COPY), ("get", MAIN)]


@pytest.mark.parametrize("harm", ["deleted", "altered"])
def test_a_copy_that_is_not_whole_is_found_and_put_back_from_the_object(objects: ObjectStore, harm: str) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    if harm == "deleted":
        objects.delete(COPY)
    else:
        alter(objects, COPY)
    copy, found = copy_of(CONFIG.path), Found.MISSING if harm == "deleted" else Found.ALTERED
    assert one.missing([CONFIG.path], listing(objects)) == {copy: found}
    assert one.put_back(copy) is found
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}
    assert one.missing([CONFIG.path], listing(objects)) == {}


def test_a_copy_is_never_made_from_an_altered_object(objects: ObjectStore) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    objects.delete(COPY)
    alter(objects, MAIN)
    with pytest.raises(LostForGood):
        one.put_back(copy_of(CONFIG.path))
    assert bodies(objects) == {MAIN: b"altered"}


def test_an_object_that_is_far_too_big_is_wrong_without_being_read(memory: MemoryStore) -> None:
    one = shelf(memory)
    one.put(CONFIG)
    info = listing(memory) | {CONFIG.path: ObjectInfo(MAIN, "etag-of-a-monster", LARGEST + 1)}
    memory.asked.clear()
    assert one.missing([CONFIG.path], info) == {CONFIG.path: Found.ALTERED}
    assert memory.asked == []


def test_an_object_that_vanished_since_the_listing_is_wrong(memory: MemoryStore) -> None:
    one = shelf(memory)
    one.put(CONFIG)
    seen = listing(memory)
    memory.delete(MAIN)
    assert one.missing([CONFIG.path], seen) == {CONFIG.path: Found.ALTERED}


@pytest.mark.parametrize("harm", ["deleted", "altered"])
def test_an_object_is_put_back_from_its_copy(objects: ObjectStore, harm: str) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    if harm == "deleted":
        objects.delete(MAIN)
    else:
        alter(objects, MAIN)
    assert one.put_back(CONFIG.path) is (Found.MISSING if harm == "deleted" else Found.ALTERED)
    assert bodies(objects) == {MAIN: BODY, COPY: BODY}
    assert one.missing([CONFIG.path], listing(objects)) == {}


@pytest.mark.parametrize("harm", ["deleted", "altered", "too big"])
def test_without_its_copy_an_object_is_lost_for_good(objects: ObjectStore, harm: str) -> None:
    one = shelf(objects)
    one.put(CONFIG)
    objects.delete(MAIN)
    if harm == "deleted":
        objects.delete(COPY)
    else:
        alter(objects, COPY, b"x" * (LARGEST + 10) if harm == "too big" else b"altered")
    with pytest.raises(LostForGood) as caught:
        one.put_back(CONFIG.path)
    uri = f"s3://{objects.bucket}/{MAIN}"
    assert caught.value.uri == uri
    assert str(caught.value) == (
        f"{uri} is missing, and so is its second copy: change the route, so that a new config is made"
    )


def test_both_files_of_a_digest_s_owner_have_their_own_copy(objects: ObjectStore) -> None:
    parsers = ConfigObject("parsers.conf", b"[PARSER]\n    name x\n")
    one = shelf(objects)
    for config in (CONFIG, parsers):
        one.put(config)
        objects.delete(f"p/{config.path}")
    for config in (CONFIG, parsers):
        one.put_back(config.path)
        assert objects.get(f"p/{config.path}").body == config.body


def test_a_store_without_a_prefix_is_the_bucket_itself(memory: MemoryStore) -> None:
    ConfigShelf(memory, ConfigStore("store", "")).put(CONFIG)
    assert set(memory.objects) == {CONFIG.path, f"{COPIES}/{CONFIG.sha256}"}
