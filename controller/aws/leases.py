"""Where leases lie: in S3 beside everything else, or in a DynamoDB table. Both as runtime.leases.LeaseStore.

Facts of both: conditional writes (Amazon S3 user guide, "Conditional requests"; DynamoDB developer guide, "Condition
expressions"). S3 reads and lists what was last written; DynamoDB does where it is asked for consistent reads.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import NotFound, ObjectStore, PreconditionFailed
from controller.runtime.leases import Taken

FOLDER = "leases"
SUFFIX = ".json"
MAX_BYTES = 4096


class LeaseFolder:
    """One small object a record; its ETag is the version. `prefix` ends with a slash."""

    def __init__(self, objects: ObjectStore, prefix: str) -> None:
        self._objects, self._prefix = objects, prefix

    def versions(self) -> Mapping[str, str]:
        found = self._objects.list(self._prefix)
        return {info.key.removeprefix(self._prefix).removesuffix(SUFFIX): info.etag for info in found}

    def read(self, name: str) -> tuple[str, bytes] | None:
        try:
            found = self._objects.get(self._key(name), max_bytes=MAX_BYTES)
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            return None
        return found.etag, found.body

    def put(self, name: str, body: bytes, *, over: str | None) -> str:
        with _conditional(over):
            return self._objects.put(
                self._key(name), body, content_type="application/json", create=over is None, replaces=over
            )

    def delete(self, name: str, *, over: str) -> None:
        with _conditional(over):
            self._objects.delete(self._key(name), replaces=over)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}{SUFFIX}"


class LeaseTable:
    """Items of a table with the keys `installation` and `name`, both strings. All of one installation lie together."""

    def __init__(self, call: Caller, table: str, installation: str) -> None:
        self._call, self._table, self._installation = call, table, installation

    def versions(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        page: dict[str, Any] = {}
        while True:
            answer = self._call(
                "Query",
                self._where(""),
                expects="Items",
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="installation = :all",
                ProjectionExpression="#name, version",
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues={":all": {"S": self._installation}},
                **page,
            )
            found |= {item["name"]["S"]: item["version"]["S"] for item in answer["Items"]}
            if not answer.get("LastEvaluatedKey"):
                return found
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def read(self, name: str) -> tuple[str, bytes] | None:
        answer = self._call(
            "GetItem",
            self._where(name),
            expects="",
            TableName=self._table,
            Key=self._key(name),
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return (item["version"]["S"], item["body"]["S"].encode()) if item else None

    def put(self, name: str, body: bytes, *, over: str | None) -> str:
        version = uuid.uuid4().hex
        item = {**self._key(name), "version": {"S": version}, "body": {"S": body.decode()}}
        with _conditional(over):
            self._call("PutItem", self._where(name), expects="", TableName=self._table, Item=item, **_still(over))
        return version

    def delete(self, name: str, *, over: str) -> None:
        with _conditional(over):
            self._call(
                "DeleteItem",
                self._where(name),
                expects="",
                TableName=self._table,
                Key=self._key(name),
                **_still(over),
            )

    def _key(self, name: str) -> dict[str, Any]:
        return {"installation": {"S": self._installation}, "name": {"S": name}}

    def _where(self, name: str) -> str:
        return f"table {self._table}" + (f", item {name}" if name else "")


def _still(version: str | None) -> dict[str, Any]:
    if version is None:
        return {"ConditionExpression": "attribute_not_exists(installation)"}
    return {
        "ConditionExpression": "version = :still",
        "ExpressionAttributeValues": {":still": {"S": version}},
    }


@contextmanager
def _conditional(over: str | None) -> Iterator[None]:
    try:
        yield
    except PreconditionFailed as error:
        raise Taken from error
    except NotFound as error:
        if over is None or error.code in {"NoSuchBucket", "ResourceNotFoundException"}:
            raise  # the bucket or the table itself
        raise Taken from error
