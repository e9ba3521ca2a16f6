"""What one service should have: its routes, one router, one config."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from controller.api.conditions import Reason
from controller.api.kinds import ClassSpec, LogGroupSpec
from controller.desired import adopting, ports, takes
from controller.desired import router as routers
from controller.desired.delivery import check_by_agent, delivery_of, inline_options
from controller.desired.matching import RouteIndex, containers_of, priority
from controller.desired.metadata import joins_lines
from controller.desired.model import PARSERS, PIPELINE, ConfigObject, ConfigStore, Desired, Note
from controller.desired.render import Rendered, render
from controller.desired.size import grown
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.safety import MAX_LINE
from controller.fluentbit.writer import to_classic
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.body import Body, container_names
from controller.taskdef.overlay import Overlay

SHORT_LINED = "1.9.10"
"""The engine that reads lines into a buffer of 4,096 bytes."""


@dataclass(frozen=True, slots=True)
class Installation:
    owner: str
    store: ConfigStore


def desire(index: RouteIndex, subject: Subject, install: Installation) -> Desired:
    """Raises Refusal where the service cannot have what its routes ask for."""
    return compose(index.routes_for(subject), subject, install)


def compose(routes: Sequence[Route], subject: Subject, install: Installation) -> Desired:
    """See `desire`. `routes` come by priority."""
    if not routes:
        return Desired(None)
    bare = adopting.without_router(subject)
    names = container_names(bare.app)
    selection = {route.key: containers_of(route, names) for route in routes}
    selecting = sorted((route for route in routes if selection[route.key]), key=priority)
    first = (selecting or routes)[0]
    router = first.router
    theirs = bare is not subject
    if theirs:
        adopting.check_may_adopt(subject, first)
    routers.check_fits(bare, router, first.engine, selection)
    listening, refused = ports.settle(selecting, bare, router, health=routers.health_on(bare, router))
    taking, clashing = _without_secret_clashes(listening)
    if not taking:
        raise Refusal(refused[0].reason, refused[0].message)
    if taking[0] is not first:  # what is left out has no say in the router either
        without = compose(taking, subject, install)
        return replace(without, notes=(*refused, *clashing, *without.notes))
    overlay, configs = _make(_Task(taking, selection, router, bare, install))
    adopting.check_keeps_all(subject, overlay)
    groups, notes = _log_groups(taking)
    own = frozenset() if router.container.log_configuration else frozenset({routers.own_log_group(subject)})
    return Desired(
        overlay,
        configs,
        groups,
        own,
        tuple(route.key for route in taking),
        {route.key: route.digest for route in taking},
        (
            *refused,
            *clashing,
            *(adopting.notes(subject, first) if theirs else ()),
            *takes.notes(subject, first, overlay.router),
            *notes,
            *_router_notes(taking),
            *_waiting_note(taking, overlay),
        ),
        first.engine,
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """What is put together: these routes on these containers, around this router."""

    routes: Sequence[Route]
    selection: Mapping[str, Sequence[str]]
    router: ClassSpec
    subject: Subject
    install: Installation


def _make(task: _Task) -> tuple[Overlay, tuple[ConfigObject, ...]]:
    router, delivery = task.router, delivery_of(task.router)
    driver = {"log-driver-buffer-limit": str(router.driver_buffer_limit)}
    if delivery == "inline":
        driver = {**inline_options(task.routes, task.subject, router), **driver}
        return _overlay(task, (), driver, metadata=router.ecs_metadata), ()
    own_metadata = router.ecs_metadata and delivery == "init-s3" and any(map(_joins_lines, task.routes))
    health = routers.health_on(task.subject, router)
    configs = _configs(render(task.routes, task.selection, router, health=health, own_metadata=own_metadata))
    if task.routes[0].engine == SHORT_LINED:
        _check_lines(configs)
    if delivery == "firelens-s3":
        check_by_agent(configs, task.subject, router)
    return _overlay(task, configs, driver, metadata=router.ecs_metadata and not own_metadata), configs


def _check_lines(configs: Sequence[ConfigObject]) -> None:
    """Patterns grow with the containers of a task. Raises Refusal."""
    if any(len(line) > MAX_LINE for config in configs for line in config.body.splitlines()):
        raise Refusal(
            Reason.UNSUPPORTED,
            f"the config has a line of over {MAX_LINE:,} bytes, at which Fluent Bit {SHORT_LINED} stops: "
            "the containers' names are too long together; use a newer image",
        )


def _joins_lines(route: Route) -> bool:
    return joins_lines(route.filters)


def _configs(rendered: Rendered) -> tuple[ConfigObject, ...]:
    pipeline = ConfigObject(PIPELINE, to_classic(rendered.pipeline))
    return (pipeline, ConfigObject(PARSERS, to_classic(rendered.parsers))) if rendered.parsers else (pipeline,)


def _overlay(task: _Task, configs: Sequence[ConfigObject], driver: dict[str, str], *, metadata: bool) -> Overlay:
    router, store = task.router, task.install.store
    body = routers.container(task.subject, router, _secrets(task.routes), configs, store, metadata=metadata)
    volumes = tuple(volume.model_dump(mode="json", by_alias=True, exclude_none=True) for volume in router.volumes)
    config = {"logDriver": "awsfirelens", "options": driver}
    takes.check(task.subject, body, volumes)
    routed = {name: config for route in task.routes for name in task.selection[route.key]}
    wait_for = router.wait_for_router if "healthCheck" in body else "START"
    return Overlay(
        body,
        routed,
        wait_for,
        volumes,
        task.install.owner,
        _digest(routers.canonical_of(router, body), routed, wait_for, volumes),
        tuple(route.key for route in task.routes),
        grown(task.subject.app, body, may_grow=router.grow_task),
    )


def _digest(router: Body, routed: dict[str, Body], wait_for: str, volumes: Sequence[Body]) -> str:
    """Over the owned part alone: an application's deploy does not change it."""
    parts = [router, routed, wait_for, list(volumes)]
    return hashlib.sha256(canonical.text(parts)).hexdigest()


