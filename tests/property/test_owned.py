"""Whatever goes wrong before, only what is ours to change is ever registered."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.taskdef.overlay import put, strip
from controller.taskdef.owned import Encroachment, check
from tests.property.test_strip_and_put import OURS, definitions, overlay

ROLE = "arn:aws:iam::123456789012:role/"
BODY: dict[str, Any] = {
    "family": "web",
    "taskRoleArn": ROLE + "web",
    "executionRoleArn": ROLE + "run",
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "volumes": [{"name": "data", "host": {"sourcePath": "/data"}}, {"name": "spare"}],
    "tags": [{"key": "team", "value": "web"}],
    "containerDefinitions": [
        {
            "name": "app",
            "image": "httpd:1",
            "command": ["httpd"],
            "environment": [{"name": "A", "value": "1"}],
            "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:x"}],
            "dependsOn": [{"containerName": "side", "condition": "START"}],
            "mountPoints": [{"sourceVolume": "data", "containerPath": "/d"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}},
        },
        {"name": "side", "image": "side:1", "essential": False, "logConfiguration": {"logDriver": "json-file"}},
    ],
}


@given(definitions)
def test_what_put_and_strip_do_passes_both_ways(body: dict[str, Any]) -> None:
    assume(not any(one.get("firelensConfiguration") for one in body["containerDefinitions"]))
    routed = put(body, overlay(body))
    check(body, routed)
    check(routed, strip(routed, OURS).app)
    check(routed, put(strip(routed, OURS).app, overlay(body, "d2")))
    check(body, body)


def change(path: str, value: Any) -> Any:
    """`taskRoleArn`, `0/image`: of the definition, or of a container by its number."""

    def of(body: dict[str, Any]) -> None:
        number, _, key = path.rpartition("/")
        where = body["containerDefinitions"][int(number)] if number else body
        if value is None:
            where.pop(key, None)
        else:
            where[key] = value

    return of


CHANGES: list[tuple[str, Any, str]] = [
    ("taskRoleArn", ROLE + "admin", "taskRoleArn"),
    ("taskRoleArn", None, "taskRoleArn"),
    ("executionRoleArn", ROLE + "admin", "executionRoleArn"),
    ("networkMode", "host", "networkMode"),
    ("pidMode", "host", "pidMode"),
    ("ipcMode", "host", "ipcMode"),
    ("family", "other", "family"),
    ("cpu", "1024", "cpu"),
    ("memory", "1024", "memory"),
    ("requiresCompatibilities", ["EC2"], "requiresCompatibilities"),
    ("placementConstraints", [{"type": "memberOf"}], "placementConstraints"),
    ("someFutureField", {"a": 1}, "someFutureField"),
    ("tags", [], "its tags"),
    ("tags", [{"key": "team", "value": "other"}], "its tags"),
    ("volumes", [{"name": "data", "host": {"sourcePath": "/"}}, {"name": "spare"}], "volume data"),
    ("volumes", [{"name": "spare"}], "volume data"),
    ("volumes", [{"name": "data", "host": {"sourcePath": "/data"}}], "volume spare"),
    ("volumes", [{"name": "data", "host": {"sourcePath": "/data"}}, {"name": "spare", "host": {}}], "volume spare"),
    ("0/image", "evil:1", "image of container app"),
    ("0/command", ["sh"], "command of container app"),
    ("0/entryPoint", ["sh"], "entryPoint of container app"),
    ("0/environment", [{"name": "A", "value": "2"}], "environment of container app"),
    ("0/secrets", None, "secrets of container app"),
    ("0/privileged", True, "privileged of container app"),
    ("0/user", "0", "user of container app"),
    ("0/linuxParameters", {"capabilities": {"add": ["ALL"]}}, "linuxParameters of container app"),
    ("0/mountPoints", [], "mountPoints of container app"),
    ("0/dependsOn", [], "dependsOn of container app"),
    ("0/volumesFrom", [{"sourceContainer": "side"}], "volumesFrom of container app"),
    ("0/links", ["side"], "links of container app"),
    ("0/name", "app2", "its containers (app, side would be app2, side)"),
    ("1/essential", True, "essential of container side"),
    ("1/logConfiguration", {"logDriver": "syslog"}, "logConfiguration of container side"),
    ("1/firelensConfiguration", {"type": "fluentbit"}, "its containers"),
]


@pytest.mark.parametrize(("path", "value", "says"), CHANGES)
@pytest.mark.parametrize("routed", [False, True])
def test_a_change_of_the_application_s_own_is_refused(path: str, value: Any, says: str, *, routed: bool) -> None:
    after = copy.deepcopy(put(BODY, overlay(BODY)) if routed else BODY)
    change(path, value)(after)
    with pytest.raises(Encroachment) as refused:
        check(BODY, after)
    assert says in str(refused.value)
    assert "which is the application's: not registered" in str(refused.value)


def test_containers_come_and_go_with_nobody() -> None:
    for made in (
        [*BODY["containerDefinitions"], {"name": "miner", "image": "miner"}],
        BODY["containerDefinitions"][:1],
        BODY["containerDefinitions"][::-1],
    ):
        with pytest.raises(Encroachment, match="its containers"):
            check(BODY, {**BODY, "containerDefinitions": made})


@given(definitions, st.data())
def test_any_other_field_of_any_container_stays(body: dict[str, Any], data: st.DataObject) -> None:
    routed = copy.deepcopy(put(body, overlay(body)))
    apps = [one for one in routed["containerDefinitions"] if one.get("firelensConfiguration") is None]
    chosen = data.draw(st.sampled_from(apps))
    field = data.draw(
        st.sampled_from(sorted(chosen.keys() - {"logConfiguration", "dependsOn", "links", "volumesFrom"}))
    )
    chosen[field] = [chosen[field], "and more"]
    with pytest.raises(Encroachment):
        check(body, routed)


def test_a_size_changes_only_as_the_mark_says() -> None:
    grown = replace(overlay(BODY), size={"memory": "1024"})
    routed = put(BODY, grown)
    check(BODY, routed)
    check(routed, strip(routed, OURS).app)
    for name, value in (("memory", "4096"), ("cpu", "1024")):
        with pytest.raises(Encroachment, match=name):
            check(BODY, {**routed, name: value})
    *apps, router = routed["containerDefinitions"]
    lost = {**routed, "containerDefinitions": [*apps, {**router, "dockerLabels": {}}]}
    remembered = {"size": {"memory": ["512", "1024"]}}
    check(lost, {**BODY, "memory": "512"}, {**remembered, "volumes": [one["name"] for one in grown.volumes]})
    with pytest.raises(Encroachment, match="memory"):
        check(lost, {**BODY, "memory": "512"}, {"volumes": [one["name"] for one in grown.volumes]})
