"""A router that somebody else put there goes out for ours and comes back whole, with all that hung on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.taskdef import canonical, foreign
from controller.taskdef.mark import Originals, read
from controller.taskdef.overlay import (
    ForeignRouter,
    Overlay,
    Ownership,
    comparable,
    find_router,
    interchangeable,
    put,
    put_away,
    strip,
)

OURS = Ownership("logroute", "arn:aws:s3:::store/logroute/")
CONDITIONS = ("START", "HEALTHY", "COMPLETE", "SUCCESS")
names = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True).filter(lambda name: name != "log_router")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
pairs = st.lists(st.fixed_dictionaries({"name": names, "value": texts}), max_size=60, unique_by=lambda one: one["name"])


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """A definition with a router of its own, and containers that wait for it, link to it and log through it."""
    router = draw(st.one_of(st.just("log_router"), names))
    body: dict[str, Any] = {"family": "example", "networkMode": draw(st.sampled_from(["awsvpc", "bridge", "host"]))}
    others = draw(st.lists(names.filter(lambda name: name != router), min_size=1, max_size=4, unique=True))
    containers = [_container(draw, name, router) for name in others]
    containers.insert(draw(st.integers(0, len(containers))), _router(draw, router))
    body["containerDefinitions"] = containers
    if draw(st.booleans()):
        body["volumes"] = [{"name": "spool", "host": {}}, {"name": "data"}, *([{"name": "flb"}] * draw(st.booleans()))]
    elif draw(st.booleans()):
        body["volumes"] = []
    return body


def _router(draw: st.DrawFn, name: str) -> dict[str, Any]:
    mounts = [{"sourceVolume": one, "containerPath": f"/{one}"} for one in draw(st.sets(st.sampled_from(VOLUMES)))]
    return {
        "name": name,
        "image": "theirs:1",
        "essential": draw(st.booleans()),
        "user": "0",
        "environment": draw(pairs),
        "firelensConfiguration": {"type": draw(st.sampled_from(["fluentbit", "fluentd"]))},
        "mountPoints": mounts,
        "portMappings": [{"containerPort": 24224, "hostPort": 24224, "protocol": "tcp"}] * draw(st.booleans()),
    }


VOLUMES = ("spool", "flb", "data")


def _container(draw: st.DrawFn, name: str, router: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": name, "image": "app:1"}
    waits = [{"containerName": router, "condition": one} for one in draw(st.lists(st.sampled_from(CONDITIONS)))]
    choices: dict[str, Any] = {
        "dependsOn": [{"containerName": "other", "condition": "START"}, *waits, {"containerName": "nobody"}],
        "links": ["db:database", draw(st.sampled_from([router, f"{router}:logs", f"{router}:log_router"]))],
        "volumesFrom": [{"sourceContainer": router, "readOnly": draw(st.booleans())}, {"sourceContainer": "other"}],
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
        "logConfiguration": {"logDriver": "awsfirelens", "options": draw(st.dictionaries(names, texts, max_size=4))},
    }
    chosen = draw(st.sets(st.sampled_from(sorted(choices))))
    fields |= {key: choices[key] for key in chosen}
    return fields | ({"dependsOn": []} if "dependsOn" not in chosen and draw(st.booleans()) else {})


def overlay(body: dict[str, Any], **changes: Any) -> Overlay:
    routed = [one["name"] for one in foreign.without(body)["containerDefinitions"]]
    config = {"logDriver": "awsfirelens", "options": {"log-driver-buffer-limit": "8388608"}}
    router = {"name": "log_router", "image": "router:1", "firelensConfiguration": {"type": "fluentbit"}}
    made = Overlay(
        router, dict.fromkeys(routed, config), "START", ({"name": "flb", "host": {}},), "logroute", "d1", ("web/httpd",)
    )
    return replace(made, **changes)


def free(body: dict[str, Any]) -> bool:
    """Whether the volume of ours may be added: what checks before `put` see to."""
    return "flb" not in {volume["name"] for volume in foreign.without(body).get("volumes") or ()}


adoptable = definitions().filter(free)


@given(adoptable)
def test_strip_gives_back_the_router_and_all_that_hung_on_it(body: dict[str, Any]) -> None:
    back = strip(put(body, overlay(body)), OURS)
    assert back.adopted
    assert canonical.canonical(back.app) == canonical.canonical(body)


@given(adoptable)
def test_there_is_one_router_and_nothing_names_the_other(body: dict[str, Any]) -> None:
    theirs = foreign.find(body)
    assert theirs is not None
    after = put(body, overlay(body))
    assert [one["name"] for one in foreign.routers(after)] == ["log_router"]
    assert len(after["containerDefinitions"]) == len(body["containerDefinitions"])
    if theirs.name == "log_router":
        return
    for one in after["containerDefinitions"]:
        waits = [wait["containerName"] for wait in one.get("dependsOn") or ()]
        links = [link.partition(":")[0] for link in one.get("links") or ()]
        sources = [source["sourceContainer"] for source in one.get("volumesFrom") or ()]
        assert theirs.name not in (*waits, *links, *sources)
        assert waits.count("log_router") == (1 if "firelensConfiguration" not in one else 0)


@given(adoptable)
def test_putting_twice_is_putting_once(body: dict[str, Any]) -> None:
    once = put(body, overlay(body))
    again = put(strip(once, OURS).app, overlay(body))
    assert comparable(again) == comparable(once)
    assert interchangeable(again, once)
    assert put_away(again) == put_away(once)


@given(adoptable)
def test_the_order_of_containers_and_volumes_is_kept(body: dict[str, Any]) -> None:
    back = strip(put(body, overlay(body)), OURS).app
    assert [one["name"] for one in back["containerDefinitions"]] == [
        one["name"] for one in body["containerDefinitions"]
    ]
    assert back.get("volumes") == body.get("volumes")


@given(adoptable)
def test_labels_lost_the_router_comes_back_from_memory(body: dict[str, Any]) -> None:
    named = {"environment": [{"name": "aws_fluent_bit_init_s3_1", "value": "arn:aws:s3:::store/logroute/a/b.conf"}]}
    marked = put(body, overlay(body, router={**overlay(body).router, **named}))
    kept = put_away(marked)
    assert kept is not None
    remembered = Originals.from_plain(kept.as_plain())
    bare = {**marked, "containerDefinitions": [_unlabelled(one) for one in marked["containerDefinitions"]]}
    assert canonical.canonical(strip(bare, OURS, remembered).app) == canonical.canonical(body)


def _unlabelled(container: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in container.items() if key != "dockerLabels"}


@given(adoptable)
def test_pieces_of_the_mark_stay_small(body: dict[str, Any]) -> None:
    router = find_router(put(body, overlay(body)), OURS)
    assert router is not None
    assert all(len(value.encode()) <= 3000 for value in router["dockerLabels"].values())


@given(
    adoptable, st.sampled_from(["container", "volumes", "dependsOn"]), st.sampled_from([None, 5, "x", [5], {"a": 1}])
)
def test_a_damaged_part_of_the_mark_is_none_at_all(body: dict[str, Any], member: str, value: Any) -> None:
    kept = put_away(put(body, overlay(body)))
    assert kept is not None
    plain = kept.as_plain()
    with pytest.raises(ValueError, match="original router"):
        Originals.from_plain({**plain, "router": {**plain["router"], member: value}})


def test_a_mark_of_an_earlier_version_is_read() -> None:
    plain = {"logConfiguration": {"app": "absent"}, "volumes": ["flb"]}
    found = Originals.from_plain(plain)
    assert (found.router, found.empty) == (None, ())
    assert found.as_plain() == plain


def task(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"family": "example", "containerDefinitions": list(containers), **more}


ROUTER = {"name": "theirs", "image": "x", "firelensConfiguration": {"type": "fluentbit"}}


def waiting(condition: str, **router: Any) -> str:
    """The condition by which `app`, which waited so for their router, waits for ours."""
    app = {"name": "app", "dependsOn": [{"containerName": "theirs", "condition": condition}]}
    body = task(ROUTER, app)
    after = put(body, overlay(body, router={**overlay(body).router, **router}))
    [wait] = after["containerDefinitions"][1]["dependsOn"]
    return str(wait["condition"])


def test_who_waited_for_health_waits_for_ours_where_it_has_a_check() -> None:
    assert waiting("HEALTHY", healthCheck={"command": ["CMD", "true"]}) == "HEALTHY"
    assert waiting("HEALTHY") == "START"
    assert waiting("COMPLETE", healthCheck={"command": ["CMD", "true"]}) == "START"


def test_an_application_that_took_the_name_meanwhile_keeps_it() -> None:
    body = task(ROUTER, {"name": "app"})
    after = put(body, overlay(body))
    after["containerDefinitions"].append({"name": "theirs", "image": "mine"})
    back = strip(after, OURS).app
    assert [(one["name"], one.get("image")) for one in back["containerDefinitions"]] == [
        ("app", None),
        ("theirs", "mine"),
    ]


def test_a_volume_that_looked_unused_comes_back_with_its_router() -> None:
    router = {**ROUTER, "mountPoints": [{"sourceVolume": "spool", "containerPath": "/spool"}]}
    body = task(router, {"name": "app"}, volumes=[{"name": "spool", "host": {}}])
    after = put(body, overlay(body, volumes=()))
    after["volumes"] = []
    assert strip(after, OURS).app["volumes"] == [{"name": "spool", "host": {}}]


def test_two_routers_are_told_by_name() -> None:
    with pytest.raises(ForeignRouter, match="'theirs' and 'second' are both FireLens routers"):
        strip(task(ROUTER, {**ROUTER, "name": "second"}), OURS)


def test_a_router_of_another_installation_is_told_by_owner() -> None:
    body = task({"name": "app", "image": "x"})
    other = put(body, overlay(body, owner="other"))
    with pytest.raises(ForeignRouter, match="installation 'other', which is never taken over"):
        strip(other, OURS)
    [router] = foreign.routers(other)
    assert read(router) is not None