def _without_secret_clashes(routes: Sequence[Route]) -> tuple[list[Route], list[Note]]:
    """One environment holds one secret by a name. A route that means another by it is left out as a whole."""
    found: dict[str, tuple[str, str]] = {}
    kept: list[Route] = []
    notes: list[Note] = []
    for route in routes:
        clash = next((name for name, arn in route.secrets.items() if found.get(name, (arn, ""))[0] != arn), None)
        if clash is None:
            found |= {name: (arn, route.key) for name, arn in route.secrets.items()}
            kept.append(route)
            continue
        message = f"{route.key} and {found[clash][1]} mean different secrets by {clash}; rename one"
        notes.append(Note(route.key, Reason.UNSUPPORTED, message, left_out=True))
    return kept, notes


def _secrets(routes: Sequence[Route]) -> dict[str, str]:
    """Environment name → ARN."""
    return {name: arn for route in routes for name, arn in route.secrets.items()}


def _log_groups(routes: Sequence[Route]) -> tuple[tuple[LogGroupSpec, ...], list[Note]]:
    """Where routes disagree on a retention the longest wins; for ever is longest."""
    groups: dict[str, tuple[LogGroupSpec, str]] = {}
    notes: list[Note] = []
    for route in routes:
        for group in route.log_groups:
            held, holder = groups.setdefault(group.name, (group, route.key))
            if _days(group) == _days(held):
                continue
            loser = route.key if _days(group) < _days(held) else holder
            notes.append(Note(loser, Reason.LOG_GROUP_RETENTION, f"log group {group.name}: the longest retention wins"))
            if _days(group) > _days(held):
                groups[group.name] = (group, route.key)
    return tuple(group for group, _ in groups.values()), notes


def _days(group: LogGroupSpec) -> float:
    return float("inf") if group.retention_days is None else group.retention_days


def _waiting_note(routes: Sequence[Route], overlay: Overlay) -> list[Note]:
    """ECS takes HEALTHY only of a container with a health check."""
    if routes[0].router.wait_for_router == overlay.wait_for:
        return []
    message = "the router has no health check here, so its containers wait for its START, not for HEALTHY"
    return [Note(routes[0].key, Reason.IN_SYNC, message)]


def _router_notes(routes: Sequence[Route]) -> list[Note]:
    """What routes disagree on about the router is settled by priority and said on the loser."""
    if not routes:
        return []
    winner = routes[0]
    return [
        Note(route.key, Reason.IN_SYNC, f"the router is as {winner.key} asks: its priority or name comes first")
        for route in routes[1:]
        if route.router != winner.router or route.engine != winner.engine
    ]


__all__ = ["Installation", "compose", "desire"]
