"""What is ignored is neither drift nor reverted; whatever else differs is; and what was before comes back all the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.specs.ignoring import refusal
from controller.taskdef import canonical
from controller.taskdef.ignoring import put_but, steps_of
from controller.taskdef.overlay import Overlay, Ownership, comparable, put, strip

OURS = Ownership("logroute", "arn:aws:s3:::store/logroute/")
Body = dict[str, Any]
Change = Callable[[Body], None]
INIT = {"name": "aws_fluent_bit_init_s3_1", "value": "arn:aws:s3:::store/logroute/ab/pipeline.conf"}
HEALTH = {"command": ["CMD", "true"], "interval": 10}
APP: Body = {
    "family": "web",
    "containerDefinitions": [
        {"name": "app", "image": "web", "dependsOn": [{"containerName": "db", "condition": "START"}]},
        {
            "name": "db",
            "image": "db",
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/db"}},
        },
    ],
    "volumes": [{"name": "data"}],
}
ROUTED = {"logDriver": "awsfirelens", "options": {"log-driver-buffer-limit": "8388608"}}
OVERLAY = Overlay(
    {
        "name": "log_router",
        "image": "router:1",
        "cpu": 0,
        "memoryReservation": 128,
        "essential": True,
        "environment": [{"name": "FLB_LOG_LEVEL", "value": "info"}, INIT],
        "secrets": [{"name": "KEY", "valueFrom": "arn:key"}],
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
        "mountPoints": [{"sourceVolume": "spool", "containerPath": "/spool"}],
        "dockerLabels": {"team": "web"},
        "healthCheck": HEALTH,
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/logroute/web"}},
        "firelensConfiguration": {"type": "fluentbit"},
    },
    {"app": ROUTED, "db": ROUTED},
    "HEALTHY",
    ({"name": "spool"}, {"name": "spare", "host": {"sourcePath": "/spare"}}),
    "logroute",
    "d1",
    ("web/httpd",),
)


def container(body: Body, name: str = "log_router") -> Body:
    found: Body = next(one for one in body["containerDefinitions"] if one["name"] == name)
    return found


def field(name: str, value: Any) -> Change:
    return lambda body: container(body).update({name: value})


def without(name: str) -> Change:
    return lambda body: container(body).pop(name)


def pair(value: str | None, name: str = "FLB_LOG_LEVEL") -> Change:
    def change(body: Body) -> None:
        router = container(body)
        router["environment"] = [one for one in router["environment"] if one["name"] != name]
        router["environment"] += [{"name": name, "value": value}] if value is not None else []

    return change


def limit(soft: int | None) -> Change:
    some = [{"name": "nofile", "softLimit": soft, "hardLimit": 4096}] if soft else []
    return lambda body: container(body).update(ulimits=some)


def label(value: str | None) -> Change:
    def change(body: Body) -> None:
        labels = dict(container(body)["dockerLabels"])
        labels.pop("team")
        container(body)["dockerLabels"] = labels | ({"team": value} if value else {})

    return change


def waits(*some: Body) -> Change:
    others = [{"containerName": "db", "condition": "START"}]
    return lambda body: container(body, "app").update(dependsOn=[*others, *some])


def option(**options: str) -> Change:
    return lambda body: container(body, "app").update(logConfiguration={**ROUTED, "options": options})


def own_group(name: str) -> Change:
    return lambda body: container(body).update(
        logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": name}}
    )


def volume(*some: Body) -> Change:
    return lambda body: body.update(volumes=[{"name": "data"}, {"name": "spool"}, *some])


def unhealthy(body: Body) -> None:
    """ECS takes HEALTHY only of a container with a health check, so whoever takes it out changes both."""
    del container(body)["healthCheck"]
    for name in ("app", "db"):
        for one in container(body, name)["dependsOn"]:
            if one["containerName"] == "log_router":
                one["condition"] = "START"


CHANGES: list[tuple[str, Change]] = [
    ("/container/memoryReservation", field("memoryReservation", 256)),
    ("/container/memoryReservation", without("memoryReservation")),
    ("/container/memory", field("memory", 512)),
    ("/container/cpu", field("cpu", 64)),
    ("/container/environment/FLB_LOG_LEVEL", pair("debug")),
    ("/container/environment/FLB_LOG_LEVEL", pair(None)),
    ("/container/environment/EXTRA", pair("1", "EXTRA")),
    ("/container/secrets/KEY", field("secrets", [{"name": "KEY", "valueFrom": "arn:other"}])),
    ("/container/ulimits", limit(2048)),
    ("/container/ulimits/nofile", limit(None)),
    ("/container/ulimits/nofile/softLimit", limit(512)),
    ("/container/dockerLabels/team", label("data")),
    ("/container/dockerLabels/team", label(None)),
    ("/container/healthCheck", unhealthy),
    ("/container/healthCheck/interval", field("healthCheck", {**HEALTH, "interval": 60})),
    ("/container/logConfiguration/options/awslogs-group", own_group("/elsewhere")),
    ("/container/linuxParameters", field("linuxParameters", {"initProcessEnabled": True})),
    ("/containers/app/dependsOn", waits()),
    ("/containers/app/dependsOn", waits({"containerName": "log_router", "condition": "START"})),
    ("/containers/app/logConfiguration/options/log-driver-buffer-limit", option(**{"log-driver-buffer-limit": "1"})),
    ("/containers/app/logConfiguration/options/log-driver-buffer-limit", option()),
    ("/containers/app/logConfiguration/options", option(other="x")),
    ("/volumes/spare", volume()),
    ("/volumes/spare", volume({"name": "spare", "host": {"sourcePath": "/other"}})),
    ("/volumes/spare/host", volume({"name": "spare"})),
]
changes = st.sampled_from(CHANGES)


def written(live: Body, *pointers: str, overlay: Overlay = OVERLAY) -> Body:
    """What LogRoute wants there to be, as it sees `live`."""
    stripped = strip(live, OURS)
    return put_but(stripped.app, overlay, pointers, live, stripped.router)


def drifted(*some: Change) -> Body:
    live = copy.deepcopy(put(APP, OVERLAY))
    for change in some:
        change(live)
    return live


@pytest.mark.parametrize(("pointer", "change"), CHANGES)
def test_what_is_ignored_is_no_drift_and_else_it_is(pointer: str, change: Change) -> None:
    live = drifted(change)
    assert refusal(steps_of(pointer)) is None
    assert comparable(live) != comparable(drifted()), "the change is one"
    assert comparable(written(live, pointer)) == comparable(live)
    assert comparable(written(live)) == comparable(drifted())


@given(changes, changes)
def test_drift_elsewhere_is_repaired_and_the_ignored_stays(one: tuple[str, Change], other: tuple[str, Change]) -> None:
    if _meet(one[0], other[0]):
        return
    live = drifted(one[1], other[1])
    assert comparable(written(live, one[0])) == comparable(drifted(one[1])) != comparable(live)
    assert comparable(written(live, one[0], other[0])) == comparable(live)


def _meet(one: str, other: str) -> bool:
    """Whether one change undoes the other: they touch the same thing, or HEALTHY and the health check."""
    first, second = (set(text.split("/")[1:3]) - {"container", "containers"} for text in (one, other))
    healthy = {"healthCheck", "app"}
    return bool(first & second) or (bool(first & healthy) and bool(second & healthy))


@given(st.lists(changes, max_size=4), st.lists(changes.map(lambda one: one[0]), max_size=4))
def test_what_was_before_comes_back_whatever_is_ignored(some: list[tuple[str, Change]], pointers: list[str]) -> None:
    try:
        live = drifted(*(change for _, change in some))
    except KeyError:
        return  # what one change took out the next one cannot change
    again = written(live, *pointers)
    assert canonical.canonical(strip(again, OURS).app) == canonical.canonical(APP)


@given(st.lists(changes.map(lambda one: one[0]), max_size=4))
def test_a_new_router_is_as_the_specs_say(pointers: list[str]) -> None:
    assert put_but(APP, OVERLAY, pointers, APP, None) == put(APP, OVERLAY)


@given(st.lists(changes.map(lambda one: one[0])))
def test_without_drift_nothing_that_is_ignored_changes_anything(pointers: list[str]) -> None:
    assert comparable(written(drifted(), *pointers)) == comparable(drifted())


def test_a_volume_that_the_router_mounts_is_never_left_out() -> None:
    live = drifted()
    live["volumes"] = [{"name": "data"}, {"name": "spare", "host": {"sourcePath": "/spare"}}]
    container(live)["mountPoints"] = []
    after = written(live, "/volumes/spool")
    assert [one["name"] for one in after["volumes"]] == ["data", "spool", "spare"]


def test_options_of_another_driver_are_not_taken_over() -> None:
    live = drifted()
    container(live)["logConfiguration"] = {"logDriver": "json-file", "options": {"max-size": "10m"}}
    container(live, "app")["logConfiguration"] = {"logDriver": "awslogs", "options": {"awslogs-group": "/x"}}
    pointers = ("/container/logConfiguration/options", "/containers/app/logConfiguration/options")
    assert comparable(written(live, *pointers)) == comparable(drifted())


def test_half_a_health_check_is_not_taken_over() -> None:
    live = drifted(unhealthy)
    assert comparable(written(live, "/container/healthCheck/command")) == comparable(drifted())
