"""What ECS takes without the router it takes with it, or LogRoute says beforehand why not; and gives all of it back."""

from __future__ import annotations

from typing import Any

import botocore.session
import botocore.validate
from hypothesis import assume, event, given
from hypothesis import strategies as st

from controller.desired.compose import compose
from controller.desired.size import _pairs
from controller.desired.subject import Refusal, Subject
from controller.sandbox import registration
from controller.sandbox.ids import Ids
from controller.sandbox.registration.defaults import described
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.overlay import Ownership, comparable, put, strip
from tests.support.routes import INSTALLATION, class_document, route_document, routes

OURS = Ownership("logroute", INSTALLATION.store.arn)
REQUEST = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
NAMES = ("app", "web", "init", "proxy", "cache")
ROLE = "arn:aws:iam::123456789012:role/execution"
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/a", "awslogs-region": "ap-northeast-1"}}
OWN_LOGS = {"logConfiguration": {"logDriver": "json-file"}}
SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:dd-Ab12Cd"


def _some(*documents: dict[str, Any]) -> tuple[Route, ...]:
    return routes(*documents)


ROUTES = {
    "plain": _some(route_document()),
    "one of the containers": _some(route_document(target={"containers": ["app"]})),
    "a grown task": _some(class_document(growTask=True), route_document()),
    "secrets": _some(route_document(secrets={"DD_API_KEY": SECRET})),
    "healthy": _some(class_document(waitForRouter="HEALTHY"), route_document()),
    "volumes": _some(
        class_document(
            volumes=[{"name": "flb"}],
            container={"name": "log_router", "mountPoints": [{"sourceVolume": "flb", "containerPath": "/var/log/flb"}]},
            buffer={"type": "filesystem"},
        ),
        route_document(),
    ),
    "a volume of the host": _some(
        class_document(volumes=[{"name": "flb", "host": {"sourcePath": "/var/flb"}}]), route_document()
    ),
    "privileged": _some(class_document(container={"name": "log_router", "privileged": True}), route_document()),
    "read by the agent": _some(class_document(delivery="firelens-s3"), route_document()),
    "inline": _some(class_document(delivery="inline", health={"mode": "off"}), route_document()),
    "its own driver": _some(
        class_document(container={"name": "log_router", **OWN_LOGS}),
        route_document(),
    ),
    "more reserved than it may have": _some(
        class_document(container={"name": "log_router", "memory": 64}), route_document()
    ),
    "a limit": _some(
        class_document(container={"name": "log_router", "memory": 64, "memoryReservation": 64}), route_document()
    ),
    "mounts what some tasks have": _some(
        class_document(
            container={"name": "log_router", "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]}
        ),
        route_document(),
    ),
    "volumes of a container": _some(
        class_document(container={"name": "log_router", "volumesFrom": [{"sourceContainer": "app"}]}), route_document()
    ),
    "linked": _some(class_document(container={"name": "log_router", "links": ["app:main"]}), route_document()),
    "a variable and a secret of one name": _some(
        class_document(
            container={"name": "log_router", "environment": [{"name": "DD_API_KEY", "value": "${DD_API_KEY}"}]}
        ),
        route_document(secrets={"DD_API_KEY": SECRET}),
    ),
}
"""Kinds of routers; a definition meets one of them."""


@st.composite
def containers(draw: st.DrawFn, mode: str, volumes: list[str]) -> list[dict[str, Any]]:
    """The last one is essential: nothing waits for its end."""
    found: list[dict[str, Any]] = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        found.append(draw(_container(name, found, mode, volumes)))
    return [*found[:-1], {**found[-1], "essential": True}]


@st.composite
def _container(
    draw: st.DrawFn, name: str, earlier: list[dict[str, Any]], mode: str, volumes: list[str]
) -> dict[str, Any]:
    ports = st.lists(st.sampled_from([80, 2020, 8080, 24224]), max_size=2, unique=True)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "cpu": st.sampled_from([0, 10, 256]),
        "memory": st.sampled_from([256, 512]),
        "memoryReservation": st.sampled_from([64, 256]),
        "essential": st.booleans(),
        "logConfiguration": st.sampled_from([AWSLOGS, {"logDriver": "splunk", "options": {"splunk-token": "t"}}]),
        "healthCheck": st.just({"command": ["CMD", "true"]}),
        "secrets": st.just([{"name": "TOKEN", "valueFrom": SECRET}]),
        "stopTimeout": st.just(30),
        "restartPolicy": st.just({"enabled": True, "restartAttemptPeriod": 60}),
        "portMappings": ports.map(lambda found: [{"containerPort": one} for one in found]),
    }
    if earlier:
        sources = st.sampled_from([one["name"] for one in earlier])
        optional["dependsOn"] = st.sampled_from(earlier).flatmap(_waiting).map(lambda one: [one])
        optional["volumesFrom"] = sources.map(lambda one: [{"sourceContainer": one}])
        if mode == "bridge":
            optional["links"] = sources.map(lambda one: [f"{one}:alias"])
    if volumes:
        mounts = st.sampled_from(volumes).map(lambda one: [{"sourceVolume": one, "containerPath": "/data"}])
        optional["mountPoints"] = mounts
    return draw(st.fixed_dictionaries({"name": st.just(name), "image": st.just("httpd")}, optional=optional))


