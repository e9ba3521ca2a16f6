"""The config store of a place: is it there, is it ours, is it safe, and does it keep its word on conditions."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from controller.aws.ports import NotFound
from controller.aws.probe import Probe, Tried
from controller.desired.model import ConfigStore
from controller.doctor.model import Finding, Sheet

FOLDER = "_state/doctor"
LOST = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
NO_ETAG = '"00000000000000000000000000000000"'
FIX_CONDITIONS = "Use Amazon S3 itself; a store without If-None-Match and If-Match loses state between replicas"


class Bucket:
    """One bucket, which must be the account `owner`'s; "" where it may be another's (Amazon S3 user guide, "Verifying
    bucket ownership with bucket owner condition").
    """

    def __init__(self, probe: Probe, store: ConfigStore, owner: str) -> None:
        self._probe, self.store = probe, store
        self._owned = {"Bucket": store.bucket} | ({"ExpectedBucketOwner": owner} if owner else {})

    def call(self, operation: str, key: str = "", /, **arguments: Any) -> Tried:
        where = f"s3://{self.store.bucket}" + (f"/{key}" if key else "")
        named = {"Key": key} if key else {}
        return self._probe.call("s3", operation, where, **self._owned, **named, **arguments)


def there(sheet: Sheet, bucket: Bucket, region: str) -> Finding:
    """One of another region works, by S3's redirects (301, 307), as long as both regions do."""
    name, tried = bucket.store.bucket, bucket.call("HeadBucket")
    if isinstance(tried.error, NotFound):
        hint = f"Create it in {region}, or set configStore to one that is there"
        return sheet.fail("bucket", f"there is no bucket {name}", hint)
    if tried.denied:
        hint = (
            "Its policy may deny it, it may be another account's, or s3:ListBucket be missing: "
            "logroute iam controller prints what is needed"
        )
        return sheet.fail("bucket", f"bucket {name} refuses us: {tried.code}", hint)
    if tried.error:
        return sheet.failed("bucket", tried.error)
    lies = tried.headers.get("x-amz-bucket-region") or str(tried.answer.get("BucketRegion") or region)
    if lies != region:
        hint = "New tasks depend on both regions: configStore may hold {region}, as s3://configs-{region}/logroute"
        return sheet.warn("bucket", f"bucket {name} lies in {lies}, not in {region}", hint)
    return sheet.ok("bucket", f"{name} is here, in {region}")


def configuration(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    for check in (_versioning, _encryption, _public_access, _policy):
        yield from check(sheet, bucket)


def _versioning(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    tried = bucket.call("GetBucketVersioning")
    if tried.error:
        yield _unseen(sheet, "bucket-versioning", tried)
    elif tried.answer.get("Status") == "Enabled":
        yield sheet.ok("bucket-versioning", "on")
    else:
        hint = "Turn versioning on, so that state that somebody deletes can be brought back"
        yield sheet.warn("bucket-versioning", f"off for {bucket.store.bucket}", hint)


def _encryption(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    tried = bucket.call("GetBucketEncryption")
    if tried.code == "ServerSideEncryptionConfigurationNotFoundError":
        hint = "Set a default encryption: SSE-S3, or a KMS key that the tasks' roles may decrypt with"
        yield sheet.warn("bucket-encryption", f"{bucket.store.bucket} has no default encryption", hint)
    elif tried.error:
        yield _unseen(sheet, "bucket-encryption", tried)
    else:
        yield sheet.ok("bucket-encryption", "on")


def _public_access(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    status = bucket.call("GetBucketPolicyStatus").answer.get("PolicyStatus", {})
    hint = "Turn on all four settings of Block Public Access"
    if status.get("IsPublic"):
        yield sheet.fail("bucket-public-access", f"the policy of {bucket.store.bucket} makes it public", hint)
        return
    tried = bucket.call("GetPublicAccessBlock")
    blocks = tried.answer.get("PublicAccessBlockConfiguration", {})
    if tried.error and tried.code != "NoSuchPublicAccessBlockConfiguration":
        yield _unseen(sheet, "bucket-public-access", tried)
    elif len(blocks) == len(_BLOCKS) and all(blocks.get(one) for one in _BLOCKS):
        yield sheet.ok("bucket-public-access", "blocked")
    else:
        yield sheet.warn("bucket-public-access", f"not blocked for {bucket.store.bucket} itself", hint)


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _policy(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    tried = bucket.call("GetBucketPolicy")
    if tried.error and tried.code != "NoSuchBucketPolicy":
        yield _unseen(sheet, "bucket-tls", tried)
    elif _asks_for_tls(str(tried.answer.get("Policy", ""))):
        yield sheet.ok("bucket-tls", "the policy denies access without TLS")
    else:
        hint = 'Deny s3:* to everybody where "aws:SecureTransport" is "false", as deploy/ does'
        yield sheet.warn("bucket-tls", f"{bucket.store.bucket} may be read without TLS", hint)


def _asks_for_tls(policy: str) -> bool:
    """By its words: policies say it in one way only."""
    plain = policy.replace(" ", "").lower()
    return '"deny"' in plain and '"aws:securetransport":"false"' in plain.replace(":false", ':"false"').replace(
        ':["false"]', ':"false"'
    )


def _unseen(sheet: Sheet, check: str, tried: Tried) -> Finding:
    hint = "The controller does not need it: run logroute doctor as somebody who may see it, or look yourself"
    return sheet.warn(check, f"not looked at: {tried.operation}: {tried.code}", hint)


def reading(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    prefix = bucket.store.key("_state") + "/"
    listed = bucket.call("ListObjectsV2", Prefix=prefix, MaxKeys=1)
    read = bucket.call("GetObject", bucket.store.key(FOLDER, "nothing"))
    yield sheet.failed("bucket-list", listed.error) if listed.error else sheet.ok("bucket-list", "allowed")
    if read.error and not isinstance(read.error, NotFound):
        yield sheet.failed("bucket-read", read.error)
    else:
        yield sheet.ok("bucket-read", "allowed")


def writing(sheet: Sheet, bucket: Bucket) -> Iterator[Finding]:
    """One object, made, replaced under conditions, and deleted again.

    Its name is one that nobody has, unless we may not delete: then it is always the same, so that one stays at most.
    """
    key = bucket.store.key(FOLDER, uuid4().hex)
    kept = bucket.call("DeleteObject", key, IfMatch=NO_ETAG).denied
    key = bucket.store.key(FOLDER, "probe") if kept else key
    made = _put(bucket, key, b"1", IfNoneMatch="*")
    there = bucket.call("HeadObject", key) if made.code in LOST else made
    if there.error:
        yield sheet.failed("bucket-write", there.error)
    else:
        yield sheet.ok("bucket-write", "allowed")
        yield _conditions(sheet, bucket, key, str(there.answer.get("ETag", "")))
    if not there.error or there.unanswered:
        yield _deleted(sheet, bucket, key)


def _deleted(sheet: Sheet, bucket: Bucket, key: str) -> Finding:
    """The controller itself deletes leases and garbage only, and has no right to more by its own policy."""
    gone = bucket.call("DeleteObject", key)
    if gone.error is None:
        return sheet.ok("bucket-delete", "the probe is gone again")
    hint = f"Nothing needs it: delete it, or allow s3:DeleteObject on {bucket.store.key(FOLDER)}/*, or use --read-only"
    return sheet.warn("bucket-delete", f"the probe stays at {gone.resource}: {gone.code}", hint)


def _conditions(sheet: Sheet, bucket: Bucket, key: str, etag: str) -> Finding:
    """What must be refused comes first: a store that ignores conditions takes it."""
    again = _put(bucket, key, b"2", IfNoneMatch="*")
    wrong = _put(bucket, key, b"3", IfMatch=NO_ETAG)
    right = _put(bucket, key, b"4", IfMatch=etag)
    for condition, tried in (("If-None-Match", again), ("If-Match", wrong)):
        if tried.error is None:
            return sheet.fail("bucket-conditions", f"{bucket.store.bucket} ignores {condition}", FIX_CONDITIONS)
        if tried.code not in LOST:
            return sheet.failed("bucket-conditions", tried.error)
    if right.error:
        return sheet.failed("bucket-conditions", right.error)
    return sheet.ok("bucket-conditions", "If-None-Match and If-Match hold")


def _put(bucket: Bucket, key: str, body: bytes, **condition: str) -> Tried:
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    return bucket.call("PutObject", key, Body=body, ContentType="text/plain", ContentMD5=md5, **condition)
