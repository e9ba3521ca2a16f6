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
    """`owner`: the account that it must belong to; every request says so, and S3 denies it elsewhere."""

    def __init__(self, call: Caller, bucket: str, owner: str | None = None) -> None:
        self._call, self.bucket = call, bucket
        self._asked: dict[str, Any] = {"Bucket": bucket} | ({"ExpectedBucketOwner": owner} if owner else {})

    def versioned(self) -> bool:
        answer = self._call("GetBucketVersioning", f"s3://{self.bucket}", expects="", **self._asked)
        return bool(answer.get("Status") == "Enabled")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(
                "ListObjectsV2",
                f"s3://{self.bucket}/{prefix}",
                expects="IsTruncated",
                **self._asked,
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
            "GetObject", f"s3://{self.bucket}/{key}", expects="ETag", take=read, **self._asked, Key=key
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
            **self._asked,
            Key=key,
            Body=body,
            ContentType=content_type,
            ContentMD5=base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
            **condition,
        )
        return str(answer["ETag"]).strip('"')

    def delete(self, key: str, *, replaces: str | None = None) -> None:
        condition: dict[str, Any] = {"IfMatch": replaces} if replaces is not None else {}
        self._call("DeleteObject", f"s3://{self.bucket}/{key}", expects="", **self._asked, Key=key, **condition)