def _waiting(target: dict[str, Any]) -> st.SearchStrategy[dict[str, str]]:
    ends = ["COMPLETE", "SUCCESS"] if target.get("essential") is False else []
    healthy = ["HEALTHY"] if "healthCheck" in target else []
    return st.sampled_from(["START", *ends, *healthy]).map(
        lambda how: {"containerName": target["name"], "condition": how}
    )


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """What ECS takes, of every launch type."""
    kinds = draw(
        st.sampled_from([(), ("FARGATE",), ("EC2",), ("EXTERNAL",), ("MANAGED_INSTANCES",), ("EC2", "FARGATE")])
    )
    mode = "awsvpc" if "FARGATE" in kinds else draw(st.sampled_from(["awsvpc", "bridge", "host"]))
    volumes = draw(st.lists(st.sampled_from(["data", "flb", "tmp"]), max_size=2, unique=True))
    some = draw(containers(mode, volumes))
    body: dict[str, Any] = {"family": "example", "networkMode": mode, "containerDefinitions": some}
    if kinds:
        body["requiresCompatibilities"] = list(kinds)
    if volumes:
        body["volumes"] = [{"name": one} for one in volumes]
    if "FARGATE" in kinds or draw(st.booleans()):
        cpu, memory = draw(st.sampled_from([(*pair,) for pair in sorted(_pairs()) if _holds(some, *pair)]))
        body |= {"cpu": str(cpu), "memory": str(memory)}
    else:
        body["containerDefinitions"] = [{"memory": 512, **one} for one in some]
    needs_role = any("secrets" in one or one.get("logConfiguration") == AWSLOGS for one in some)
    if needs_role or draw(st.booleans()):
        body["executionRoleArn"] = ROLE
    if draw(st.booleans()):
        body["tags"] = [{"key": "team", "value": "web"}]
    assume(not list(registration.problems(body)))
    return body


def _holds(some: list[dict[str, Any]], cpu: int, memory: int) -> bool:
    reserved: int = sum(one.get("memoryReservation", one.get("memory", 0)) for one in some)
    used: int = sum(one.get("cpu", 0) for one in some)
    return used <= cpu and reserved <= memory


def composed(body: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """With the router in it; None where LogRoute says why not."""
    subject = Subject("main", "ap-northeast-1", "c", "x", "example", body, {})
    try:
        desired = compose(ROUTES[kind], subject, INSTALLATION)
    except Refusal as refusal:
        assert refusal.message  # noqa: PT017
        event(f"refused: {refusal.reason}")
        return None
    assert desired.overlay is not None
    return put(body, desired.overlay)


@given(definitions(), st.sampled_from(sorted(ROUTES)))
def test_what_ecs_took_it_takes_with_the_router_or_it_is_refused_with_the_reason(
    body: dict[str, Any], kind: str
) -> None:
    after = composed(body, kind)
    if after is not None:
        assert list(registration.problems(after)) == []
        assert REQUEST is not None
        assert not botocore.validate.ParamValidator().validate(after, REQUEST).has_errors()


@given(definitions(), st.sampled_from(sorted(ROUTES)), st.integers())
def test_what_ecs_makes_of_it_is_stripped_to_what_it_was_and_asks_for_nothing_more(
    body: dict[str, Any], kind: str, seed: int
) -> None:
    after = composed(body, kind)
    if after is None:
        return
    there = described(after, Ids(seed)) | {"tags": after["tags"]}
    back = strip(there, OURS)
    assert canonical.canonical(back.app) == canonical.canonical(body)
    again = composed(back.app, kind)
    assert again is not None
    assert comparable(again) == comparable(there)
    assert list(registration.problems(back.app)) == []
