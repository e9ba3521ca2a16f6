"""Other people deploy, revert and fail; theirs counts, and ours goes on top of it."""

from __future__ import annotations

from typing import Any

from controller.taskdef.body import register_form
from tests.support.playground import CLUSTER, ROLLOUT_SECONDS, Playground, plain_definition, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
NEW_IMAGE = "httpd:2.4.65"


def routed(play: Playground, **service: Any) -> None:
    play.service(**service)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()


def revert(play: Playground) -> None:
    """As Terraform does it: back to the revision that it knows. Then time for us to answer."""
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
    play.sandbox.advance(ROLLOUT_SECONDS)
    play.settle(times=2)


def hints(play: Playground) -> list[str]:
    (found,) = play.controller.board.plain()["services"].values()
    return [one["reason"] for one in found.get("hints", ())]


def test_nothing_is_written_shortly_after_somebodys_deployment(play: Playground) -> None:
    routed(play)
    theirs = play.deploy(plain_definition(image=NEW_IMAGE))
    play.sandbox.advance(30)
    assert len(play.sandbox.service(CLUSTER, "example")["deployments"]) == 1
    play.step()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert play.reason() == "WaitingForDeployment"
    play.sandbox.advance(90)
    play.step()
    assert play.is_routed()


def test_a_service_that_somebody_deploys_can_be_skipped_until_the_next_pass(play: Playground) -> None:
    routed(play)
    theirs = play.deploy(plain_definition(image=NEW_IMAGE))
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES, extra="  rollout: {whenDeploying: skip}\n"))
    play.step()
    assert play.reason() == "WaitingForDeployment"
    play.sandbox.advance(10 * ROLLOUT_SECONDS)
    play.clock.advance(10 * ROLLOUT_SECONDS)
    play.drain()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    play.settle()
    assert play.is_routed()
    assert play.containers()["app"]["image"] == NEW_IMAGE


def test_nothing_is_written_while_a_roll_back_of_theirs_runs(play: Playground) -> None:
    routed(play)
    revisions = play.revisions()
    bad = plain_definition(image="httpd:broken")
    play.sandbox.fail_next_rollout(container="app")
    play.deploy(bad)
    for _ in range(12):
        play.sandbox.advance(10)
        play.step()
        record = play.ecs.list_service_deployments(cluster=CLUSTER, service="example")["serviceDeployments"][0]
        if record["status"] in {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}:
            break
    assert play.revisions() == revisions + 1
    play.settle()
    assert play.is_routed()
    assert play.revisions() == revisions + 1


def test_a_deploy_that_brings_an_equal_router_costs_no_write(play: Playground) -> None:
    routed(play)
    injected = register_form(play.running())
    for container in injected["containerDefinitions"]:
        if container["name"] == "app":
            container["image"] = NEW_IMAGE
    play.deploy(injected)
    revisions = play.revisions()
    play.sandbox.reset_call_counts()
    play.settle(times=4)
    assert play.revisions() == revisions
    assert "ecs:UpdateService" not in play.sandbox.call_counts
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_roll_back_by_hand_to_an_older_revision_is_what_we_build_upon(play: Playground) -> None:
    routed(play)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert play.containers()["app"]["image"] == NEW_IMAGE
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
    play.settle(times=4)
    assert play.is_routed()
    assert play.containers()["app"]["image"] == "httpd"


def test_the_count_that_somebody_set_stays(play: Playground) -> None:
    routed(play)
    play.ecs.update_service(cluster=CLUSTER, service="example", desiredCount=5)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert play.is_routed()
    assert play.sandbox.service(CLUSTER, "example")["desiredCount"] == 5


def test_our_own_revision_deployed_by_somebody_else_is_waited_for(play: Playground) -> None:
    """Before we saw our own rollout of it end."""
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.step()
    ours = play.running()["taskDefinition"]["taskDefinitionArn"]
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition=ours)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    revisions = play.revisions()
    play.step()
    assert play.reason() == "WaitingForDeployment"
    assert play.revisions() == revisions
    play.settle()
    assert play.is_routed()
    assert play.revisions() == revisions + 1


