"""Every kind of drift is found, named in metrics and status, and put right; in `mode: warn` it is only told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from controller.applying.configs import copy_of
from controller.aws.ports import AccessDenied
from controller.taskdef.body import register_form
from controller.taskdef.overlay import comparable
from tests.support.playground import CLUSTER, PREFIX, STORE, Playground, plain_definition, route_yaml

NEW_IMAGE = "httpd:2.4.65"
WARN = "  mode: warn\n"
GROUP = "/app/example"
GROUPS = f"  logGroups: [{{name: {GROUP}, retentionDays: 30}}]\n"
OWN = "/logroute/example"


def routed(play: Playground, extra: str = "", definition: dict[str, Any] | None = None) -> None:
    play.service(definition=definition)
    play.write("httpd.yaml", route_yaml(extra=extra))
    play.settle()
    assert play.is_routed()


def counted(play: Playground, kind: str) -> tuple[int, int]:
    """How often this kind of drift was found, and repaired."""
    text = play.metrics.render()[0].decode()

    def value(name: str) -> int:
        found = re.search(rf'^logroute_drift_{name}_total{{kind="{kind}"}} (\S+)$', text, re.MULTILINE)
        return int(float(found[1])) if found else -1

    return value("found"), value("repaired")


def all_counted(play: Playground) -> dict[str, tuple[int, int]]:
    """Every kind of which anything was found or repaired."""
    kinds = re.findall(r'^logroute_drift_found_total{kind="(\w+)"}', play.metrics.render()[0].decode(), re.MULTILINE)
    return {kind: pair for kind in kinds if (pair := counted(play, kind)) != (0, 0)}


def groups(play: Playground) -> dict[str, int | None]:
    """Log groups and the days that they keep."""
    return {one["logGroupName"]: one.get("retentionInDays") for one in play.logs.describe_log_groups()["logGroups"]}


def drift_of(play: Playground) -> list[str]:
    """What the status says of the service's drift."""
    [service] = play.controller.board.plain()["services"].values()
    return [one["reason"] for one in service["drift"]]


def router_of(body: dict[str, Any]) -> dict[str, Any]:
    """The router in a definition, to be changed."""
    found: dict[str, Any] = next(one for one in body["containerDefinitions"] if one["name"] == "log_router")
    return found


def app_of(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in body["containerDefinitions"] if one["name"] == "app")
    return found


# Definitions that somebody deploys

Change = Callable[[dict[str, Any]], object]
CLASS = """
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {name: default}
spec: {volumes: [{name: spare}]}
"""
DEPLOYED: dict[str, tuple[str, Change]] = {
    "another image of the router": ("RouterChanged", lambda body: router_of(body).update(image="fluent-bit:2")),
    "a variable of the router": (
        "RouterChanged",
        lambda body: router_of(body)["environment"].append({"name": "EXTRA", "value": "1"}),
    ),
    "no config of the router": ("RouterChanged", lambda body: router_of(body).update(environment=[])),
    "no labels on the router": ("RouterChanged", lambda body: router_of(body).pop("dockerLabels")),
    "another digest on the router": (
        "RouterChanged",
        lambda body: router_of(body)["dockerLabels"].update({"logroute.dev/digest": "x"}),
    ),
    "a command of the router": ("RouterChanged", lambda body: router_of(body).update(command=["sh"])),
    "more cpu of the router": ("RouterChanged", lambda body: router_of(body).update(cpu=64)),
    "no volume of the class": ("RouterChanged", lambda body: body.update(volumes=[])),
    "another log driver": (
        "LogDriverChanged",
        lambda body: app_of(body).update(logConfiguration=app_of(plain_definition())["logConfiguration"]),
    ),
    "another option of the driver": (
        "LogDriverChanged",
        lambda body: app_of(body)["logConfiguration"]["options"].update({"log-driver-buffer-limit": "1"}),
    ),
    "no waiting for the router": ("LogDriverChanged", lambda body: app_of(body).pop("dependsOn")),
    "no router": (
        "RouterMissing",
        lambda body: body.update(with_side() | {"volumes": []}),
    ),
}


def with_side() -> dict[str, Any]:
    """A task of two containers, for ECS takes no router that nothing is routed to."""
    body = plain_definition(image=NEW_IMAGE)
    body["containerDefinitions"].append({"name": "side", "image": "side", "essential": False})
    return body


deployed = pytest.mark.parametrize(("kind", "change"), DEPLOYED.values(), ids=DEPLOYED)


@deployed
def test_what_a_deploy_changed_of_ours_is_put_right_and_counted_once(
    play: Playground, kind: str, change: Change
) -> None:
    play.write("class.yaml", CLASS)
    routed(play, definition=with_side())
    before = comparable(register_form(play.running()))
    body = register_form(play.running())
    change(body)
    play.deploy(body)
    play.settle()
    assert comparable(register_form(play.running())) == before
    assert all_counted(play) == {kind: (1, 1)}
    assert play.status()["Drifted"] == ("False", "InSync")


