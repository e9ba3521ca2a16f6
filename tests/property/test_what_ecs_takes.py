"""Whatever registration takes, it takes with the router in it, or the router is refused; and it comes back."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from controller.desired.compose import compose
from controller.desired.size import FARGATE
from controller.desired.subject import Refusal, Subject
from controller.sandbox.registration import problems
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.overlay import Ownership, put, strip
from tests.support.routes import INSTALLATION, class_document, route_document, routes

ROLE = "arn:aws:iam::111122223333:role/pulls"
SECRET = "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:key-abcdef"
OURS = Ownership("logroute", "arn:aws:s3:::configs/logroute/")
NAMES = ("app", "web", "batch", "proxy")
CLASSES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "leaves others be": {"adopt": False},
    "grows": {"growTask": True, "container": {"cpu": 64, "memory": 256}},
    "waits": {"waitForRouter": "HEALTHY"},
    "inline": {"delivery": "inline"},
    "firelens-s3": {"delivery": "firelens-s3"},
    "on disk": {"buffer": {"type": "filesystem"}, "volumes": [{"name": "flb"}]},
    "unwatched": {"health": {"mode": "off"}, "container": {"essential": False}},
}
WITH_A_SECRET: dict[str, Any] = {
    "pipeline": {"outputs": [{"name": "http", "host": "example.com", "header": "key ${KEY}"}]},
    "secrets": {"KEY": SECRET},
}


def _routes() -> dict[str, tuple[Route, ...]]:
    plain = {
        name: routes(route_document(), class_document(**{"adopt": True, **spec})) for name, spec in CLASSES.items()
    }
    some = routes(route_document(target={"containers": ["app", "batch"]}), class_document(adopt=True))
    return {
        **plain,
        "some of the containers": some,
        "secrets": routes(route_document(**WITH_A_SECRET), class_document(adopt=True)),
    }


ROUTES = _routes()
DRIVERS = st.sampled_from(
    [
        None,
        {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/x", "awslogs-region": "ap-northeast-1"}},
        {"logDriver": "splunk", "options": {"splunk-url": "https://example.com"}},
        {"logDriver": "json-file"},
    ]
)
CHECK = {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3}


@st.composite
def containers(draw: st.DrawFn, name: str, before: tuple[str, ...], network: str) -> dict[str, Any]:
    """One that waits for, links to and mounts from none but those before it: so there is no circle."""
    body: dict[str, Any] = {"name": name, "image": "httpd"}
    body |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "cpu": st.integers(0, 512),
                "memory": st.integers(128, 1024),
                "memoryReservation": st.integers(6, 128),
                "essential": st.booleans(),
                "healthCheck": st.just(CHECK),
                "portMappings": st.sampled_from([[{"containerPort": 80}], [{"containerPort": 2020}]]),
                "mountPoints": st.just([{"sourceVolume": "data", "containerPath": "/data"}]),
                "environment": st.just([{"name": "A", "value": "b"}]),
            },
        )
    )
    if driver := draw(DRIVERS):
        body["logConfiguration"] = driver
    waits, links, shares = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    if before and waits:
        condition = draw(st.sampled_from(["START", "HEALTHY", "COMPLETE", "SUCCESS"]))
        body["dependsOn"] = [{"containerName": draw(st.sampled_from(before)), "condition": condition}]
    if before and links and network == "bridge":
        body["links"] = [draw(st.sampled_from(before))]
    if before and shares:
        body["volumesFrom"] = [{"sourceContainer": draw(st.sampled_from(before))}]
    return body


@st.composite
def capacities(draw: st.DrawFn) -> dict[str, Any]:
    """Where the task may run, with what that place asks for."""
    kind = draw(st.sampled_from(["FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES", ""]))
    modes = {"FARGATE": ["awsvpc"], "EXTERNAL": ["bridge", "host", "none"]}.get(kind, ["awsvpc", "bridge", "host"])
    body: dict[str, Any] = {"requiresCompatibilities": [kind]} if kind else {}
    body |= {"networkMode": draw(st.sampled_from(modes))}
    if kind == "FARGATE":
        cpu = draw(st.sampled_from(sorted(FARGATE)))
        body |= {"cpu": str(cpu), "memory": str(draw(st.sampled_from(FARGATE[cpu])))}
    elif draw(st.booleans()):
        body |= {"cpu": str(draw(st.integers(512, 8192))), "memory": str(draw(st.integers(1024, 8192)))}
    return body


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """Made so that most are taken; what is not is left out."""
    body = {"family": "example", **draw(capacities())}
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    body["containerDefinitions"] = [
        draw(containers(name, names[:at], body["networkMode"])) for at, name in enumerate(names)
    ]
    body["volumes"] = [{"name": "data"}]
    if draw(st.booleans()):
        body["executionRoleArn"] = ROLE
    if draw(st.integers(0, 3)) == 0:
        _route_through_theirs(body)
    assume(not list(problems(body)))
    return body


def _route_through_theirs(body: dict[str, Any]) -> None:
    """A FireLens router of the application's own."""
    theirs = {"name": "theirs", "image": "fluent-bit", "memory": 64, "firelensConfiguration": {"type": "fluentbit"}}
    body["containerDefinitions"][0]["logConfiguration"] = {"logDriver": "awsfirelens", "options": {"Name": "null"}}
    body["containerDefinitions"].append(theirs)


@settings(max_examples=400, deadline=None)
@given(definitions(), st.sampled_from(sorted(ROUTES)))
def test_what_registration_takes_it_takes_with_the_router_and_gives_back(body: dict[str, Any], kind: str) -> None:
    before = copy.deepcopy(body)
    subject = Subject("main", "ap-northeast-1", "c", "x", "example", body, {})
    try:
        overlay = compose(ROUTES[kind], subject, INSTALLATION).overlay
    except Refusal as refusal:
        event(f"refused: {refusal.message[:60]}")
        return
    assert overlay is not None
    after = put(body, overlay)
    event("put")
    assert list(problems(after)) == []
    assert body == before
    assert canonical.canonical(strip(after, OURS).app) == canonical.canonical(before)
