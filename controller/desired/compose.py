"""What one service should have: its routes, one router, one config."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from controller.api.conditions import Reason
from controller.api.kinds import ClassSpec, LogGroupSpec
from controller.desired import router as routers
from controller.desired.matching import RouteIndex, containers_of, priority
from controller.desired.model import PARSERS, PIPELINE, ConfigObject, ConfigStore, Desired, Note
from controller.desired.render import render
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.writer import to_classic
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.body import Body, container_names
from controller.taskdef.overlay import Overlay


@dataclass(frozen=True, slots=True)
class Installation:
    owner: str
    store: ConfigStore


def desire(index: RouteIndex, subject: Subject, install: Installation) -> Desired:
    """Raises Refusal where the service cannot have what its routes ask for."""
    return compose(index.routes_for(subject), subject, install)


def compose(routes: Sequence[Route], subject: Subject, install: Installation) -> Desired:
    names = container_names(subject.app)
    selection = {route.key: containers_of(route, names) for route in routes}
    taking = sorted((route for route in routes if selection[route.key]), key=priority)
    if not routes:
        return Desired(None)
    first = (taking or routes)[0]
    router = first.router
    routers.check_fits(subject, router, first.engine, selection)
    rendered = render(taking, selection, router, health=routers.health_on(subject, router))
    configs = [ConfigObject(PIPELINE, to_classic(rendered.pipeline))]
    if rendered.parsers:
        configs.append(ConfigObject(PARSERS, to_classic(rendered.parsers)))
    overlay = _overlay(taking, selection, router, configs, subject, install)
    groups, notes = _log_groups(taking)
    made = frozenset() if router.container.log_configuration else frozenset({routers.own_log_group(subject)})
    return Desired(
        overlay,
        tuple(configs),
        groups,
        made,
        tuple(route.key for route in taking),
        {route.key: route.digest for route in taking},
        (*notes, *_router_notes(taking)),
    )


def _overlay(
    routes: Sequence[Route],
    selection: dict[str, tuple[str, ...]],
    router: ClassSpec,
    configs: Sequence[ConfigObject],
    subject: Subject,
    install: Installation,
) -> Overlay:
    body = routers.container(subject, router, _secrets(routes), configs, install.store)
    volumes = tuple(volume.model_dump(mode="json", by_alias=True, exclude_none=True) for volume in router.volumes)
    driver = {
        "logDriver": "awsfirelens",
        "options": {"log-driver-buffer-limit": str(router.driver_buffer_limit)},
    }
    routed = {name: driver for route in routes for name in selection[route.key]}
    return Overlay(
        body,
        routed,
        router.wait_for_router,
        volumes,
        install.owner,
        _digest(body, routed, router.wait_for_router, volumes),
        tuple(route.key for route in routes),
    )


def _digest(router: Body, routed: dict[str, Body], wait_for: str, volumes: Sequence[Body]) -> str:
    """Over the owned part alone: an application's deploy does not change it."""
    parts = [canonical.container(router, ""), routed, wait_for, list(volumes)]
    return hashlib.sha256(canonical.text(parts)).hexdigest()


def _secrets(routes: Sequence[Route]) -> dict[str, str]:
    """Environment name → ARN. Two routes that mean different secrets by one name cannot share a router."""
    found: dict[str, tuple[str, str]] = {}
    for route in routes:
        for name, arn in route.secrets.items():
            if found.setdefault(name, (arn, route.key))[0] != arn:
                other = found[name][1]
                raise Refusal(
                    Reason.UNSUPPORTED,
                    f"{route.key} and {other} mean different secrets by {name}; rename one",
                )
    return {name: arn for name, (arn, _) in found.items()}


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
