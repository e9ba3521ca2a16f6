"""One S3 bucket through botocore, as ports.ObjectStore."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import ObjectInfo, StoredObject


class S3Bucket:
    def __init__(self, call: Caller, bucket: str) -> None:
        self._call, self.bucket = call, bucket

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(
                "ListObjectsV2",
                f"s3://{self.bucket}/{prefix}",
                expects="IsTruncated",
                Bucket=self.bucket,
                Prefix=prefix,
                **token,
            )
            for row in answer.get("Contents", ()):
                yield ObjectInfo(row["Key"], row["ETag"].strip('"'), int(row["Size"]))
            if not answer.get("IsTruncated"):
                return
            token = {"ContinuationToken": answer["NextContinuationToken"]}

    def get(self, key: str, *, max_bytes: int | None = None) -> StoredObject:
        def read(answer: dict[str, Any]) -> StoredObject:
            with closing(answer["Body"]) as stream:  # as a context it would hand out what it checks, unchecked
                body = stream.read() if max_bytes is None else stream.read(max_bytes + 1)
            return StoredObject(body, answer["ETag"].strip('"'))

        found: StoredObject = self._call(
            "GetObject", f"s3://{self.bucket}/{key}", expects="ETag", take=read, Bucket=self.bucket, Key=key
        )
        return found

    def put(
        self, key: str, body: bytes, *, content_type: str, create: bool = False, replaces: str | None = None
    ) -> str:
        condition: dict[str, Any] = (
            {"IfNoneMatch": "*"} if create else {"IfMatch": replaces} if replaces is not None else {}
        )
        answer = self._call(
            "PutObject",
            f"s3://{self.bucket}/{key}",
            expects="ETag",
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            ContentMD5=base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
            **condition,
        )
        return str(answer["ETag"]).strip('"')

    def delete(self, key: str, *, replaces: str | None = None) -> None:
        condition: dict[str, Any] = {"IfMatch": replaces} if replaces is not None else {}
        self._call("DeleteObject", f"s3://{self.bucket}/{key}", expects="", Bucket=self.bucket, Key=key, **condition)
