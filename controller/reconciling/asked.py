"""What people asked for since the last pass, carried out on what is remembered, and then dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from controller.api.keys import Place, ServiceKey
from controller.planning.memory import ServiceMemory, forgiven
from controller.planning.model import Hold, ServicePlan
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Kind, Note, Notes
from controller.reconciling.world import Site, World

ATTEMPTS = 3
"""Workers write meanwhile: what they remember counts, and is cleared in its turn."""


def answer(world: World, site: Site, specs: Specs) -> Mapping[str, Note]:
    """Requests to reconcile that are new to this place, carried out in it; and routes that are gone are suspended no
    more. One that is carried out again after a kill does no harm; over and over it would. Raises AwsError.
    """
    notes = world.notes
    gone = notes.all(Kind.SUSPENDED).keys() & specs.force.gone
    notes.keep(Kind.SUSPENDED, dict.fromkeys(gone))
    new = {name: note for name, note in notes.all(Kind.RECONCILE).items() if str(site.place) not in note.answered}
    for _ in range(ATTEMPTS):
        if not new or not (before := dict(_to_forgive(site, new))):
            break
        site.memories.update({key: forgiven(memory) for key, memory in before.items()}, over=before)
    return new


def drop_answered(world: World, answered: Mapping[Place, Mapping[str, Note]]) -> None:
    """A request stays until every place has carried it out, for it may be about any. Raises AwsError."""
    requests = world.notes.all(Kind.RECONCILE)
    done = {
        name: {*note.answered, *(str(place) for place, some in answered.items() if some.get(name) == note)}
        for name, note in requests.items()
    }
    everywhere = {str(place) for place in world.sites}
    after = {
        name: None if places >= everywhere else replace(requests[name], answered=tuple(sorted(places)))
        for name, places in done.items()
        if places != set(requests[name].answered)
    }
    world.notes.change(Kind.RECONCILE, requests, after)


def _to_forgive(site: Site, names: Iterable[str]) -> Iterator[tuple[str, ServiceMemory]]:
    asked = set(names)
    for service, memory in site.memories.items():
        if asked & {service, *memory.routes, *memory.left_out} and memory != forgiven(memory):
            yield service, memory


def suspended(notes: Notes, specs: Specs) -> dict[str, Hold]:
    """Routes and services that a person suspended. A route that is gone is suspended no more."""
    return notes.holds(name for name in notes.all(Kind.SUSPENDED) if name not in specs.force.gone)


def freezing(
    site: Site, specs: Specs, key: ServiceKey, routes: Iterable[str], memory: ServiceMemory | None
) -> dict[str, Hold]:
    """What freezes one service: itself, a route that selects it, or one that it still carries."""
    found: dict[str, Hold] = {}
    for name in (str(key), *routes, *sorted(memory.routes if memory else ())):
        hold = specs.frozen.get(name) or (None if name in specs.force.gone else site.notes.hold(name))
        if hold:
            found[name] = hold
    return found


def asked_again(site: Site, specs: Specs, plan: ServicePlan) -> ServicePlan:
    """Right before a write: held where somebody said `suspend` since the pass. One listing. Raises AwsError."""
    if plan.hold or not plan.changes:
        return plan
    site.notes.ledger.load()
    routes = (*(plan.desired.routes if plan.desired else ()), *plan.left_out)
    holds = freezing(site, specs, plan.key, routes, site.memories.get(str(plan.key)))
    return plan.held_by(next(iter(holds.values()))) if holds else plan