def test_a_revert_is_repaired_and_said_as_such(play: Playground) -> None:
    routed(play)
    play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
    play.sandbox.advance(30)
    play.step()
    assert play.reason() == "WaitingForDeployment"
    play.settle()
    assert play.is_routed()
    assert hints(play) == []


def test_the_third_revert_within_an_hour_is_left_as_it_is(play: Playground) -> None:
    routed(play)
    for _ in range(2):
        revert(play)
        assert play.is_routed()
    revert(play)
    play.settle(times=3)
    assert not play.is_routed()
    assert play.status()["Stalled"] == ("True", "Contested")


def test_contested_survives_a_restart_and_the_hour(play: Playground) -> None:
    routed(play)
    for _ in range(3):
        revert(play)
    play.start()
    play.sandbox.advance(3 * 3600)
    play.settle()
    assert not play.is_routed()
    assert play.status()["Ready"] == ("False", "Contested")


def test_a_changed_spec_ends_contested(play: Playground) -> None:
    routed(play)
    for _ in range(3):
        revert(play)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")


def test_reverts_hours_apart_are_each_repaired(play: Playground) -> None:
    routed(play)
    for _ in range(4):
        revert(play)
        assert play.is_routed()
        play.sandbox.advance(3600)


def test_deploys_without_the_router_are_no_reverts_and_leave_a_hint(play: Playground) -> None:
    routed(play)
    for number in range(4):
        play.deploy(plain_definition(image=f"httpd:{number}"))
        play.settle(times=4)
        assert play.is_routed()
    assert hints(play) == ["InjectInCI"]
    assert play.status()["Ready"] == ("True", "InSync")
    play.start()
    play.step()
    assert hints(play) == ["InjectInCI"]


def test_the_hint_ends_with_a_deploy_that_brings_the_router(play: Playground) -> None:
    routed(play)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert hints(play) == ["InjectInCI"]
    injected = register_form(play.running())
    injected["containerDefinitions"][0]["image"] = "httpd:2.4.66"
    play.deploy(injected)
    play.settle()
    assert hints(play) == []


def test_their_deployment_that_fails_because_of_our_router_is_not_waited_for(play: Playground) -> None:
    """They copied the live revision; its router, ours and by now another than the specs ask for, keeps stopping."""
    routed(play, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    copied = register_form(play.running())
    copied["containerDefinitions"][0]["image"] = NEW_IMAGE
    copied["containerDefinitions"][1]["environment"].append({"name": "FLB_LOG_LEVEL", "value": "debug"})
    play.sandbox.fail_next_rollout()
    play.deploy(copied)
    play.sandbox.advance(30)
    play.step()
    assert play.reason() == "WaitingForDeployment"
    play.settle()
    assert play.is_routed()
    assert play.containers()["app"]["image"] == NEW_IMAGE
    assert play.sandbox.service(CLUSTER, "example")["deployments"][0]["rolloutState"] == "COMPLETED"


def test_their_deployment_that_fails_by_the_very_router_of_the_specs_loses_it(play: Playground) -> None:
    routed(play, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    copied = register_form(play.running())
    copied["containerDefinitions"][0]["image"] = NEW_IMAGE
    play.sandbox.fail_next_rollout()
    play.deploy(copied)
    play.settle(times=4)
    assert set(play.containers()) == {"app"}
    assert play.containers()["app"]["image"] == NEW_IMAGE
    assert play.status()["Ready"] == ("False", "RolledBack")
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions


def test_their_deployment_that_fails_by_itself_is_waited_for(play: Playground) -> None:
    routed(play, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    play.sandbox.fail_next_rollout(container="app")
    theirs = play.deploy(plain_definition(image="httpd:broken"))
    play.settle(times=5)
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert play.reason() == "WaitingForDeployment"
