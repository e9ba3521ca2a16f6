"""A route leaves a service, whole or in part: what was there comes back, and what the application became stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.taskdef import canonical
from controller.taskdef.body import Body, register_form
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

CI_IMAGE = "httpd:2.4.65"
OTHER_CLUSTER = "example-poc-other"
LOGS: dict[str, Any] = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/ecs/side", "awslogs-region": REGION, "awslogs-stream-prefix": "side"},
}
SIDE = {"name": "side", "image": "side:1", "essential": False, "logConfiguration": LOGS}
JSON_LINES = "[{name: stdout, format: json_lines}]"
ORPHAN = "  deletionPolicy: orphan\n"


def with_side(family: str = "example", /, **app: Any) -> Body:
    body = plain_definition(family, **app)
    body["containerDefinitions"].append(SIDE)
    return body


def canon(body: Body) -> Body:
    return canonical.canonical(register_form(body))


def routed(play: Playground, text: str | None = None, **service: Any) -> Body:
    """A service and its route, converged; the definition from before."""
    play.service(**service)
    before = play.running()
    play.write("httpd.yaml", text or route_yaml())
    play.settle()
    assert play.is_routed()
    return before


def router_class(container: str, name: str = "default", more: str = "") -> str:
    head = f"apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {{name: {name}}}\n"
    return f"{head}spec: {{container: {{{container}}}{more}}}\n"


def on(containers: str, **more: Any) -> str:
    target = f"services: [example], containers: {containers}"
    return route_yaml(**more).replace("services: [example]", target)


# Which services


def test_a_narrowed_glob_restores_what_it_lost_and_touches_nothing_else(play: Playground) -> None:
    for name in ("web-a", "web-b"):
        play.service(name)
    play.write("httpd.yaml", route_yaml(services='["web-*"]'))
    play.settle()
    revisions = play.revisions("web-b")
    play.write("httpd.yaml", route_yaml(services='["web-*", "!web-a"]'))
    play.settle()
    assert canon(play.running("web-a")) == canon(plain_definition("web-a"))
    assert play.is_routed("web-b")
    assert play.revisions("web-b") == revisions


def test_a_route_that_moves_to_another_service_leaves_the_first_as_it_was(play: Playground) -> None:
    for name in ("first", "second"):
        play.service(name)
    play.write("httpd.yaml", route_yaml(services="[first]"))
    play.settle()
    play.write("httpd.yaml", route_yaml(services="[second]"))
    play.settle()
    assert canon(play.running("first")) == canon(plain_definition("first"))
    assert play.is_routed("second")


def test_a_route_that_moves_to_another_cluster_leaves_the_first_as_it_was(play: Playground) -> None:
    before = routed(play)
    play.ecs.create_cluster(clusterName=OTHER_CLUSTER)
    play.write("httpd.yaml", route_yaml().replace(CLUSTER, OTHER_CLUSTER))
    play.settle()
    assert canon(play.running()) == canon(before)
    assert play.status()["Ready"] == ("False", "NoService")


# Which containers


def test_a_container_that_is_selected_no_more_has_its_own_driver_back(play: Playground) -> None:
    routed(play, definition=with_side())
    play.write("httpd.yaml", on("[app]"))
    play.settle()
    found = play.containers()
    assert found["app"]["logConfiguration"]["logDriver"] == "awsfirelens"
    assert canonical.container(found["side"], "awsvpc") == SIDE
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_container_that_the_application_removed_does_not_come_back(play: Playground) -> None:
    routed(play, definition=with_side())
    copied = register_form(play.running())
    copied["containerDefinitions"] = [one for one in copied["containerDefinitions"] if one["name"] != "side"]
    play.deploy(copied)
    play.settle()
    assert play.is_routed()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(plain_definition())


def test_a_container_that_the_application_renamed_has_the_driver_that_came_with_it(play: Playground) -> None:
    routed(play)
    renamed = plain_definition(name="web", logConfiguration=LOGS)
    play.deploy(renamed)
    play.settle()
    assert play.is_routed()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(renamed)


# The application moves on


def test_what_the_application_became_stays_and_its_originals_come_back(play: Playground) -> None:
    routed(play, definition=with_side())
    copied = register_form(play.running())
    app = next(one for one in copied["containerDefinitions"] if one["name"] == "app")
    app |= {"image": CI_IMAGE, "environment": [{"name": "NEW", "value": ""}], "cpu": 64}
    copied["containerDefinitions"].append({"name": "third", "image": "third:1", "essential": False})
    play.deploy(copied)
    play.settle()
    assert play.is_routed()
    play.remove("httpd.yaml")
    play.settle()
    meant = with_side(image=CI_IMAGE, environment=[{"name": "NEW", "value": ""}], cpu=64)
    meant["containerDefinitions"].append({"name": "third", "image": "third:1", "essential": False})
    assert canon(play.running()) == canon(meant)


def test_a_driver_that_the_application_chose_itself_is_not_taken_back(play: Playground) -> None:
    routed(play, definition=with_side())
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    copied = register_form(play.running())
    chosen = {**LOGS, "options": {**LOGS["options"], "awslogs-group": "/ecs/chosen"}}
    next(one for one in copied["containerDefinitions"] if one["name"] == "side")["logConfiguration"] = chosen
    play.deploy(copied)
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(
        {
            **with_side(),
            "containerDefinitions": [*plain_definition()["containerDefinitions"], {**SIDE, "logConfiguration": chosen}],
        }
    )


def test_an_empty_list_of_the_application_s_stays_one(tmp_path: Path) -> None:
    body = with_side(dependsOn=[]) | {"volumes": []}
    given, specs, out, back = (tmp_path / name for name in ("td.json", "specs.yaml", "out.json", "back.json"))
    given.write_text(json.dumps(body))
    specs.write_text(route_yaml() + "---\n" + router_class("cpu: 0", more=", volumes: [{name: spool}]"))
    store = ["--config-store", "s3://configs/logroute", "--config-dir", str(tmp_path), "--region", REGION]
    for arguments in (
        [
            "inject",
            "--task-definition",
            str(given),
            "--specs",
            str(specs),
            "--cluster",
            CLUSTER,
            "-o",
            str(out),
            *store,
        ],
        ["restore", "--task-definition", str(out), "-o", str(back)],
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    assert json.loads(out.read_text())["volumes"] == [{"name": "spool"}]
    assert json.loads(back.read_text()) == body


def test_with_its_labels_lost_the_originals_come_from_memory(play: Playground) -> None:
    before = routed(play, definition=with_side())
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    copied = register_form(play.running())
    for container in copied["containerDefinitions"]:
        container.pop("dockerLabels", None)
    copied.pop("tags", None)
    play.deploy(copied)
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


# What becomes of the route


def test_a_suspended_route_that_is_deleted_is_gone_all_the_same(play: Playground) -> None:
    before = routed(play)
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    assert play.revisions() == 2
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


def test_a_renamed_route_is_rolled_out_once_and_nothing_is_restored_in_between(play: Playground) -> None:
    before = routed(play)
    play.write("httpd.yaml", route_yaml("web"))
    play.settle(times=5)
    first, second, third = play.sandbox.revisions("example")
    assert all(len(one["containerDefinitions"]) == 2 for one in (second, third))
    assert len(first["containerDefinitions"]) == 1
    assert play.status("web/web")["Ready"] == ("True", "InSync")
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


def test_renaming_what_a_route_does_not_render_redeploys_nothing(play: Playground) -> None:
    play.write("class.yaml", router_class("cpu: 0", "small"))
    routed(play, route_yaml(extra="  routerClass: small\n"))
    revisions = play.revisions()
    play.write("class.yaml", router_class("cpu: 0", "tiny"))
    play.write("httpd.yaml", route_yaml(extra="  routerClass: tiny\n  priority: 7\n"))
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("True", "InSync")


def test_when_one_of_two_routes_leaves_the_router_stays_for_the_other(play: Playground) -> None:
    before = routed(play)
    play.write("second.yaml", route_yaml("second", outputs=JSON_LINES))
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    assert play.status("web/second")["Ready"] == ("True", "InSync")
    assert all(len(one["containerDefinitions"]) == 2 for one in play.sandbox.revisions("example")[1:])
    play.remove("second.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


# Deletion policy


def test_an_orphaned_router_stays_and_says_so(play: Playground) -> None:
    routed(play, route_yaml(extra=ORPHAN))
    revisions = play.revisions()
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    assert play.revisions() == revisions
    assert play.reason() == "Orphaned"


def test_an_orphan_s_config_still_comes_back_when_it_is_deleted(play: Playground) -> None:
    routed(play, route_yaml(extra=ORPHAN))
    play.remove("httpd.yaml")
    play.settle()
    before = play.configs()
    for path in before:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.step()
    assert play.configs() == before


def test_an_orphan_that_is_selected_again_is_taken_up_without_a_write(play: Playground) -> None:
    before = routed(play, route_yaml(extra=ORPHAN))
    revisions = play.revisions()
    play.remove("httpd.yaml")
    play.settle()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("True", "InSync")
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)


def test_the_policy_that_was_known_last_counts_when_the_file_is_gone(play: Playground) -> None:
    routed(play)
    revisions = play.revisions()
    play.write("httpd.yaml", route_yaml(extra=ORPHAN))
    play.settle()
    assert play.revisions() == revisions
    play.remove("httpd.yaml")
    play.start()
    play.settle()
    assert play.is_routed()
    assert play.reason() == "Orphaned"


def test_a_policy_that_changed_in_the_moment_of_leaving_counts(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(services="[elsewhere]", extra=ORPHAN))
    play.settle()
    assert play.is_routed()
    assert play.reason() == "Orphaned"


# Rollouts and other people


def test_a_restore_waits_while_somebody_deploys(play: Playground) -> None:
    routed(play)
    copied = register_form(play.running())
    next(one for one in copied["containerDefinitions"] if one["name"] == "app")["image"] = CI_IMAGE
    theirs = play.deploy(copied)
    play.remove("httpd.yaml")
    play.step()
    assert play.running()["taskDefinition"]["taskDefinitionArn"] == theirs
    assert play.reason() == "WaitingForDeployment"
    play.settle(times=5)
    assert canon(play.running()) == canon(plain_definition(image=CI_IMAGE))


def test_a_restore_that_rolled_back_is_tried_again_on_a_new_application(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.sandbox.fail_next_rollout(container="app")
    play.settle(times=5)
    assert play.reason() == "RolledBack"
    copied = register_form(play.running())
    next(one for one in copied["containerDefinitions"] if one["name"] == "app")["image"] = CI_IMAGE
    play.deploy(copied)
    play.settle(times=5)
    assert canon(play.running()) == canon(plain_definition(image=CI_IMAGE))


def test_a_route_that_is_deleted_in_the_middle_of_its_rollout_leaves_nothing(play: Playground) -> None:
    play.service()
    before = play.running()
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.sandbox.advance(5)
    play.remove("httpd.yaml")
    play.settle(times=5)
    assert canon(play.running()) == canon(before)
    assert play.reason() == ""


def test_what_was_left_is_nobody_s_business_any_more(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.settle(times=4)
    theirs = play.deploy(plain_definition(image=CI_IMAGE))
    play.settle()
    assert play.running()["taskDefinition"]["taskDefinitionArn"] == theirs
    assert play.revisions() == 3


def test_log_groups_stay_when_their_route_leaves(play: Playground) -> None:
    routed(play, route_yaml(extra="  logGroups: [{name: /ours, retentionDays: 3}]\n"))
    play.remove("httpd.yaml")
    play.settle(times=4)
    (group,) = play.logs.describe_log_groups(logGroupNamePrefix="/ours")["logGroups"]
    assert group["retentionInDays"] == 3


def test_a_service_that_is_deleted_while_its_route_leaves_is_forgotten(play: Playground) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    play.settle(times=4)
    assert play.revisions() == 2
    assert play.reason() == ""


def test_a_class_that_is_deleted_takes_no_router_out(play: Playground) -> None:
    play.write("class.yaml", router_class("memoryReservation: 64", "small"))
    routed(play, route_yaml(extra="  routerClass: small\n"))
    revisions = play.revisions()
    play.remove("class.yaml")
    play.settle()
    assert play.revisions() == revisions
    assert play.containers()["log_router"]["memoryReservation"] == 64
    assert play.status()["Ready"] == ("False", "InvalidSpec")


def test_without_the_class_default_routers_are_as_they_are_built_in(play: Playground) -> None:
    play.write("class.yaml", router_class("memoryReservation: 64"))
    before = routed(play)
    play.remove("class.yaml")
    play.settle()
    assert play.is_routed()
    assert play.containers()["log_router"]["memoryReservation"] == 128
    play.remove("httpd.yaml")
    play.settle()
    assert canon(play.running()) == canon(before)
