"""Services that CodeDeploy deploys, when something goes wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.aws.accounts import AwsAccount
from controller.sandbox.rollout.faults import Ailment
from tests.support.codedeploy import ALWAYS_BACK, GROUP, appspec
from tests.support.playground import REGION, Playground, plain_definition, route_yaml
from tests.support.shop import Shop
from tests.support.sites import Killed

JSON_LINES = "[{name: stdout, format: json_lines}]"
DAY = 24 * 60


def deployed(play: Playground, **group: Any) -> Shop:
    """Once, by its CI."""
    made = Shop(play, **group)
    made.deploy(plain_definition())
    play.sandbox.advance(1200)
    return made


def message(play: Playground) -> str:
    return json.dumps(play.controller.board.plain()["services"])


def settle_hours(play: Playground, hours: float) -> None:
    for _ in range(int(hours * 3600 / 900)):
        play.step()
        play.sandbox.advance(900)
        play.clock.advance(900)


@pytest.mark.parametrize("back", [{}, {"autoRollbackConfiguration": ALWAYS_BACK}])
def test_a_router_that_fails_before_the_traffic_shifts_is_held_in_codedeploys_words(
    play: Playground, back: dict[str, Any]
) -> None:
    shop = deployed(play, **back)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.write("httpd.yaml", route_yaml())
    settle_hours(play, 2)
    assert not shop.is_routed
    assert play.reason() == "RolledBack"
    assert "timed out while waiting for the replacement task set" in message(play)
    assert "log_router exited 1" in message(play)
    count = len(shop.deployments())
    settle_hours(play, 1)
    assert len(shop.deployments()) == count


def test_another_config_is_tried_after_a_failure_whose_task_set_stays(play: Playground) -> None:
    shop = deployed(play)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.write("httpd.yaml", route_yaml())
    settle_hours(play, 2)
    assert play.reason() == "RolledBack"
    play.sandbox.mend()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    settle_hours(play, 1)
    assert shop.is_routed
    assert play.reason() == "InSync"


@pytest.mark.parametrize("termination_wait", [DAY, 1])
def test_a_router_that_dies_after_the_shift_is_taken_back_by_us_while_the_old_tasks_run_or_later(
    play: Playground, termination_wait: int
) -> None:
    shop = Shop(play, termination_wait=termination_wait)
    shop.deploy(plain_definition())
    play.sandbox.advance(2 * DAY * 60)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1, after=100))
    play.write("httpd.yaml", route_yaml())
    for _ in range(60):
        play.step()
        play.sandbox.advance(30)
        play.clock.advance(30)
    assert not shop.is_routed
    assert play.reason() == "RolledBack"
    assert "log_router exited 1" in message(play)
    count = len(shop.deployments())
    settle_hours(play, 3)
    assert not shop.is_routed
    assert len(shop.deployments()) == count


def test_what_codedeploy_takes_back_long_after_the_shift_is_held_and_no_revert(play: Playground) -> None:
    shop = Shop(play, termination_wait=DAY)
    play.write("httpd.yaml", route_yaml())
    shop.deploy(plain_definition())
    play.sandbox.advance(2 * DAY * 60)
    settle_hours(play, 1)
    assert play.reason() == "InSync"
    count = len(shop.deployments())
    shop.codedeploy.stop_deployment(deploymentId=shop.deployments()[-1]["deploymentId"], autoRollbackEnabled=True)
    settle_hours(play, 1)
    assert not shop.is_routed
    assert play.reason() == "RolledBack"
    assert "stopped by a user" in message(play)
    assert len(shop.deployments()) == count + 1, "CodeDeploy's own way back, and nothing of ours"
    shop.deploy(plain_definition(image="httpd:2.4.65"))
    play.sandbox.advance(2 * DAY * 60)
    settle_hours(play, 1)
    assert 'logroute_rollouts_total{result="rolled_back"} 1.0' in play.metrics.render()[0].decode()
    assert shop.is_routed
    assert shop.image == "httpd:2.4.65"
    assert play.reason() == "InSync"


def test_an_answer_that_is_lost_costs_no_second_deployment(play: Playground) -> None:
    shop = deployed(play)
    play.sandbox.add_fault(calls="codedeploy:CreateDeployment", effect="lose-answer")
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.reason() == "InSync"


def test_one_whose_answer_was_lost_and_that_failed_is_held_as_any_other(play: Playground) -> None:
    shop = deployed(play)
    play.sandbox.break_container("example", "log_router", Ailment(exit_code=1))
    play.sandbox.add_fault(calls="codedeploy:CreateDeployment", effect="lose-answer")
    play.write("httpd.yaml", route_yaml())
    settle_hours(play, 3)
    assert play.reason() == "RolledBack"
    assert len(shop.deployments()) == 2


CALLS = (
    "BatchGetDeployments",
    "BatchGetDeploymentGroups",
    "ListDeployments",
    "GetApplicationRevision",
    "CreateDeployment",
)


@pytest.mark.parametrize("moment", ["before-send", "before-parse"])
@pytest.mark.parametrize("operation", CALLS)
def test_a_kill_at_any_call_of_codedeploy_costs_no_second_deployment(
    play: Playground, operation: str, moment: str
) -> None:
    shop = deployed(play)
    play.write("httpd.yaml", route_yaml())
    account = play.app.world.home_site.account
    assert isinstance(account, AwsAccount)
    account.codedeploy._call.client.meta.events.register_first(f"{moment}.codedeploy.{operation}", die)
    with pytest.raises(Killed):
        play.step()
    play.start()
    play.settle(times=8)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.revisions() == 3
    assert play.reason() == "InSync"


def die(**_: Any) -> None:
    raise Killed


def test_a_deployment_that_begins_at_the_same_moment_is_waited_for(play: Playground) -> None:
    shop = deployed(play)
    play.sandbox.add_fault(
        calls="codedeploy:CreateDeployment",
        effect="error",
        code="DeploymentLimitExceededException",
        message="The Deployment Group 'web' already has an active Deployment",
        status=400,
    )
    play.write("httpd.yaml", route_yaml())
    play.step()
    assert len(shop.deployments()) == 1
    assert play.controller.board.plain()["errors"] == {}
    play.settle(times=8)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.reason() == "InSync"


def test_without_the_rights_it_is_told_and_the_others_are_routed(play: Playground) -> None:
    shop = deployed(play)
    play.service("other")
    play.sandbox.add_fault(
        calls="codedeploy:*", effect="error", code="AccessDeniedException", message="no", status=400, times=0, id="no"
    )
    play.write("httpd.yaml", route_yaml(services="[example, other]"))
    play.settle(times=4)
    assert play.reason() == "DeploymentController"
    assert "codedeploy:BatchGetDeployments" in message(play)
    assert "deploy/controller-policy.json" in message(play)
    assert play.is_routed("other")
    play.sandbox.remove_fault("no")
    play.settle(times=6)
    assert shop.is_routed


def test_a_group_that_was_made_anew_elsewhere_is_found_again(play: Playground) -> None:
    shop = deployed(play)
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    shop.codedeploy.delete_deployment_group(**GROUP)
    shop.open_group("front")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle(times=6)
    assert play.reason() == "DeploymentController", "the new group has no AppSpec, and the service no load balancer"
    shop.deploy(plain_definition(image="httpd:2.4.65"))
    play.sandbox.advance(1200)
    play.settle(times=6)
    assert shop.is_routed
    assert shop.image == "httpd:2.4.65"


IN_S3 = {"bucket": "appspecs", "key": "web.json", "bundleType": "JSON"}


@pytest.fixture
def of_s3(play: Playground) -> Shop:
    """Its CI deploys it by an AppSpec on S3."""
    shop = Shop(play)
    play.s3.create_bucket(Bucket="appspecs", CreateBucketConfiguration={"LocationConstraint": REGION})
    content = appspec(play.register(plain_definition()))
    play.s3.put_object(Bucket="appspecs", Key="web.json", Body=content.encode())
    shop.begin({"revisionType": "S3", "s3Location": IN_S3})
    play.sandbox.advance(1200)
    play.write("httpd.yaml", route_yaml())
    return shop


def test_an_appspec_in_s3_is_read_from_there(play: Playground, of_s3: Shop) -> None:
    play.settle(times=6)
    assert of_s3.is_routed
    assert of_s3.said(1)["LoadBalancerInfo"] == {"ContainerName": "app", "ContainerPort": 80}


def test_an_appspec_in_s3_that_may_not_be_read_is_said(play: Playground, of_s3: Shop) -> None:
    play.sandbox.add_fault(
        calls="s3:GetObject",
        matching="appspecs",
        effect="error",
        code="AccessDenied",
        message="no",
        status=403,
        times=0,
        id="no",
    )
    play.settle(times=6)
    assert play.reason() == "DeploymentController"
    assert "s3://appspecs/web.json cannot be read (AccessDenied)" in message(play)
    assert len(of_s3.deployments()) == 1
    play.sandbox.remove_fault("no")
    play.settle(times=6)
    assert of_s3.is_routed


@pytest.mark.parametrize("body", [None, b"\xff", b"version: 0.0"])
def test_an_appspec_in_s3_that_is_gone_or_is_none_is_said(play: Playground, of_s3: Shop, body: bytes | None) -> None:
    play.s3.delete_object(Bucket="appspecs", Key="web.json")
    if body is not None:
        play.s3.put_object(Bucket="appspecs", Key="web.json", Body=body)
    play.settle(times=4)
    assert play.reason() == "DeploymentController"
    assert "AppSpec" in message(play)
    assert len(of_s3.deployments()) == 1
    assert play.revisions() == 2, "nothing is registered that could not be rolled out"


def test_a_service_without_a_group_is_looked_for_once_an_hour(play: Playground) -> None:
    play.service(deploymentController={"type": "CODE_DEPLOY"})
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.reset_call_counts()
    settle_hours(play, 0.5)
    assert not [name for name in play.sandbox.call_counts if name.startswith("codedeploy:")]
    settle_hours(play, 1)
    assert play.sandbox.call_counts["codedeploy:ListApplications"] == 1
    assert play.reason() == "DeploymentController"


def test_a_spec_that_changes_while_our_old_tasks_wait_for_their_end_is_rolled_out_after_it(play: Playground) -> None:
    shop = Shop(play, termination_wait=60)
    shop.deploy(plain_definition())
    play.sandbox.advance(2 * 3600)
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert play.reason() == "InSync"
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle(times=6)
    assert play.reason() == "WaitingForDeployment"
    assert "is not over" in message(play)
    assert len(shop.deployments()) == 2
    settle_hours(play, 2)
    assert len(shop.deployments()) == 3
    assert play.reason() == "InSync"


def test_a_deployment_of_ours_that_a_person_stopped_where_it_is_stays_there(play: Playground) -> None:
    shop = Shop(play, termination_wait=DAY)
    shop.deploy(plain_definition())
    play.sandbox.advance(2 * DAY * 60)
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(60)
    shop.codedeploy.stop_deployment(deploymentId=shop.deployments()[-1]["deploymentId"])
    settle_hours(play, 1)
    assert shop.is_routed
    assert len(shop.deployments()) == 2
    assert play.reason() == "InSync"
