"""Services that CodeDeploy deploys: by its own deployments, with the AppSpec that their owner wrote."""

from __future__ import annotations

import json

import pytest

from tests.support.playground import Playground, plain_definition, route_yaml
from tests.support.shop import Shop


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
    assert "no deployment group of CodeDeploy names it" in json.dumps(play.controller.board.plain())
    assert play.revisions() == 1


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
