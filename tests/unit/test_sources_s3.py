"""S3 sources, against moto's server over HTTP, with every request on the wire counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.server import ThreadedMotoServer

from controller.aws.ports import (
    AccessDenied,
    AwsError,
    NotFound,
    ObjectInfo,
    StoredObject,
    Throttled,
    Unreachable,
)
from controller.sources import FileReason, Limits, Reason, S3Spec, Snapshot, SourceError
from controller.sources.s3 import S3Source

KINDS: dict[str, type[AwsError]] = {
    "NoSuchKey": NotFound,
    "NoSuchBucket": NotFound,
    "AccessDenied": AccessDenied,
    "SlowDown": Throttled,
}


@dataclass
class Bucket:
    """An ObjectStore over boto3, as small as can be. `before_get` runs between a listing and a GET."""

    client: Any
    bucket: str
    requests: list[str] = field(default_factory=list)
    before_get: Callable[[str], None] = lambda _: None

    def asked(self) -> list[str]:
        since, self.requests[:] = list(self.requests), []
        return since

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for row in page.get("Contents", []):
                    yield ObjectInfo(row["Key"], row["ETag"].strip('"'), row["Size"])
        except (ClientError, EndpointConnectionError) as error:
            raise self._wrapped("s3:ListBucket", error) from error

    def get(self, key: str, *, max_bytes: int | None = None) -> StoredObject:
        self.before_get(key)
        try:
            got = self.client.get_object(Bucket=self.bucket, Key=key)
            body = got["Body"].read(max_bytes + 1 if max_bytes is not None else None)
        except (ClientError, EndpointConnectionError) as error:
            raise self._wrapped("s3:GetObject", error) from error
        return StoredObject(body, got["ETag"].strip('"'))

    def versioned(self) -> bool:
        try:
            return bool(self.client.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled")
        except ClientError as error:
            raise self._wrapped("s3:GetBucketVersioning", error) from error

    def put(self, *_: object, **__: object) -> str:
        raise AssertionError("a source never writes")

    def delete(self, *_: object, **__: object) -> None:
        raise AssertionError("a source never deletes")

    def _wrapped(self, operation: str, error: Exception) -> AwsError:
        if isinstance(error, ClientError):
            code = error.response["Error"]["Code"]
            return KINDS.get(code, AwsError)(operation, self.bucket, code, error.response["Error"]["Message"])
        return Unreachable(operation, self.bucket, type(error).__name__, str(error))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=2),
    )


@pytest.fixture
def bucket(endpoint: str) -> Bucket:
    name = f"specs-{uuid4()}"
    client = client_of(endpoint)
    client.create_bucket(Bucket=name)
    bucket = Bucket(client, name)

    def note(model: Any, **_: object) -> None:
        bucket.requests.append(model.name)

    client.meta.events.register("before-call.s3", note)
    return bucket


def upload(bucket: Bucket, **files: bytes) -> None:
    for name, body in files.items():
        bucket.client.put_object(Bucket=bucket.bucket, Key=f"{name.replace('__', '/')}.yaml", Body=body)
    bucket.asked()


def remove(bucket: Bucket, key: str) -> None:
    bucket.client.delete_object(Bucket=bucket.bucket, Key=key)
    bucket.asked()


def source(bucket: Bucket, prefix: str = "", limits: Limits | None = None) -> S3Source:
    return S3Source(S3Spec(bucket.bucket, prefix), bucket, limits or Limits())


def reasons(snapshot: Snapshot) -> dict[str, FileReason]:
    return {bad.path: bad.problem.reason for bad in snapshot.problems() if bad.problem}


def test_only_objects_below_the_prefix_are_read(bucket: Bucket) -> None:
    upload(bucket, specs__a=b"a", specs__web__b=b"b", specs2__c=b"c", d=b"d", specs__old__x=b"x")
    bucket.client.put_object(Bucket=bucket.bucket, Key="specs/README.md", Body=b"")
    bucket.client.put_object(Bucket=bucket.bucket, Key="specs/.hidden/h.yaml", Body=b"")
    snapshot = source(bucket, "specs").poll(None)
    assert snapshot.contents() == {"a.yaml": b"a", "old/x.yaml": b"x", "web/b.yaml": b"b"}


def test_nothing_new_costs_the_listing_alone(bucket: Bucket) -> None:
    upload(bucket, a=b"a", b=b"b")
    polled = source(bucket)
    first = polled.poll(None)
    assert bucket.asked() == ["ListObjectsV2", "GetObject", "GetObject"]
    assert polled.poll(first) is first
    assert bucket.asked() == ["ListObjectsV2"]


def test_only_what_changed_is_fetched(bucket: Bucket) -> None:
    upload(bucket, a=b"a", b=b"b", c=b"c")
    polled = source(bucket)
    first = polled.poll(None)
    upload(bucket, b=b"new")
    remove(bucket, "c.yaml")
    second = polled.poll(first)
    assert second.contents() == {"a.yaml": b"a", "b.yaml": b"new"}
    assert bucket.asked() == ["ListObjectsV2", "GetObject"]
    assert second.files["a.yaml"] is first.files["a.yaml"]


def test_a_new_process_finds_its_snapshot_unchanged(bucket: Bucket) -> None:
    upload(bucket, a=b"a")
    first = source(bucket).poll(None)
    assert source(bucket).poll(first) is first


def test_equal_bytes_under_a_new_etag_are_no_change(bucket: Bucket) -> None:
    upload(bucket, a=b"a")
    polled = source(bucket)
    first = polled.poll(None)
    started = bucket.client.create_multipart_upload(Bucket=bucket.bucket, Key="a.yaml")["UploadId"]
    part = bucket.client.upload_part(Bucket=bucket.bucket, Key="a.yaml", UploadId=started, PartNumber=1, Body=b"a")
    bucket.client.complete_multipart_upload(
        Bucket=bucket.bucket,
        Key="a.yaml",
        UploadId=started,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )
    assert polled.poll(first) is first


def test_an_object_that_changes_after_the_listing_is_taken_as_it_is_now(bucket: Bucket) -> None:
    upload(bucket, a=b"old")
    bucket.before_get = lambda _: upload(bucket, a=b"new")
    polled = source(bucket)
    first = polled.poll(None)
    assert first.contents() == {"a.yaml": b"new"}
    bucket.asked()
    assert polled.poll(first) is first
    assert bucket.asked() == ["ListObjectsV2"]


def test_an_object_that_vanishes_after_the_listing_is_gone(bucket: Bucket) -> None:
    upload(bucket, a=b"a", b=b"b")
    bucket.before_get = lambda _: remove(bucket, "b.yaml")
    assert source(bucket).poll(None).contents() == {"a.yaml": b"a"}


def test_an_object_that_grows_after_the_listing_is_not_read_whole(bucket: Bucket) -> None:
    upload(bucket, a=b"a")
    bucket.before_get = lambda _: upload(bucket, a=b"x" * 5000)
    snapshot = source(bucket, limits=Limits(max_file_bytes=1000)).poll(None)
    assert reasons(snapshot) == {"a.yaml": FileReason.TOO_LARGE}


def test_a_large_object_is_reported_and_never_fetched(bucket: Bucket) -> None:
    upload(bucket, a=b"a", big=b"x" * 2_000_000)
    snapshot = source(bucket).poll(None)
    assert reasons(snapshot) == {"big.yaml": FileReason.TOO_LARGE}
    assert bucket.asked() == ["ListObjectsV2", "GetObject"]


def test_keys_that_are_no_plain_paths_are_problems_of_their_objects(bucket: Bucket) -> None:
    for key in ("s/a//b.yaml", "s/../c.yaml", "s//d.yaml", "s/ok.yaml"):
        bucket.client.put_object(Bucket=bucket.bucket, Key=key, Body=b"x")
    snapshot = source(bucket, "s").poll(None)
    assert list(snapshot.contents()) == ["ok.yaml"]
    assert reasons(snapshot) == dict.fromkeys(("../c.yaml", "/d.yaml", "a//b.yaml"), FileReason.BAD_NAME)


def test_one_object_that_may_not_be_read_harms_only_itself(bucket: Bucket) -> None:
    upload(bucket, a=b"a", b=b"b")

    def deny(key: str) -> None:
        if key == "b.yaml":
            raise AccessDenied("s3:GetObject", key, "AccessDenied", "no kms:Decrypt")

    bucket.before_get = deny
    polled = source(bucket)
    first = polled.poll(None)
    assert (first.contents(), reasons(first)) == ({"a.yaml": b"a"}, {"b.yaml": FileReason.UNREADABLE})
    assert polled.poll(first) is first
    bucket.before_get = lambda _: None
    assert polled.poll(first).contents() == {"a.yaml": b"a", "b.yaml": b"b"}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_files=2), Reason.TOO_MANY_FILES),
        (Limits(max_entries=2), Reason.TOO_MANY_FILES),
        (Limits(max_total_bytes=5), Reason.TOO_LARGE),
    ],
)
def test_too_much_is_refused_before_anything_is_fetched(bucket: Bucket, limits: Limits, reason: Reason) -> None:
    upload(bucket, a=b"aa", b=b"bb", c=b"cc")
    with pytest.raises(SourceError) as caught:
        source(bucket, limits=limits).poll(None)
    assert caught.value.reason is reason
    assert bucket.asked() == ["ListObjectsV2"]


def test_a_missing_bucket_is_an_error_and_no_empty_source(bucket: Bucket) -> None:
    bucket.bucket = "nowhere-at-all"
    with pytest.raises(SourceError) as caught:
        source(bucket).poll(None)
    assert (caught.value.reason, bool(caught.value.hint)) == (Reason.NOT_FOUND, True)


def test_a_bucket_that_goes_away_in_between_is_no_empty_source(bucket: Bucket) -> None:
    upload(bucket, a=b"a")

    def drop(_: str) -> None:
        remove(bucket, "a.yaml")
        bucket.client.delete_bucket(Bucket=bucket.bucket)

    bucket.before_get = drop
    with pytest.raises(SourceError) as caught:
        source(bucket).poll(None)
    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Throttled, Reason.THROTTLED),
        (Unreachable, Reason.UNREACHABLE),
        (AwsError, Reason.UNREADABLE),
    ],
)
def test_a_poll_that_fails_half_way_keeps_what_was_known(bucket: Bucket, kind: type[AwsError], reason: Reason) -> None:
    upload(bucket, a=b"a")
    polled = source(bucket)
    first = polled.poll(None)
    upload(bucket, b=b"b")

    def fail(key: str) -> None:
        raise kind("s3:GetObject", key, "Code", "words")

    bucket.before_get = fail
    with pytest.raises(SourceError, match="words") as caught:
        polled.poll(first)
    assert caught.value.reason is reason
    bucket.before_get = lambda _: None
    bucket.asked()
    assert polled.poll(first).contents() == {"a.yaml": b"a", "b.yaml": b"b"}
    assert bucket.asked() == ["ListObjectsV2", "GetObject"]


def test_a_server_that_went_away_is_unreachable() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket(client_of(f"http://{host}:{port}"), "bucket")
    server.stop()
    with pytest.raises(SourceError) as caught:
        source(bucket).poll(None)
    assert caught.value.reason is Reason.UNREACHABLE
