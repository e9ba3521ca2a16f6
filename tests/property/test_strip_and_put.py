"""`put` then `strip` gives back what was; a second `put` changes nothing; nobody else's fields move."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.desired.adopting import no_larger_than
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from controller.taskdef.mark import read
from controller.taskdef.overlay import Overlay, Ownership, comparable, find_router, put, strip

OURS = Ownership("logroute", "arn:aws:s3:::store/logroute/")
names = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True).filter(lambda name: name != "log_router")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
pairs = st.lists(
    st.fixed_dictionaries({"name": names, "value": texts}), max_size=4, unique_by=lambda pair: pair["name"]
)
log_configurations = st.one_of(
    st.just({"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/x"}, "secretOptions": []}),
    st.builds(
        lambda options: {"logDriver": "splunk", "options": options},
        st.dictionaries(names, texts, max_size=120),
    ),
)
container_fields: dict[str, st.SearchStrategy[Any]] = {"name": names, "image": texts.filter(bool)}
containers = st.fixed_dictionaries(
    container_fields,
    optional={
        "essential": st.booleans(),
        "environment": pairs,
        "logConfiguration": log_configurations,
        "dependsOn": st.just([{"containerName": "other", "condition": "START"}]),
        "dockerLabels": st.dictionaries(names, texts, max_size=3),
        "restartPolicy": st.just({"enabled": True, "restartAttemptPeriod": 60}),
        "healthCheck": st.just({"command": ["CMD", "true"], "interval": 30}),
        "someFutureField": st.dictionaries(names, texts, max_size=2),
    },
)
required: dict[str, st.SearchStrategy[Any]] = {
    "family": names,
    "containerDefinitions": st.lists(containers, min_size=1, max_size=5, unique_by=lambda one: one["name"]),
}
definitions = st.fixed_dictionaries(
    required,
    optional={
        "volumes": st.just([{"name": "data", "host": {"sourcePath": "/data"}}]),
        "pidMode": st.just("task"),
        "networkMode": st.sampled_from(["awsvpc", "bridge", "host"]),
        "tags": st.just([{"key": "team", "value": "web"}]),
        "enableFaultInjection": st.just(True),
        "anotherFutureField": st.just({"deep": [1, "", False]}),
    },
)


def overlay(body: dict[str, Any], digest: str = "d1", *, volumes: bool = True) -> Overlay:
    routed = [one["name"] for one in body["containerDefinitions"]]
    return Overlay(
        {
            "name": "log_router",
            "image": "router:1",
            "firelensConfiguration": {"type": "fluentbit"},
            "environment": [
                {"name": "aws_fluent_bit_init_s3_1", "value": "arn:aws:s3:::store/logroute/ab/pipeline.conf"}
            ],
        },
        {name: {"logDriver": "awsfirelens", "options": {"log-driver-buffer-limit": "8388608"}} for name in routed},
        "START",
        ({"name": "flb", "host": {}},) if volumes else (),
        "logroute",
        digest,
        ("web/httpd",),
    )


@given(definitions)
def test_strip_gives_back_what_put_was_given(body: dict[str, Any]) -> None:
    back = strip(put(body, overlay(body)), OURS).app
    assert canonical.canonical(back) == canonical.canonical(body)


@given(definitions)
def test_what_put_gives_is_never_larger_than_was_reckoned(body: dict[str, Any]) -> None:
    made = {key: value for key, value in put(body, overlay(body)).items() if key != "tags"}
    assert len(canonical.text(made)) <= no_larger_than(body, overlay(body))


@given(definitions)
def test_putting_twice_is_putting_once(body: dict[str, Any]) -> None:
    once = put(body, overlay(body))
    again = put(strip(once, OURS).app, overlay(body))
    assert comparable(again) == comparable(once)
    assert canonical.canonical(again) == canonical.canonical(once)


@given(definitions)
def test_a_new_overlay_replaces_the_old_one_whole(body: dict[str, Any]) -> None:
    moved = put(strip(put(body, overlay(body)), OURS).app, overlay(body, "d2", volumes=False))
    fresh = put(body, overlay(body, "d2", volumes=False))
    assert canonical.canonical(moved) == canonical.canonical(fresh)


@given(definitions)
def test_nothing_but_our_fields_moves(body: dict[str, Any]) -> None:
    after = put(body, overlay(body))
    ours = {"logConfiguration", "dependsOn"}
    for before, now in zip(body["containerDefinitions"], after["containerDefinitions"], strict=False):
        assert {k: v for k, v in now.items() if k not in ours} == {k: v for k, v in before.items() if k not in ours}
    shared = {"containerDefinitions", "volumes", "tags"}
    assert {k: v for k, v in after.items() if k not in shared} == {k: v for k, v in body.items() if k not in shared}


@given(definitions)
def test_the_originals_come_back_from_memory_when_labels_are_lost(body: dict[str, Any]) -> None:
    marked = put(body, overlay(body))
    router = find_router(marked, OURS)
    assert router is not None
    mark = read(router)
    assert mark is not None
    bare = {
        **marked,
        "containerDefinitions": [_without_labels(one) for one in marked["containerDefinitions"]],
    }
    back = strip(bare, OURS, mark.originals).app
    assert canonical.canonical(back) == canonical.canonical(body)


def _without_labels(container: dict[str, Any]) -> dict[str, Any]:
    return (
        {key: value for key, value in container.items() if key != "dockerLabels"}
        if container["name"] == "log_router"
        else container
    )


@given(definitions)
def test_pieces_of_the_originals_stay_small(body: dict[str, Any]) -> None:
    router = find_router(put(body, overlay(body)), OURS)
    assert router is not None
    assert all(len(value.encode()) <= 3000 for value in router["dockerLabels"].values())


@given(definitions)
def test_the_canonical_form_is_a_fixed_point(body: dict[str, Any]) -> None:
    once = canonical.canonical(body)
    assert canonical.canonical(once) == once


@given(definitions)
def test_register_form_is_the_same_for_described_and_registered(body: dict[str, Any]) -> None:
    described = {"taskDefinition": {k: v for k, v in body.items() if k != "tags"} | {"revision": 3, "status": "ACTIVE"}}
    described["tags"] = body.get("tags", [])
    assert register_form(described) == register_form(body)


@given(definitions, st.booleans(), st.booleans())
def test_empty_lists_come_back_as_they_were(body: dict[str, Any], depends: bool, volumes: bool) -> None:
    for container in body["containerDefinitions"]:
        if depends and "dependsOn" not in container:
            container["dependsOn"] = []
    if volumes:
        body.setdefault("volumes", [])
    back = strip(put(body, overlay(body)), OURS).app
    assert back.get("volumes") == body.get("volumes")
    assert [one.get("dependsOn") for one in back["containerDefinitions"]] == [
        one.get("dependsOn") for one in body["containerDefinitions"]
    ]
