"""What people asked for by command, as holds and as forgiveness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.planning.memory import ServiceMemory
from controller.planning.model import Hold
from controller.reconciling.keeper import Specs
from controller.reconciling.world import World
from controller.state.desk import Desk, Note, Subject, Verb, What


def frozen(specs: Specs, desk: Desk) -> Mapping[str, Hold]:
    """Routes that may not be written: by their spec, or because somebody said so."""
    by_command = desk.suspended(What.ROUTE)
    if not by_command:
        return specs.frozen
    return {key: _suspended(f"{key} was", note, key) for key, note in by_command.items()} | dict(specs.frozen)


def paused(desk: Desk, key: ServiceKey) -> Hold | None:
    note = desk.suspended(What.SERVICE).get(str(key))
    return None if note is None else _suspended("the service was", note, f"--service {key}")


def _suspended(what: str, note: Note, argument: str) -> Hold:
    return Hold(Reason.SUSPENDED, f"{what} suspended {note}; undo it by: logroute resume {argument}")


def forgiven(memory: ServiceMemory) -> ServiceMemory:
    """As if nothing had rolled back and nobody had reverted: the next pass decides anew."""
    return replace(memory, held={}, reverts=(), contested="", fingerprint="")


def grant(world: World, specs: Specs) -> bool:
    """Carry out the requests to reconcile, and clear the desk of what is gone. Whether there was one. Raises AwsError.

    A request is dropped last: killed in between, it is only granted twice.
    """
    desk = world.desk
    services, routes = desk.requests(What.SERVICE), desk.requests(What.ROUTE)
    for site in world.sites.values():
        changes = {
            key: forgiven(memory)
            for key, memory in site.memories.items()
            if key in services or routes.keys() & (memory.routes.keys() | memory.left_out.keys())
        }
        site.memories.update(changes)
    desk.drop(Verb.RECONCILE, [Subject(What.SERVICE, name) for name in services])
    desk.drop(Verb.RECONCILE, [Subject(What.ROUTE, name) for name in routes])
    gone = desk.suspended(What.ROUTE).keys() & specs.force.gone - world.routes_in_use()
    desk.drop(Verb.SUSPEND, [Subject(What.ROUTE, name) for name in gone])
    return bool(services or routes)
