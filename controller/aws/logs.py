"""CloudWatch log groups through botocore, as ports.LogGroups."""

from __future__ import annotations

from controller.aws.calls import Caller
from controller.aws.ports import AwsError, LogGroup, NotFound

OWNER_TAG = "logroute.dev/owner"


class CloudWatchLogGroups:
    def __init__(self, call: Caller) -> None:
        self._call = call

    def find(self, name: str) -> LogGroup | None:
        answer = self._call("DescribeLogGroups", f"log group {name}", logGroupNamePrefix=name)
        found = next((row for row in answer.get("logGroups", ()) if row["logGroupName"] == name), None)
        if found is None:
            return None
        arn = str(found.get("logGroupArn") or found.get("arn", "")).removesuffix(":*")
        return LogGroup(name, found.get("retentionInDays"), arn)

    def owner(self, group: LogGroup) -> str | None:
        try:
            answer = self._call("ListTagsForResource", f"log group {group.name}", resourceArn=group.arn)
        except NotFound:
            return None
        tags: dict[str, str] = answer.get("tags", {})
        return tags.get(OWNER_TAG)

    def create(self, name: str, log_class: str, owner: str) -> None:
        try:
            self._call(
                "CreateLogGroup",
                f"log group {name}",
                logGroupName=name,
                logGroupClass=log_class,
                tags={OWNER_TAG: owner},
            )
        except AwsError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise

    def set_retention(self, name: str, days: int) -> None:
        self._call("PutRetentionPolicy", f"log group {name}", logGroupName=name, retentionInDays=days)
