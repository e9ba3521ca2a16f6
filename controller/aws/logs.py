"""CloudWatch log groups through botocore, as ports.LogGroups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import AwsError, LogGroup, NotFound

OWNER_TAG = "logroute.dev/owner"
PAGE = 50
"""Most rows in a page (Amazon CloudWatch Logs API reference, DescribeLogGroups)."""


class CloudWatchLogGroups:
    def __init__(self, call: Caller) -> None:
        self._call = call

    def find(self, name: str) -> LogGroup | None:
        for row in self._with_prefix(name):
            if row["logGroupName"] == name:
                arn = str(row.get("logGroupArn") or row.get("arn", "")).removesuffix(":*")
                return LogGroup(name, row.get("retentionInDays"), arn)
        return None

    def owner(self, group: LogGroup) -> str | None:
        try:
            answer = self._call("ListTagsForResource", f"log group {group.name}", expects="", resourceArn=group.arn)
        except NotFound:
            return None
        tags: dict[str, str] = answer.get("tags", {})
        return tags.get(OWNER_TAG)

    def create(self, name: str, log_class: str, owner: str) -> None:
        try:
            self._call(
                "CreateLogGroup",
                f"log group {name}",
                expects="",
                logGroupName=name,
                logGroupClass=log_class,
                tags={OWNER_TAG: owner},
            )
        except AwsError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise

    def set_retention(self, name: str, days: int) -> None:
        self._call("PutRetentionPolicy", f"log group {name}", expects="", logGroupName=name, retentionInDays=days)

    def _with_prefix(self, prefix: str) -> Iterator[dict[str, Any]]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(
                "DescribeLogGroups",
                f"log group {prefix}",
                expects="logGroups",
                logGroupNamePrefix=prefix,
                limit=PAGE,
                **token,
            )
            yield from answer["logGroups"]
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}
