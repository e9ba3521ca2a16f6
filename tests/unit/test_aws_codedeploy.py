"""CodeDeploy as the controller calls it: the group of a service, its deployments, a new one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from controller.aws.codedeploy import BotoCodeDeploy
from controller.aws.ports import AwsError, DeploymentGroup, Unreachable
from controller.sandbox import Sandbox
from controller.taskdef.appspec import definition_of, with_definition
from tests.support.aws import caller, lose_answers
from tests.support.codedeploy import Blue, appspec


@pytest.fixture
def blue() -> Iterator[Blue]:
    with Sandbox() as sandbox:
        yield Blue(sandbox)


@pytest.fixture
def codedeploy(blue: Blue) -> BotoCodeDeploy:
    return BotoCodeDeploy(caller(blue.codedeploy))


def test_a_service_s_group_is_found_among_the_applications(blue: Blue, codedeploy: BotoCodeDeploy) -> None:
    assert list(codedeploy.groups()) == []
    blue.group()
    blue.codedeploy.create_application(applicationName="empty", computePlatform="ECS")
    assert list(codedeploy.groups()) == [("c", "web", DeploymentGroup("shop", "web"))]
    group = DeploymentGroup("shop", "web")
    assert codedeploy.again(group, "c", "web") == group
    assert codedeploy.again(group, "c", "other") is None
    assert codedeploy.again(DeploymentGroup("shop", "gone"), "c", "web") is None


def test_a_deployment_is_ongoing_until_the_old_tasks_are_gone_and_leaves_its_appspec(
    blue: Blue, codedeploy: BotoCodeDeploy
) -> None:
    blue.group()
    [(_, _, group)] = codedeploy.groups()
    name = codedeploy.create(group, appspec(blue.register()))
    assert codedeploy.ongoing(group) == [name]
    blue.sandbox.advance(3600)
    [info] = codedeploy.deployments([name])
    assert info["status"] == "Succeeded"
    assert codedeploy.ongoing(group) == []
    assert blue.sets == [("PRIMARY", "app:2", 2)]
    after = codedeploy.again(group, "c", "web")
    assert after == DeploymentGroup("shop", "web", last=name, good=name)
    left = codedeploy.content(after, info["revision"])
    assert definition_of(with_definition(left, "app:1")) == "app:1"


def test_deployments_since_a_time_leave_the_older_ones_out(blue: Blue, codedeploy: BotoCodeDeploy) -> None:
    blue.group()
    [(_, _, group)] = codedeploy.groups()
    name = codedeploy.create(group, appspec(blue.register()))
    [info] = codedeploy.deployments([name])
    at = info["createTime"]
    seconds = at.timestamp() if hasattr(at, "timestamp") else at
    assert codedeploy.since(group, seconds - 1) == [name]
    assert codedeploy.since(group, seconds + 1) == []


def test_a_deployment_amid_another_is_refused_in_codedeploy_s_words(blue: Blue, codedeploy: BotoCodeDeploy) -> None:
    blue.group()
    [(_, _, group)] = codedeploy.groups()
    codedeploy.create(group, appspec(blue.register()))
    with pytest.raises(AwsError, match="DeploymentLimitExceededException") as caught:
        codedeploy.create(group, appspec("app:1"))
    assert "shop/web" in caught.value.resource


def test_a_deployment_whose_answer_is_lost_is_not_asked_for_twice_and_can_be_found(
    blue: Blue, codedeploy: BotoCodeDeploy
) -> None:
    blue.group()
    [(_, _, group)] = codedeploy.groups()
    lose_answers(blue.codedeploy, "CreateDeployment")
    with pytest.raises(Unreachable):
        codedeploy.create(group, appspec(blue.register()))
    [name] = codedeploy.since(group, 0)
    [info] = codedeploy.deployments([name])
    assert definition_of(codedeploy.content(group, info["revision"])).endswith("/app:2")
