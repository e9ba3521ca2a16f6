"""Log groups of the specs: made if missing, kept as long as asked, and other people's never made shorter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.applying.groups import GroupKeeper
from controller.aws.logs import OWNER_TAG, CloudWatchLogGroups
from controller.aws.ports import AccessDenied
from controller.planning.groups import Group
from controller.sandbox import Sandbox
from tests.support.aws import Answers, caller, refused

NAME = "/app/web"
KEY = ServiceKey(Place("main", "us-east-1"), "c", "web")


@pytest.fixture
def client() -> Iterator[Any]:
    with Sandbox() as sandbox:
        yield sandbox.client("logs")


@pytest.fixture
def keeper(client: Any) -> GroupKeeper:
    return GroupKeeper(CloudWatchLogGroups(caller(client)), "prod")


def spec(days: int | None = None, name: str = NAME, log_class: str = "STANDARD") -> Group:
    return Group(name, days, log_class)


def days(client: Any, name: str = NAME) -> int | None:
    found: dict[str, Any] = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return found.get("retentionInDays")


def owner(client: Any) -> str | None:
    arn = client.describe_log_groups(logGroupNamePrefix=NAME)["logGroups"][0]["arn"].removesuffix(":*")
    found: str | None = client.list_tags_for_resource(resourceArn=arn)["tags"].get(OWNER_TAG)
    return found


def theirs(client: Any, retention: int | None) -> None:
    client.create_log_group(logGroupName=NAME)
    if retention:
        client.put_retention_policy(logGroupName=NAME, retentionInDays=retention)


@pytest.mark.parametrize("wanted", [None, 30])
def test_a_missing_group_is_made_as_ours(keeper: GroupKeeper, client: Any, wanted: int | None) -> None:
    said = keeper.keep(KEY, [spec(wanted)])
    assert (days(client), owner(client)) == (wanted, "prod")
    assert [one.message for one in said] == ([f"log group {NAME} keeps its events 30 days now"] if wanted else [])


@pytest.mark.parametrize("wanted", [None, 30])
def test_a_group_is_made_in_its_class(keeper: GroupKeeper, client: Any, wanted: int | None) -> None:
    sent = Answers(client, only="CreateLogGroup")
    keeper.keep(KEY, [spec(wanted, log_class="INFREQUENT_ACCESS")])
    made = sent.sent[sent.asked.index("CreateLogGroup")]
    assert b'"logGroupClass": "INFREQUENT_ACCESS"' in made


def test_our_own_group_is_kept_shorter_and_longer(keeper: GroupKeeper, client: Any) -> None:
    for wanted in (30, 7, 90):
        said = keeper.keep(KEY, [spec(wanted)])
        assert days(client) == wanted
        assert [one.reason for one in said] == [Reason.LOG_GROUP_RETENTION]


@pytest.mark.parametrize(("there", "keeps"), [(90, "90 days"), (None, "for ever")])
def test_somebody_else_s_group_is_never_kept_shorter(
    keeper: GroupKeeper, client: Any, there: int | None, keeps: str
) -> None:
    theirs(client, there)
    said = keeper.keep(KEY, [spec(30)])
    assert (days(client), owner(client)) == (there, None)
    assert [one.message for one in said] == [
        f"log group {NAME} keeps its events {keeps}; LogRoute did not make it, so it is not lowered to 30 days"
    ]


def test_a_group_of_another_installation_is_somebody_else_s(keeper: GroupKeeper, client: Any) -> None:
    client.create_log_group(logGroupName=NAME, tags={OWNER_TAG: "staging"})
    keeper.keep(KEY, [spec(30)])
    assert (days(client), owner(client)) == (None, "staging")


def test_somebody_else_s_group_is_kept_longer(keeper: GroupKeeper, client: Any) -> None:
    theirs(client, 7)
    said = keeper.keep(KEY, [spec(30)])
    assert days(client) == 30
    assert [one.message for one in said] == [f"log group {NAME} keeps its events 30 days now"]


def test_without_a_retention_a_group_is_left_as_it_is(keeper: GroupKeeper, client: Any) -> None:
    theirs(client, 7)
    assert keeper.keep(KEY, [spec()]) == []
    assert days(client) == 7


def test_what_is_right_is_said_nothing_of(keeper: GroupKeeper, client: Any) -> None:
    theirs(client, 30)
    assert keeper.keep(KEY, [spec(30)]) == []


def test_what_was_seen_to_be_right_is_not_asked_again_until_forgotten(keeper: GroupKeeper, client: Any) -> None:
    asked = Answers(client).asked
    groups = [spec(30), spec(None, "/app/other")]
    keeper.keep(KEY, groups)
    asked.clear()
    assert keeper.keep(KEY, groups) == []
    assert asked == []
    client.delete_log_group(logGroupName=NAME)
    keeper.forget()
    keeper.keep(KEY, groups)
    assert days(client) == 30


def test_a_group_that_could_not_be_made_is_tried_again(keeper: GroupKeeper, client: Any) -> None:
    Answers(client, refused("AccessDeniedException"), only="CreateLogGroup")
    with pytest.raises(AccessDenied, match=f"logs:CreateLogGroup on log group {NAME}"):
        keeper.keep(KEY, [spec(30)])
    keeper.keep(KEY, [spec(30)])
    assert days(client) == 30


def test_a_kill_between_making_and_setting_is_made_good(keeper: GroupKeeper, client: Any) -> None:
    Answers(client, refused("AccessDeniedException"), only="PutRetentionPolicy")
    with pytest.raises(AccessDenied):
        keeper.keep(KEY, [spec(30)])
    assert days(client) is None
    keeper.keep(KEY, [spec(30)])
    assert days(client) == 30


def test_a_failure_leaves_the_groups_before_it_kept(keeper: GroupKeeper, client: Any) -> None:
    Answers(client, None, refused("AccessDeniedException"), only="CreateLogGroup")
    with pytest.raises(AccessDenied):
        keeper.keep(KEY, [spec(None), spec(None, "/app/other")])
    assert [row["logGroupName"] for row in client.describe_log_groups()["logGroups"]] == [NAME]


@pytest.mark.parametrize(("elsewhere", "kept"), [([30], 30), ([30, 14], 30), ([3], 7), ([], 7)])
def test_a_group_is_not_lowered_while_another_service_needs_it_longer(
    client: Any, elsewhere: list[int], kept: int
) -> None:
    logs = CloudWatchLogGroups(caller(client))
    keeper = GroupKeeper(logs, "prod", lambda _key, name: [Group(name, wanted) for wanted in elsewhere])
    keeper.keep(KEY, [spec(30)])
    keeper.keep(KEY, [spec(7)])
    assert days(client) == kept
