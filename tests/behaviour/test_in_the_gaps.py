"""Other people write while we do; ECS shows more than was sent; rollouts end in every way that they can."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from controller.aws.ports import AccessDenied
from controller.sandbox.registration import defaults
from controller.settings import Guards
from controller.taskdef.body import register_form
from tests.support.playground import (
    CLUSTER,
    PREFIX,
    REGION,
    ROLLOUT_SECONDS,
    STORE,
    Playground,
    plain_definition,
    route_yaml,
)

JSON_LINES = "[{name: stdout, format: json_lines}]"
LOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "A", "awslogs-region": REGION, "awslogs-stream-prefix": "x"},
}
NEW_IMAGE = "httpd:2.4.65"
NAMES = [f"example-{number}" for number in range(5)]


def routed(play: Playground, **service: Any) -> None:
    play.service(**service)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()


def fleet(play: Playground) -> None:
    for name in NAMES:
        play.service(name)
    play.write("all.yaml", route_yaml("all", services='["example-*"]'))
    play.settle()
    assert all(map(play.is_routed, NAMES))


def ecs_of(play: Playground) -> Any:
    return play.app.world.home_site.account.ecs


def test_a_deploy_during_our_register_is_not_overwritten(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    ecs = ecs_of(play)
    real = ecs.register_task_definition

    def while_ci_deploys(body: dict[str, Any]) -> str:
        arn = str(real(body))
        monkeypatch.setattr(ecs, "register_task_definition", real)
        play.deploy(plain_definition(image=NEW_IMAGE))
        return arn

    monkeypatch.setattr(ecs, "register_task_definition", while_ci_deploys)
    play.step()
    assert play.containers()["app"]["image"] == NEW_IMAGE
    play.settle()
    assert play.is_routed()
    assert play.containers()["app"]["image"] == NEW_IMAGE


def test_somebodys_deployment_of_the_same_revision_stops_the_write(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    ecs = ecs_of(play)
    real = ecs.register_task_definition

    def while_somebody_forces(body: dict[str, Any]) -> str:
        monkeypatch.setattr(ecs, "register_task_definition", real)
        play.ecs.update_service(cluster=CLUSTER, service="example", forceNewDeployment=True)
        return str(real(body))

    monkeypatch.setattr(ecs, "register_task_definition", while_somebody_forces)
    play.step()
    assert not play.is_routed()


def test_restore_gives_back_the_newest_log_configuration(play: Playground) -> None:
    routed(play, definition=plain_definition(logConfiguration=LOGS))
    newer: dict[str, Any] = copy.deepcopy(LOGS)
    newer["options"]["awslogs-group"] = "B"
    play.deploy(plain_definition(logConfiguration=newer))
    play.settle()
    assert play.is_routed()
    play.remove("httpd.yaml")
    play.settle()
    assert play.containers()["app"]["logConfiguration"]["options"]["awslogs-group"] == "B"


def test_tags_of_a_redeploy_are_kept(play: Playground) -> None:
    routed(play)
    play.deploy(plain_definition() | {"tags": [{"key": "build", "value": "2"}]})
    play.settle()
    assert play.is_routed()
    assert {"key": "build", "value": "2"} in play.running()["tags"]


def test_a_default_that_we_do_not_know_is_no_endless_redeploy(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = defaults._fill

    def fill(container: dict[str, Any], *more: Any) -> None:
        real(container, *more)
        container.setdefault("versionConsistency", "enabled")

    monkeypatch.setattr(defaults, "_fill", fill)
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=6)
    assert play.revisions() == 2


def test_a_restore_is_watched_until_it_completed(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.step()
    play.sandbox.advance(5)
    play.step()
    assert play.reason() == "RollingOut"
    play.settle()
    assert play.reason() == ""


def test_a_restore_that_rolled_back_is_said_and_not_tried_again(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.sandbox.fail_next_rollout(container="app")
    play.settle(times=5)
    revisions = play.revisions()
    play.settle()
    assert play.is_routed()
    assert play.reason() == "RolledBack"
    assert play.revisions() == revisions


def test_the_config_of_the_live_revision_comes_back_after_a_rollback(play: Playground) -> None:
    routed(play)
    (old,) = play.configs()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle(times=4)
    assert play.status()["Stalled"] == ("True", "RolledBack")
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{old}")
    play.settle()
    assert old in play.configs()


def test_the_config_of_a_draining_revision_comes_back_during_a_rollout(play: Playground) -> None:
    routed(play)
    (old,) = play.configs()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.step()
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{old}")
    play.step()
    assert old in play.configs()


def test_a_fixed_application_is_not_held_for_the_broken_one(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(600)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.sandbox.advance(600)
    play.settle(times=5)
    assert play.is_routed()


def test_a_failed_rollout_without_rollback_is_never_in_sync(play: Playground) -> None:
    play.service(deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=5)
    assert play.status()["Ready"] == ("False", "RolledBack")


def test_a_damaged_label_harms_its_own_service_only(play: Playground) -> None:
    routed(play)
    bad = register_form(play.running())
    for container in bad["containerDefinitions"]:
        if container["name"] == "log_router":
            container["dockerLabels"]["logroute.dev/original"] = '{"logConfiguration":{},"volumes":5}'
    play.deploy(bad)
    play.sandbox.advance(ROLLOUT_SECONDS)
    play.service("second")
    play.write("second.yaml", route_yaml("second", services="[second]"))
    play.settle()
    assert play.is_routed("second")


def test_a_config_that_is_lost_for_good_harms_its_own_service_only(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES, extra="  suspend: true\n"))
    for key in list(play.objects()):
        if key.startswith("_state/configs") or not key.startswith("_state"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.service("second")
    play.write("second.yaml", route_yaml("second", services="[second]", outputs=JSON_LINES))
    play.settle()
    assert play.is_routed("second")
    assert play.controller.board.plain()["lostConfigs"]


def test_a_route_moved_into_a_known_file_that_breaks_is_not_gone(play: Playground) -> None:
    play.write("other.yaml", route_yaml("other", services="[elsewhere]"))
    routed(play)
    play.remove("httpd.yaml")
    play.write("other.yaml", route_yaml("other", services="[elsewhere]") + "---\n" + route_yaml() + "  bad: [\n")
    play.settle()
    assert play.is_routed()


def test_a_failed_update_is_no_drift(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        play.service(name)
    play.write("all.yaml", route_yaml("all", services='["*"]'))
    ecs = ecs_of(play)
    real = ecs.update_service

    def denied(*_: Any) -> None:
        raise AccessDenied("ecs:UpdateService", "x", "AccessDeniedException", "no")

    monkeypatch.setattr(ecs, "update_service", denied)
    play.settle()
    monkeypatch.setattr(ecs, "update_service", real)
    play.settle(times=6)
    assert all(map(play.is_routed, NAMES))
    assert {play.revisions(name) for name in NAMES} == {2}


def test_what_is_suspended_anyway_does_not_block_the_rest(play: Playground) -> None:
    fleet(play)
    routed(play)
    play.write("all.yaml", route_yaml("all", services='["example-*"]', extra="  suspend: true\n"))
    play.settle()
    for name in NAMES:
        play.deploy(plain_definition(name, image=NEW_IMAGE), name)
    play.settle()
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert play.is_routed()


def test_a_deploy_that_adds_a_container_is_not_explained_by_a_spec(play: Playground) -> None:
    fleet(play)
    for name in NAMES:
        body = plain_definition(name)
        body["containerDefinitions"].append({"name": "side", "image": "x", "essential": False})
        play.deploy(body, name)
    play.settle()
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}


def test_a_first_run_that_only_plans_is_not_opened_by_an_adoption(play: Playground) -> None:
    play.service("injected")
    play.service("other")
    play.write("a.yaml", route_yaml("a", services="[injected]"))
    play.settle()
    assert play.is_routed("injected")
    for key in play.objects():
        if key.startswith("_state/"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"firstRun": "plan"})})
    play.start()
    play.write("b.yaml", route_yaml("b", services="[other]"))
    play.settle()
    assert not play.is_routed("other")


def test_a_suspended_route_restores_nothing_that_left_its_target(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(services="[elsewhere]", extra="  suspend: true\n"))
    play.settle()
    assert play.is_routed()
    assert play.reason() == "Suspended"


def test_a_container_that_was_copied_from_a_routed_one_can_be_restored(play: Playground) -> None:
    routed(play)
    body = register_form(play.running())
    (app,) = (one for one in body["containerDefinitions"] if one["name"] == "app")
    body["containerDefinitions"].append({**app, "name": "worker", "portMappings": []})
    play.deploy(body)
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    found = play.containers()
    assert set(found) == {"app", "worker"}
    assert found["app"]["logConfiguration"]["logDriver"] == "awslogs"
    assert "logConfiguration" not in found["worker"]
