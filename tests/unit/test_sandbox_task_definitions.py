"""Families, revisions and tags in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def ecs(sandbox: Sandbox) -> Any:
    return sandbox.client("ecs")


def register(ecs: Any, family: str = "app", **fields: Any) -> str:
    containers = [{"name": "app", "image": "httpd", "memory": 64}]
    answer = ecs.register_task_definition(family=family, containerDefinitions=containers, **fields)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_every_registration_is_a_new_revision(ecs: Any, sandbox: Sandbox) -> None:
    assert [register(ecs).rsplit("/", 1)[1] for _ in range(3)] == ["app:1", "app:2", "app:3"]
    assert [one["revision"] for one in sandbox.revisions("app")] == [1, 2, 3]


def test_a_bare_family_is_its_latest_active_revision(ecs: Any) -> None:
    first, second = register(ecs), register(ecs)
    ecs.deregister_task_definition(taskDefinition=second)
    assert ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]["taskDefinitionArn"] == first
    by_number = ecs.describe_task_definition(taskDefinition="app:2")["taskDefinition"]
    assert by_number == ecs.describe_task_definition(taskDefinition=second)["taskDefinition"]
    assert by_number["status"] == "INACTIVE"
    assert by_number["deregisteredAt"] >= by_number["registeredAt"]


@pytest.mark.parametrize("name", ["ghost", "app:9", "app:x", "arn:aws:ecs:us-east-1:123456789012:task-definition/no:1"])
def test_a_definition_that_is_not_there_cannot_be_described(ecs: Any, name: str) -> None:
    register(ecs)
    code = refusal(ecs.describe_task_definition, taskDefinition=name)
    assert code == ("ClientException", "Unable to describe task definition.")


def test_tags_are_shown_beside_the_definition_and_only_when_asked_for(ecs: Any) -> None:
    tags = [{"key": "team", "value": "web"}]
    arn = register(ecs, tags=tags)
    plain = ecs.describe_task_definition(taskDefinition=arn)
    assert "tags" not in plain
    assert "tags" not in plain["taskDefinition"]
    assert ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])["tags"] == tags


def test_tags_change_after_registration(ecs: Any) -> None:
    arn = register(ecs, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "3"}, {"key": "c", "value": "4"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    expected = [{"key": "b", "value": "3"}, {"key": "c", "value": "4"}]
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == expected


def test_clusters_services_and_tasks_have_tags_too(ecs: Any) -> None:
    register(ecs)
    arns = [
        ecs.create_cluster(clusterName="c")["cluster"]["clusterArn"],
        ecs.create_service(cluster="c", serviceName="s", taskDefinition="app", desiredCount=0)["service"]["serviceArn"],
        ecs.run_task(cluster="c", taskDefinition="app")["tasks"][0]["taskArn"],
    ]
    for arn in arns:
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "k", "value": "v"}])
        assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "k", "value": "v"}]


def test_tags_of_nothing_are_refused(ecs: Any) -> None:
    gone = "arn:aws:ecs:us-east-1:123456789012:cluster/gone"
    assert refusal(ecs.list_tags_for_resource, resourceArn=gone)[0] == "ResourceNotFoundException"
    assert refusal(ecs.list_tags_for_resource, resourceArn="gone")[0] == "InvalidParameterException"


def test_lists_are_sorted_by_family_and_number(ecs: Any) -> None:
    for family in ("b", "a", "b", "ab"):
        register(ecs, family)

    def listed(**request: Any) -> list[str]:
        arns = ecs.list_task_definitions(**request)["taskDefinitionArns"]
        return [arn.rsplit("/", 1)[1] for arn in arns]

    assert listed() == ["a:1", "ab:1", "b:1", "b:2"]
    assert listed(sort="DESC") == ["b:2", "b:1", "ab:1", "a:1"]
    assert listed(familyPrefix="a") == ["a:1"], "the prefix is the whole family here"
    ecs.deregister_task_definition(taskDefinition="b:1")
    assert listed(familyPrefix="b") == ["b:2"]
    assert listed(status="INACTIVE") == ["b:1"]


def test_families_are_active_as_long_as_one_revision_is(ecs: Any) -> None:
    for family in ("web", "web-old", "job"):
        register(ecs, family)
    ecs.deregister_task_definition(taskDefinition="web-old:1")
    assert ecs.list_task_definition_families()["families"] == ["job", "web", "web-old"]
    assert ecs.list_task_definition_families(familyPrefix="web", status="ACTIVE")["families"] == ["web"]
    assert ecs.list_task_definition_families(status="INACTIVE")["families"] == ["web-old"]


def test_a_list_comes_in_pages(ecs: Any) -> None:
    for _ in range(7):
        register(ecs)
    first = ecs.list_task_definitions(maxResults=3)
    assert len(first["taskDefinitionArns"]) == 3
    pages = ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 3})
    assert [len(page["taskDefinitionArns"]) for page in pages] == [3, 3, 1]
    assert "nextToken" not in ecs.list_task_definitions()


@pytest.mark.parametrize("request_", [{"maxResults": 0}, {"maxResults": 101}, {"nextToken": "made up"}])
def test_a_page_that_ecs_would_not_serve_is_refused(ecs: Any, request_: dict[str, Any]) -> None:
    assert refusal(ecs.list_task_definitions, **request_)[0] == "InvalidParameterException"


def test_deregister_needs_a_revision(ecs: Any) -> None:
    register(ecs)
    assert refusal(ecs.deregister_task_definition, taskDefinition="app")[0] == "InvalidParameterException"
    assert refusal(ecs.deregister_task_definition, taskDefinition="app:2")[0] == "ClientException"


def test_only_inactive_revisions_are_deleted_and_numbers_are_never_used_again(ecs: Any, sandbox: Sandbox) -> None:
    register(ecs)
    register(ecs)
    ecs.deregister_task_definition(taskDefinition="app:2")
    answer = ecs.delete_task_definitions(taskDefinitions=["app:1", "app:2", "app:3"])
    assert [one["status"] for one in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert len(answer["failures"]) == 2
    assert "still in ACTIVE status" in answer["failures"][0]["reason"]
    sandbox.advance(3600)
    assert [one["revision"] for one in sandbox.revisions("app")] == [1]
    assert register(ecs).endswith("app:3")


def test_a_revision_in_use_stays_until_its_tasks_are_gone(ecs: Any, sandbox: Sandbox) -> None:
    register(ecs)
    ecs.create_cluster(clusterName="c")
    task = ecs.run_task(cluster="c", taskDefinition="app:1")["tasks"][0]["taskArn"]
    ecs.deregister_task_definition(taskDefinition="app:1")
    ecs.delete_task_definitions(taskDefinitions=["app:1"])
    sandbox.advance(600)
    assert [one["status"] for one in sandbox.revisions("app")] == ["DELETE_IN_PROGRESS"]
    ecs.stop_task(cluster="c", task=task)
    sandbox.advance(600)
    assert sandbox.revisions("app") == []


def test_at_most_ten_definitions_are_deleted_at_once(ecs: Any) -> None:
    names = [f"app:{number}" for number in range(1, 12)]
    assert refusal(ecs.delete_task_definitions, taskDefinitions=names)[0] == "InvalidParameterException"
