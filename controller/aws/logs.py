"""CloudWatch log groups through botocore, as ports.LogGroups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import AwsError, LogGroup, NotFound

OWNER_TAG = "logroute.dev/owner"
PAGE = 50
"""Most rows in a page, and most names in a request (Amazon CloudWatch Logs API reference, DescribeLogGroups)."""


class CloudWatchLogGroups:
    def __init__(self, call: Caller) -> None:
        self._call = call

    def find(self, name: str) -> LogGroup | None:
        for row in self._rows(f"log group {name}", logGroupNamePrefix=name, limit=PAGE):
            if row["logGroupName"] == name:
                return _group(row)
        return None

    def describe(self, names: Sequence[str]) -> dict[str, LogGroup]:
        found: dict[str, LogGroup] = {}
        for start in range(0, len(names), PAGE):
            found |= self._described(names[start : start + PAGE])
        return found

    def _described(self, names: Sequence[str]) -> dict[str, LogGroup]:
        """What stands in for AWS may not know the parameter and list every group there is: only those asked for
        count, and the reading ends with the last of them.
        """
        missing, found = set(names), dict[str, LogGroup]()
        for row in self._rows(f"{len(names)} log groups", logGroupIdentifiers=list(names)):
            if row["logGroupName"] in missing:
                found[row["logGroupName"]] = _group(row)
                missing.remove(row["logGroupName"])
                if not missing:
                    break
        return found

    def owner(self, group: LogGroup) -> str | None:
        try:
            answer = self._call("ListTagsForResource", f"log group {group.name}", expects="", resourceArn=group.arn)
        except NotFound:
            return None
        tags: dict[str, str] = answer.get("tags", {})
        return tags.get(OWNER_TAG)

    def create(self, name: str, log_class: str, owner: str) -> bool:
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
            return False
        return True

    def set_retention(self, name: str, days: int) -> None:
        self._call("PutRetentionPolicy", f"log group {name}", expects="", logGroupName=name, retentionInDays=days)

    def _rows(self, what: str, **asked: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._call("DescribeLogGroups", what, expects="logGroups", **asked)
            yield from answer["logGroups"]
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]


def _group(row: dict[str, Any]) -> LogGroup:
    arn = str(row.get("logGroupArn") or row.get("arn", "")).removesuffix(":*")
    return LogGroup(row["logGroupName"], row.get("retentionInDays"), arn, str(row.get("logGroupClass") or ""))
