"""Services that CodeDeploy deploys: by its own deployments, with the AppSpec that their owner wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from controller.sandbox.rollout.faults import Ailment
from tests.support.codedeploy import ALWAYS_BACK, GROUP, appspec, group_settings
from tests.support.playground import CLUSTER, Playground, plain_definition, route_yaml


class Shop:
    """The service `example` under CodeDeploy."""

    def __init__(self, play: Playground, balancers: Sequence[Any] = (), **group: Any) -> None:
        self.play, self.codedeploy = play, play.sandbox.client("codedeploy")
        play.service(deploymentController={"type": "CODE_DEPLOY"}, loadBalancers=list(balancers))
        self.codedeploy.create_application(applicationName="shop", computePlatform="ECS")
        services = [{"clusterName": CLUSTER, "serviceName": "example"}]
        self.codedeploy.create_deployment_group(**group_settings() | {"ecsServices": services} | group)

    def deploy(self, definition: dict[str, Any]) -> str:
        """As CI does it: register, then CreateDeployment."""
        arn = self.play.register(definition)
        container = definition["containerDefinitions"][0]["name"]
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec(arn, container)}}
        return str(self.codedeploy.create_deployment(**GROUP, revision=revision)["deploymentId"])

    def deployments(self) -> list[dict[str, Any]]:
        names = self.codedeploy.list_deployments(**GROUP)["deployments"]
        found = [self.codedeploy.get_deployment(deploymentId=name)["deploymentInfo"] for name in names]
        return sorted(found, key=lambda one: str(one["createTime"]))

    def said(self, number: int) -> dict[str, Any]:
        """What the AppSpec of a deployment says of the service."""
        revision = self.deployments()[number]["revision"]
        revision = self.codedeploy.get_application_revision(applicationName="shop", revision=revision)["revision"]
        content = revision["appSpecContent"]["content"]
        found: dict[str, Any] = json.loads(content)["Resources"][0]["TargetService"]["Properties"]
        return found

    @property
    def runs(self) -> dict[str, Any]:
        """The definition of the PRIMARY task set."""
        sets = self.play.sandbox.service(CLUSTER, "example")["taskSets"]
        arn = next(one["taskDefinition"] for one in sets if one["status"] == "PRIMARY")
        found: dict[str, Any] = self.play.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return found

    @property
    def is_routed(self) -> bool:
        return "log_router" in [one["name"] for one in self.runs["containerDefinitions"]]

    @property
    def image(self) -> str:
        return str(self.runs["containerDefinitions"][0]["image"])


@pytest.fixture
def shop(play: Playground) -> Shop:
    made = Shop(play)
    made.deploy(plain_definition())
    play.sandbox.advance(1200)
    return made


def test_it_is_routed_by_a_deployment_of_its_own_group(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert shop.is_routed
    assert play.reason() == "InSync"
    last = shop.deployments()[-1]
    assert last["status"] == "Succeeded"
    assert shop.said(1) == shop.said(0) | {"TaskDefinition": shop.runs["taskDefinitionArn"]}


def test_a_second_pass_writes_and_asks_codedeploy_nothing(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    play.sandbox.reset_call_counts()
    play.settle(times=2)
    assert not [name for name in play.sandbox.call_counts if name.startswith("codedeploy:")]
    assert len(shop.deployments()) == 2


def test_without_an_appspec_one_is_made_from_the_service(play: Playground) -> None:
    target = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/1"
    balancer = {"targetGroupArn": target, "containerName": "app", "containerPort": 80}
    shop = Shop(play, [balancer])
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert shop.is_routed
    assert play.reason() == "InSync"
    assert shop.said(0)["LoadBalancerInfo"] == {"ContainerName": "app", "ContainerPort": 80}


def test_without_an_appspec_and_a_balanced_container_it_says_what_to_do(play: Playground) -> None:
    shop = Shop(play)
    play.write("httpd.yaml", route_yaml())
    play.settle(times=3)
    assert shop.deployments() == []
    assert play.reason() == "DeploymentController"
    assert "deploy it once with an AppSpec of your own" in json.dumps(play.controller.board.plain())


def test_cis_own_deployment_gets_the_router_on_top(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    shop.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle(times=12)
    assert shop.is_routed
    assert shop.image == "httpd:2.4.65"


def test_nothing_is_begun_while_a_deployment_runs(play: Playground, shop: Shop) -> None:
    shop.deploy(plain_definition(image="httpd:2.4.65"))
    play.sandbox.advance(5)
    play.write("httpd.yaml", route_yaml())
    play.step()
    assert len(shop.deployments()) == 2
    assert play.reason() == "WaitingForDeployment"
    play.settle(times=10)
    assert shop.is_routed
    assert shop.image == "httpd:2.4.65"


def test_a_router_that_fails_is_rolled_back_and_held(play: Playground) -> None:
    shop = Shop(play, autoRollbackConfiguration=ALWAYS_BACK)
    shop.deploy(plain_definition())
    play.sandbox.advance(1200)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.write("httpd.yaml", route_yaml())
    for _ in range(40):
        play.settle(times=1)
    assert not shop.is_routed
    assert play.reason() == "RolledBack"
    count = len(shop.deployments())
    play.settle(times=6)
    assert len(shop.deployments()) == count


def test_leaving_gives_the_originals_back(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert shop.is_routed
    play.remove("httpd.yaml")
    play.settle(times=8)
    assert not shop.is_routed


def test_a_group_that_is_missing_is_said(play: Playground) -> None:
    play.service(deploymentController={"type": "CODE_DEPLOY"})
    play.write("httpd.yaml", route_yaml())
    play.settle(times=2)
    assert play.reason() == "DeploymentController"
    assert "0 deployment groups name it" in json.dumps(play.controller.board.plain())
    assert play.revisions() == 1


def test_an_answer_that_is_lost_costs_no_second_deployment(play: Playground, shop: Shop) -> None:
    play.sandbox.add_fault(calls="codedeploy:CreateDeployment", effect="lose-answer")
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.reason() == "InSync"


def test_a_restart_in_the_middle_goes_on(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(20)
    play.step()
    play.start()
    play.settle(times=8)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.reason() == "InSync"
