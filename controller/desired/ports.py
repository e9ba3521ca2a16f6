"""Who listens on which port of a task. A route that claims one already taken is left out of that task as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from controller.api.conditions import Reason
from controller.api.kinds import ClassSpec
from controller.desired.model import Note
from controller.desired.subject import Subject
from controller.fluentbit.ports import HTTP_SERVER, Port, input_port, output_port
from controller.fluentbit.types import is_true
from controller.fluentbit.words import lowered
from controller.specs.model import Route
from controller.taskdef.body import Body

AGENTS_OWN = {Port(24224): "the FireLens forward input", Port(8877): "the FireLens health check input"}


def settle(
    routes: Sequence[Route], subject: Subject, router: ClassSpec, *, health: bool
) -> tuple[list[Route], list[Note]]:
    """The routes that can stay, and why the others cannot. `routes` come by priority."""
    claims = [list(listening(route)) for route in routes]
    if not any(claims):
        return list(routes), []
    taken = {**taken_in(subject), **_router_s(router, health=health)}
    kept: list[Route] = []
    notes: list[Note] = []
    for route, claimed in zip(routes, claims, strict=True):
        clash = next((port for port in claimed if port in taken), None)
        if clash is None:
            taken |= dict.fromkeys(claimed, f"route {route.key}")
            kept.append(route)
            continue
        message = f"port {clash} is {taken[clash]}'s on {subject.name}; give the input of {route.key} another port"
        notes.append(Note(route.key, Reason.PORT_TAKEN, message, left_out=True))
    return kept, notes


def taken_in(subject: Subject) -> dict[Port, str]:
    """Ports → whose, that the router finds taken. In bridge mode each container has ports of its own."""
    taken: dict[Port, str] = {} if subject.network_mode == "host" else dict(AGENTS_OWN)
    if subject.network_mode != "bridge":
        taken |= dict(_mapped(subject.app["containerDefinitions"]))
    return taken


def listening(route: Route) -> Iterator[Port]:
    found = (
        *map(input_port, route.inputs),
        *map(output_port, route.outputs),
    )
    return (port for port in found if port)


def _mapped(containers: Iterable[Body]) -> Iterator[tuple[Port, str]]:
    for container in containers:
        for mapping in container.get("portMappings") or ():
            if number := mapping.get("containerPort"):
                yield Port(int(number), mapping.get("protocol") or "tcp"), f"container {container.get('name')}"


def _router_s(router: ClassSpec, *, health: bool) -> dict[Port, str]:
    """Of the router's own HTTP server."""
    service = lowered(router.service)
    if health:
        return {Port(router.health.port): "the router's health check"}
    if is_true(service.get("http_server", "off")):
        said = str(service.get("http_port", HTTP_SERVER.number))
        return {Port(int(said)): "the router's HTTP server"} if said.isdigit() else {}
    return {}
