"""Services that CodeDeploy deploys: by its own deployments, with the AppSpec that their owner wrote."""

from __future__ import annotations

import json

import pytest

from controller.cli import converge
from controller.taskdef.body import register_form
from tests.support.playground import PREFIX, STORE, Playground, plain_definition, route_yaml
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
    assert codedeploy_calls(play) == {}
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
    play.sandbox.advance(30)
    assert shop.image == "httpd:2.4.65"
    while shop.deployments()[-1]["status"] != "Succeeded":
        play.step()
        assert len(shop.deployments()) == 3
        play.sandbox.advance(10)
    play.sandbox.advance(20)
    play.step()
    assert len(shop.deployments()) == 3, "within a minute of its end it is left alone"
    assert play.reason() == "WaitingForDeployment"
    play.settle(times=6)
    assert shop.is_routed
    assert shop.image == "httpd:2.4.65"
    assert play.reason() == "InSync"


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


def test_plan_tells_that_it_goes_through_codedeploy_and_begins_nothing(
    play: Playground, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    play.write("httpd.yaml", route_yaml())
    assert play.command("plan") == 2
    out = capsys.readouterr().out
    assert "example: will route, through CodeDeploy" in out
    assert "1 services: 1 to route, 0 to restore, 0 held" in out
    assert len(shop.deployments()) == 1
    assert play.revisions() == 2


def test_apply_waits_until_codedeploy_has_shifted_the_traffic(
    play: Playground, shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(60))
    play.write("httpd.yaml", route_yaml())
    assert play.command("apply") == 0
    assert shop.is_routed
    assert play.command("apply") == 0
    assert "every service is as the specs ask" in capsys.readouterr().out
    assert len(shop.deployments()) == 2


def test_a_config_object_that_is_gone_comes_back_without_a_deployment(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    before = play.configs()
    for path in before:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.settle(times=2)
    assert play.configs() == before
    assert len(shop.deployments()) == 2


def test_after_a_restart_it_is_known_and_costs_codedeploy_nothing(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    play.start()
    play.sandbox.reset_call_counts()
    play.settle(times=2)
    assert play.reason() == "InSync"
    assert codedeploy_calls(play) == {}
    assert len(shop.deployments()) == 2


def test_a_router_that_ci_brought_itself_is_taken_over_without_a_deployment(play: Playground, shop: Shop) -> None:
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    routed = register_form(play.running())
    routed["containerDefinitions"][0]["image"] = "httpd:2.4.65"
    shop.deploy(routed)
    play.settle(times=12)
    assert play.reason() == "InSync"
    assert shop.image == "httpd:2.4.65"
    assert len(shop.deployments()) == 3


def test_what_waits_for_a_day_asks_codedeploy_seldom(play: Playground) -> None:
    shop = Shop(play, termination_wait=24 * 60)
    shop.deploy(plain_definition())
    play.sandbox.advance(600)
    play.write("httpd.yaml", route_yaml())
    play.step()
    assert play.reason() == "WaitingForDeployment"
    play.sandbox.advance(3600)
    play.clock.advance(3600)
    play.step()
    play.sandbox.reset_call_counts()
    for _ in range(20):
        play.sandbox.advance(15)
        play.clock.advance(15)
        play.drain()
    assert sum(codedeploy_calls(play).values()) <= 6


def codedeploy_calls(play: Playground) -> dict[str, int]:
    return {name: count for name, count in play.sandbox.call_counts.items() if name.startswith("codedeploy:")}
