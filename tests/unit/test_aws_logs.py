"""CloudWatch log groups: found by their exact name, made as ours, never made twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.aws.logs import OWNER_TAG, CloudWatchLogGroups
from controller.aws.ports import AwsError, LogGroup
from controller.sandbox import Sandbox
from tests.support.aws import Answers, Reply, caller, offline, refused


@pytest.fixture
def client() -> Iterator[Any]:
    with Sandbox() as sandbox:
        yield sandbox.client("logs")


@pytest.fixture
def logs(client: Any) -> CloudWatchLogGroups:
    return CloudWatchLogGroups(caller(client))


def test_a_group_is_made_with_its_class_and_our_tag(logs: CloudWatchLogGroups, client: Any) -> None:
    sent = Answers(client).sent
    logs.create("/logroute/web", "INFREQUENT_ACCESS", "prod")
    found = logs.find("/logroute/web")
    assert found is not None
    assert (found.name, found.retention_days) == ("/logroute/web", None)
    assert found.arn.endswith(":log-group:/logroute/web")
    assert logs.owner(found) == "prod"
    assert client.list_tags_for_resource(resourceArn=found.arn)["tags"] == {OWNER_TAG: "prod"}
    assert b'"logGroupClass": "INFREQUENT_ACCESS"' in sent[0]


def test_making_what_is_there_changes_nothing(logs: CloudWatchLogGroups, client: Any) -> None:
    client.create_log_group(logGroupName="/theirs", tags={"team": "web"})
    logs.create("/theirs", "STANDARD", "prod")
    found = logs.find("/theirs")
    assert found is not None
    assert logs.owner(found) is None


def test_a_group_that_cannot_be_made_is_an_error() -> None:
    client = offline("logs")
    Answers(client, refused("LimitExceededException", message="Resource limit exceeded"))
    with pytest.raises(AwsError, match="logs:CreateLogGroup on log group /x failed: LimitExceededException"):
        CloudWatchLogGroups(caller(client)).create("/x", "STANDARD", "prod")


def test_retention_is_set_and_seen(logs: CloudWatchLogGroups) -> None:
    logs.create("/g", "STANDARD", "prod")
    logs.set_retention("/g", 30)
    found = logs.find("/g")
    assert found is not None
    assert found.retention_days == 30


def test_a_name_is_not_found_by_its_prefix(logs: CloudWatchLogGroups, client: Any) -> None:
    client.create_log_group(logGroupName="/ecs/web-2")
    assert logs.find("/ecs/web") is None


def test_a_name_is_found_among_more_than_a_page_that_start_with_it(logs: CloudWatchLogGroups, client: Any) -> None:
    for number in range(60):
        client.create_log_group(logGroupName=f"/ecs/web-{number:03}")
    assert logs.find("/ecs/web") is None
    client.create_log_group(logGroupName="/ecs/web")
    client.put_retention_policy(logGroupName="/ecs/web", retentionInDays=7)
    found = logs.find("/ecs/web")
    assert found is not None
    assert found.retention_days == 7


def test_every_page_is_looked_at_whatever_its_order() -> None:
    client = offline("logs")
    row = {"logGroupName": "/g", "arn": "arn:g:*"}
    others = [{"logGroupName": f"/g{number}"} for number in range(50)]
    answers = Answers(
        client,
        Reply(body={"logGroups": others, "nextToken": "1"}),
        Reply(body={"logGroups": [], "nextToken": "2"}),
        Reply(body={"logGroups": [row], "nextToken": "3"}),
    )
    assert CloudWatchLogGroups(caller(client)).find("/g") == LogGroup("/g", None, "arn:g")
    assert len(answers.asked) == 3
    assert b'"limit": 50' in answers.sent[0]


def test_a_group_that_vanished_belongs_to_nobody(logs: CloudWatchLogGroups) -> None:
    gone = LogGroup("/gone", None, "arn:aws:logs:us-east-1:123456789012:log-group:/gone")
    assert logs.owner(gone) is None


def test_groups_are_described_fifty_names_a_request() -> None:
    client = offline("logs")
    rows = [{"logGroupName": "/g0", "retentionInDays": 7, "logGroupClass": "STANDARD", "logGroupArn": "arn:g0"}]
    answers = Answers(client, Reply(body={"logGroups": rows}), Reply(body={"logGroups": []}))
    found = CloudWatchLogGroups(caller(client)).describe([f"/g{number}" for number in range(60)])
    assert found == {"/g0": LogGroup("/g0", 7, "arn:g0", "STANDARD")}
    assert [body.count(b'"/g') for body in answers.sent] == [50, 10]


def test_groups_are_found_where_the_names_asked_for_are_not_understood(logs: CloudWatchLogGroups, client: Any) -> None:
    for number in range(60):
        client.create_log_group(logGroupName=f"/a{number:02}")
    client.create_log_group(logGroupName="/z")
    assert sorted(logs.describe(["/z", "/a07", "/gone"])) == ["/a07", "/z"]
