"""Reads that lag behind writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox, Settings

LAG = 4.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings=Settings(lag_seconds=LAG)) as running:
        yield running


def register(ecs: Any) -> str:
    containers = [{"name": "a", "image": "i", "memory": 64}]
    answer = ecs.register_task_definition(family="app", containerDefinitions=containers)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def settled(sandbox: Sandbox) -> tuple[Any, str]:
    """A service on app:1, long after all was written."""
    ecs = sandbox.client("ecs")
    ecs.create_cluster(clusterName="c")
    first = register(ecs)
    ecs.create_service(cluster="c", serviceName="web", taskDefinition=first, desiredCount=1)
    sandbox.advance(60)
    return ecs, first


def test_a_new_revision_is_not_found_until_the_lag_is_over(sandbox: Sandbox) -> None:
    ecs = sandbox.client("ecs")
    register(ecs)
    with pytest.raises(ClientError, match="Unable to describe task definition"):
        ecs.describe_task_definition(taskDefinition="app:1")
    sandbox.advance(LAG)
    assert ecs.describe_task_definition(taskDefinition="app:1")["taskDefinition"]["revision"] == 1


def test_the_head_of_a_family_is_the_old_one(sandbox: Sandbox) -> None:
    ecs, first = settled(sandbox)
    second = register(ecs)
    assert ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]["taskDefinitionArn"] == first
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [first]
    sandbox.advance(LAG)
    assert ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]["taskDefinitionArn"] == second


def test_an_updated_service_shows_its_old_definition_and_deployments(sandbox: Sandbox) -> None:
    ecs, first = settled(sandbox)
    second = register(ecs)
    answer = ecs.update_service(cluster="c", service="web", taskDefinition=second)["service"]
    assert answer["taskDefinition"] == second
    shown = ecs.describe_services(cluster="c", services=["web"])["services"][0]
    assert shown["taskDefinition"] == first
    assert [one["taskDefinition"] for one in shown["deployments"]] == [first]
    records = ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]
    assert len(records) == 1
    assert sandbox.service("c", "web")["taskDefinition"] == second
    sandbox.advance(LAG)
    shown = ecs.describe_services(cluster="c", services=["web"])["services"][0]
    assert shown["taskDefinition"] == second
    assert len(ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]) == 2


def test_of_two_writes_the_earlier_is_seen_first(sandbox: Sandbox) -> None:
    ecs, first = settled(sandbox)
    second = register(ecs)
    sandbox.advance(LAG / 2)
    register(ecs)
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [first]
    sandbox.advance(LAG / 2)
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [first, second]
    sandbox.advance(LAG / 2)
    assert len(ecs.list_task_definitions()["taskDefinitionArns"]) == 3


def test_writes_of_a_moment_are_seen_together_and_cost_one_copy(sandbox: Sandbox) -> None:
    ecs, first = settled(sandbox)
    arns = [register(ecs) for _ in range(30)]
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [first]
    [history] = sandbox._api._histories.values()
    assert len(history.copies) == 1
    sandbox.advance(LAG)
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [first, *arns]


def test_a_refused_write_hides_nothing(sandbox: Sandbox) -> None:
    ecs, _ = settled(sandbox)
    register(ecs)
    sandbox.advance(LAG)
    with pytest.raises(ClientError):
        ecs.deregister_task_definition(taskDefinition="app:9")
    assert len(ecs.list_task_definitions()["taskDefinitionArns"]) == 2


def test_without_a_lag_a_write_is_seen_at_once() -> None:
    with Sandbox() as sandbox:
        ecs = sandbox.client("ecs")
        assert ecs.list_task_definitions()["taskDefinitionArns"] == []
        assert ecs.describe_task_definition(taskDefinition=register(ecs))["taskDefinition"]["revision"] == 1