@deployed
def test_in_warn_what_a_deploy_changed_of_ours_is_told_by_its_kind_and_left(
    play: Playground, kind: str, change: Change
) -> None:
    play.write("class.yaml", CLASS)
    routed(play, definition=with_side())
    play.write("httpd.yaml", route_yaml(extra=WARN))
    play.settle(times=1)
    body = register_form(play.running())
    change(body)
    theirs = play.deploy(body)
    play.settle()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert all_counted(play) == {kind: (1, 0)}
    assert play.status()["Drifted"] == ("True", kind)
    assert play.status()["Ready"] == ("False", "WarnOnly")
    assert drift_of(play) == [kind]


def test_several_kinds_at_once_are_each_counted(play: Playground) -> None:
    routed(play)
    body = register_form(play.running())
    router_of(body)["cpu"] = 64
    del app_of(body)["dependsOn"]
    play.deploy(body)
    play.settle()
    assert all_counted(play) == {"RouterChanged": (1, 1), "LogDriverChanged": (1, 1)}


def test_a_deploy_with_an_equal_router_costs_no_write(play: Playground) -> None:
    routed(play)
    body = register_form(play.running())
    app_of(body)["image"] = NEW_IMAGE
    theirs = play.deploy(body)
    play.settle()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert all_counted(play) == {}
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_router_that_another_installation_took_over_is_left_alone(play: Playground) -> None:
    routed(play)
    body = register_form(play.running())
    router_of(body)["dockerLabels"]["logroute.dev/owner"] = "staging"
    theirs = play.deploy(body)
    play.settle()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert play.reason() == "ForeignRouter"


def test_what_waits_is_drift_from_the_start(play: Playground) -> None:
    """While their deployment runs nothing is written; that the router is missing is known all the same."""
    routed(play)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.step()
    assert play.reason() == "WaitingForDeployment"
    assert play.status()["Drifted"] == ("True", "RouterMissing")
    assert all_counted(play) == {"RouterMissing": (1, 0)}


# Config objects

HARMS = {"ConfigMissing": None, "ConfigAltered": b"[OUTPUT]\n    Name exec\n"}


def harm(play: Playground, key: str, body: bytes | None) -> None:
    if body is None:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    else:
        play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=body)


@pytest.mark.parametrize("which", ["object", "copy"])
@pytest.mark.parametrize(("kind", "body"), HARMS.items())
@pytest.mark.parametrize("extra", ["", WARN])
def test_a_harmed_config_is_put_right_in_any_mode(
    play: Playground, which: str, kind: str, body: bytes | None, extra: str
) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(extra=extra))
    play.settle(times=1)
    before = {key: one for key, one in play.objects().items() if not key.startswith("_state/s")}
    [path] = play.configs()
    harm(play, path if which == "object" else copy_of(path), body)
    play.settle(times=2)
    assert {key: one for key, one in play.objects().items() if not key.startswith("_state/s")} == before
    assert all_counted(play) == {kind: (1, 1)}


@pytest.mark.parametrize("extra", ["", WARN])
def test_a_config_without_a_whole_copy_is_made_again_where_the_specs_still_give_it(
    play: Playground, extra: str
) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(extra=extra))
    play.settle(times=1)
    before, revisions = play.configs(), play.revisions()
    [path] = before
    harm(play, path, None)
    harm(play, copy_of(path), b"altered")
    play.settle()
    assert play.configs() == before
    assert play.objects()[copy_of(path)] == before[path]
    assert play.revisions() == revisions
    assert all_counted(play) == {"ConfigMissing": (1, 1)}
    assert play.controller.board.plain()["lostConfigs"] == []


def test_a_config_that_is_lost_for_good_is_counted_once_and_told_by_its_kind(play: Playground) -> None:
    routed(play)
    [path] = play.configs()
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]", extra=WARN))
    for key in (path, copy_of(path)):
        harm(play, key, None)
    play.settle()
    assert all_counted(play)["ConfigMissing"] == (1, 0)
    assert "ConfigMissing" in drift_of(play)
    assert play.status()["Ready"][0] == "False"


# What is ignored


def test_what_is_ignored_is_not_repaired_and_survives_the_next_write(play: Playground) -> None:
    ignoring = "  ignore: [/container/memoryReservation]\n"
    routed(play, ignoring)
    body = register_form(play.running())
    router_of(body)["memoryReservation"] = 256
    play.deploy(body)
    play.settle()
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert (all_counted(play), play.status()["Ready"]) == ({}, ("True", "InSync"))
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]", extra=ignoring))
    play.settle()
    assert play.revisions() == revisions + 1
    assert play.containers()["log_router"]["memoryReservation"] == 256
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    play.settle()
    assert play.containers()["log_router"]["memoryReservation"] == 128


def test_what_is_not_ignored_is_repaired_around_it(play: Playground) -> None:
    routed(play, "  ignore: [/container/memoryReservation]\n")
    body = register_form(play.running())
    router_of(body).update(memoryReservation=256, cpu=64)
    play.deploy(body)
    play.settle()
    router = play.containers()["log_router"]
    assert (router["memoryReservation"], router["cpu"]) == (256, 0)
    assert all_counted(play) == {"RouterChanged": (1, 1)}


