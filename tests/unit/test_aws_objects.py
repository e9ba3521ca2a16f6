"""One S3 bucket: conditional writes, bounded reads, whole listings. The store in memory keeps the same promises."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from controller.aws.objects import S3Bucket
from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, PreconditionFailed
from controller.sandbox import Sandbox
from tests.support.aws import Answers, MemoryStore, Reply, caller, lose_answers, offline, refused_by_s3

BUCKET = "objects"
numbers = count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    return sandbox.client("s3")


@pytest.fixture(params=["s3", "memory"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore(BUCKET)
    return S3Bucket(caller(request.getfixturevalue("client")), BUCKET)


@pytest.fixture
def prefix() -> str:
    return f"p{next(numbers)}"


def put(store: ObjectStore, key: str, body: bytes, **conditions: Any) -> str:
    return store.put(key, body, content_type="text/plain", **conditions)


def test_what_is_put_is_there(store: ObjectStore, prefix: str) -> None:
    etag = put(store, f"{prefix}/a b+ü.conf", b"body")
    found = store.get(f"{prefix}/a b+ü.conf")
    assert (found.body, found.etag) == (b"body", etag)
    assert list(store.list(f"{prefix}/")) == [ObjectInfo(f"{prefix}/a b+ü.conf", etag, 4)]


def test_etags_of_puts_gets_and_listings_compare_equal(store: ObjectStore, prefix: str) -> None:
    etag = put(store, prefix, b"x")
    assert '"' not in etag
    assert store.get(prefix).etag == etag == next(iter(store.list(prefix))).etag


def test_create_takes_only_a_free_key(store: ObjectStore, prefix: str) -> None:
    put(store, prefix, b"first", create=True)
    with pytest.raises(PreconditionFailed):
        put(store, prefix, b"second", create=True)
    assert store.get(prefix).body == b"first"


def test_a_stale_etag_replaces_nothing(store: ObjectStore, prefix: str) -> None:
    stale = put(store, prefix, b"first")
    fresh = put(store, prefix, b"second", replaces=stale)
    with pytest.raises(PreconditionFailed):
        put(store, prefix, b"third", replaces=stale)
    assert store.get(prefix).body == b"second"
    put(store, prefix, b"third", replaces=fresh)
    assert store.get(prefix).body == b"third"


def test_a_key_that_is_gone_is_not_replaced(store: ObjectStore, prefix: str) -> None:
    etag = put(store, prefix, b"first")
    store.delete(prefix)
    with pytest.raises(NotFound):
        put(store, prefix, b"second", replaces=etag)
    with pytest.raises(NotFound):
        store.get(prefix)


def test_of_writers_at_the_same_moment_one_wins(store: ObjectStore, prefix: str) -> None:
    def write(number: int) -> bool:
        try:
            put(store, prefix, str(number).encode(), create=True)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(8)))
    assert won.count(True) == 1
    assert store.get(prefix).body == str(won.index(True)).encode()


def test_a_get_reads_no_more_than_one_byte_beyond_what_is_wanted(store: ObjectStore, prefix: str) -> None:
    put(store, prefix, b"0123456789")
    assert store.get(prefix, max_bytes=4).body == b"01234"
    assert store.get(prefix, max_bytes=10).body == b"0123456789"
    assert store.get(prefix, max_bytes=0).body == b"0"


def test_an_empty_object_is_an_object(store: ObjectStore, prefix: str) -> None:
    put(store, prefix, b"")
    assert store.get(prefix).body == b""
    assert store.get(prefix, max_bytes=0).body == b""


def test_what_is_not_there_is_not_found(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(NotFound, match=f"s3:GetObject on s3://{BUCKET}/{prefix} failed"):
        store.get(prefix)
    assert list(store.list(prefix)) == []
    store.delete(prefix)


def test_a_listing_holds_its_prefix_alone_in_key_order(store: ObjectStore, prefix: str) -> None:
    for name in ("b", "a/1", "a0", "a/0"):
        put(store, f"{prefix}/{name}", b"x")
    assert [info.key for info in store.list(f"{prefix}/a/")] == [f"{prefix}/a/0", f"{prefix}/a/1"]
    assert [info.key.removeprefix(prefix) for info in store.list(prefix)] == ["/a/0", "/a/1", "/a0", "/b"]


def test_a_missing_bucket_is_not_found(client: Any) -> None:
    nowhere = S3Bucket(caller(client), "nowhere")
    for ask in (lambda: nowhere.get("k"), lambda: list(nowhere.list("")), lambda: put(nowhere, "k", b"")):
        with pytest.raises(NotFound, match="NoSuchBucket"):
            ask()


def test_listings_longer_than_a_page_are_read_whole(client: Any, prefix: str) -> None:
    def small_pages(params: dict[str, Any], **_: Any) -> None:
        params.setdefault("MaxKeys", 2)

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", small_pages)
    asked = Answers(client).asked
    store = S3Bucket(caller(client), BUCKET)
    for number in range(5):
        put(store, f"{prefix}/{number}", b"x")
    asked.clear()
    assert [info.key for info in store.list(f"{prefix}/")] == [f"{prefix}/{number}" for number in range(5)]
    assert asked == ["ListObjectsV2"] * 3


def test_a_listing_is_read_as_far_as_it_is_asked_for() -> None:
    client = offline("s3")
    page = b"<R><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>%s</R>"
    row = b'<Contents><Key>a</Key><ETag>"e"</ETag><Size>1</Size></Contents>'
    answers = Answers(client, always=Reply(body=page % row))
    assert next(iter(S3Bucket(caller(client), "b").list(""))) == ObjectInfo("a", "e", 1)
    assert len(answers.asked) == 1


@pytest.mark.parametrize("operation", ["put", "replace"])
def test_a_write_whose_answer_was_lost_is_told_as_a_lost_race(client: Any, prefix: str, operation: str) -> None:
    """It is tried again, and finds itself: who wrote looks, and sees what it wanted."""
    store = S3Bucket(caller(client), BUCKET)
    condition: dict[str, Any] = {"create": True}
    if operation == "replace":
        condition = {"replaces": put(store, prefix, b"old")}
    lose_answers(client, "PutObject")
    with pytest.raises(PreconditionFailed):
        put(store, prefix, b"new", **condition)
    assert store.get(prefix).body == b"new"


def test_an_empty_etag_is_no_leave_to_overwrite() -> None:
    client = offline("s3")
    answers = Answers(client, refused_by_s3("PreconditionFailed", 412))
    with pytest.raises(PreconditionFailed):
        put(S3Bucket(caller(client), "b"), "k", b"x", replaces="")
    assert answers.asked == ["PutObject"]


def test_a_body_with_a_wrong_checksum_is_read_again() -> None:
    client = offline("s3")
    crc = base64.b64encode(binascii.crc32(b"body").to_bytes(4, "big")).decode()
    headers = {"ETag": '"e"', "x-amz-checksum-crc32": crc}
    answers = Answers(client, Reply(body=b"bent", headers=headers), Reply(body=b"body", headers=headers))
    assert S3Bucket(caller(client), "b").get("k").body == b"body"
    assert len(answers.asked) == 2


def test_every_request_names_the_account_that_the_bucket_must_belong_to(client: Any, prefix: str) -> None:
    owners: list[str | None] = []
    client.meta.events.register(
        "before-call.s3", lambda params, **_: owners.append(params["headers"].get("x-amz-expected-bucket-owner"))
    )
    store = S3Bucket(caller(client), BUCKET, "123456789012")
    put(store, f"{prefix}/a", b"x")
    store.get(f"{prefix}/a")
    list(store.list(prefix))
    store.versioned()
    store.delete(f"{prefix}/a")
    assert owners == ["123456789012"] * 5
    owners.clear()
    S3Bucket(caller(client), BUCKET).versioned()
    assert owners == [None]


def test_a_bucket_tells_whether_it_keeps_versions(client: Any) -> None:
    client.create_bucket(Bucket="versions", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    store = S3Bucket(caller(client), "versions")
    for status, keeps in ((None, False), ("Enabled", True), ("Suspended", False)):
        if status:
            client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": status})
        assert store.versioned() is keeps