def test_routes_that_meet_ignore_what_any_of_them_ignores(play: Playground) -> None:
    play.write("other.yaml", route_yaml("other", extra="  ignore: [/container/cpu]\n"))
    routed(play, "  ignore: [/container/memoryReservation]\n")
    body = register_form(play.running())
    router_of(body).update(memoryReservation=256, cpu=64)
    play.deploy(body)
    play.settle()
    router = play.containers()["log_router"]
    assert (router["memoryReservation"], router["cpu"]) == (256, 64)


def test_after_a_deploy_without_the_router_a_new_one_is_as_the_specs_say(play: Playground) -> None:
    routed(play, "  ignore: [/container/memoryReservation]\n")
    body = register_form(play.running())
    router_of(body)["memoryReservation"] = 256
    play.deploy(body)
    play.settle()
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert play.containers()["log_router"]["memoryReservation"] == 128


# Log groups


@pytest.mark.parametrize("name", [GROUP, OWN])
def test_a_deleted_log_group_is_made_again_without_a_revision(play: Playground, name: str) -> None:
    routed(play, GROUPS)
    revisions, before = play.revisions(), groups(play)
    play.logs.delete_log_group(logGroupName=name)
    play.settle()
    assert groups(play) == before == {GROUP: 30, OWN: None}
    assert all_counted(play) == {"LogGroupMissing": (1, 1)}
    assert play.revisions() == revisions
    assert play.status()["Drifted"] == ("False", "InSync")


def test_a_changed_retention_is_put_right_without_a_revision(play: Playground) -> None:
    routed(play, GROUPS)
    revisions = play.revisions()
    for days in (7, 90):
        play.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=days)
        play.settle()
        assert groups(play)[GROUP] == 30
    assert all_counted(play) == {"LogGroupRetention": (2, 2)}
    assert play.revisions() == revisions


def test_a_retention_of_somebody_else_s_group_is_told_and_harms_nothing(play: Playground) -> None:
    play.logs.create_log_group(logGroupName=GROUP)
    routed(play, GROUPS)
    play.settle()
    assert groups(play)[GROUP] is None
    assert all_counted(play) == {"LogGroupRetention": (1, 0)}
    assert play.status()["Drifted"] == ("True", "LogGroupRetention")
    assert play.status()["Ready"] == ("True", "InSync")
    assert play.reason() == "LogGroupRetention"


def test_a_group_that_two_services_share_keeps_its_events_as_long_as_either_needs(play: Playground) -> None:
    def keeping(days: int) -> str:
        return f"  logGroups: [{{name: {GROUP}, retentionDays: {days}}}]\n"

    for name, days in (("example", 30), ("second", 90)):
        play.service(name)
        play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]", extra=keeping(days)))
    play.settle()
    assert groups(play)[GROUP] == 90
    play.write("example.yaml", route_yaml("example", services="[example]", extra=keeping(7)))
    play.settle()
    assert groups(play)[GROUP] == 90
    play.write("second.yaml", route_yaml("second", services="[second]", extra=keeping(14)))
    play.settle()
    assert groups(play)[GROUP] == 14
    assert all_counted(play) == {}


@pytest.mark.parametrize("frozen", [WARN, "  suspend: true\n"])
def test_a_frozen_route_has_its_missing_log_group_told_and_not_made(play: Playground, frozen: str) -> None:
    routed(play, GROUPS)
    play.write("httpd.yaml", route_yaml(extra=GROUPS + frozen))
    play.settle()
    play.logs.delete_log_group(logGroupName=GROUP)
    play.settle()
    assert GROUP not in groups(play)
    assert all_counted(play) == {"LogGroupMissing": (1, 0)}
    assert play.status()["Drifted"] == ("True", "LogGroupMissing")
    assert play.status()["Ready"] == ("False", "LogGroupMissing")
    play.write("httpd.yaml", route_yaml(extra=GROUPS))
    play.settle()
    assert groups(play)[GROUP] == 30
    assert all_counted(play) == {"LogGroupMissing": (1, 1)}
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_log_group_of_a_service_that_is_gone_is_not_made_again(play: Playground) -> None:
    routed(play, GROUPS)
    play.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    play.logs.delete_log_group(logGroupName=GROUP)
    play.settle()
    assert GROUP not in groups(play)


def test_without_the_right_to_see_log_groups_the_rest_goes_on_and_says_so(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed(play, GROUPS)
    denied = AccessDenied("logs:DescribeLogGroups", "2 log groups", "AccessDeniedException", "no")

    def refuse(_names: object) -> Any:
        raise denied

    monkeypatch.setattr(play.app.world.home_site.account.logs, "describe", refuse)
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle(times=4)
    assert play.is_routed()
    assert play.status()["PermissionsReady"] == ("False", "AwsError")
    assert play.status()["Ready"] == ("True", "InSync")
    assert str(denied) in play.controller.board.plain()["errors"].values()
    monkeypatch.undo()
    play.settle()
    assert "PermissionsReady" not in play.status()
