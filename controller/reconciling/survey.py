"""One pass over everything: what is there, what should be, and so a plan for each service."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.applying.configs import Found, LostForGood
from controller.applying.group_watch import GroupNews
from controller.aws.ports import AwsError, ObjectInfo
from controller.observed import inventory
from controller.observed.model import ObservedService
from controller.planning.guards import Permit
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.asked import answer, suspended
from controller.reconciling.checked import checked
from controller.reconciling.group_check import check_groups
from controller.reconciling.keeper import Specs
from controller.reconciling.look import look
from controller.reconciling.notes import FOLDER, Note
from controller.reconciling.remake import still_lost
from controller.reconciling.standing import lost_from, standing_groups
from controller.reconciling.world import STATE, STATUS, Site, World
from controller.specs.model import Route
from controller.state.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Survey:
    """`plans`: every service that a route selects or that is remembered. `errors`: what could not be read."""

    plans: Mapping[ServiceKey, ServicePlan]
    selected: Mapping[str, tuple[ServiceKey, ...]]
    """Route key → the services that it selects."""
    seen: Mapping[Place, inventory.Inventory]
    lost: Mapping[str, Because] = field(default_factory=dict)
    """Route key → why nothing could be found for it."""
    wrong_configs: Mapping[Place, Mapping[str, Found]] = field(default_factory=dict)
    errors: Mapping[Place, AwsError] = field(default_factory=dict)
    lost_configs: Mapping[Place, tuple[LostForGood, ...]] = field(default_factory=dict)
    """Config objects that live revisions name and that could not be put back."""
    groups: Mapping[Place, GroupNews] = field(default_factory=dict)
    standing: Mapping[ServiceKey, tuple[Because, ...]] = field(default_factory=dict)
    """What is wrong with what services need outside their definitions: log groups, lost config objects."""
    failures: Mapping[ServiceKey, Exception] = field(default_factory=dict)
    """Services on which LogRoute itself failed: each is left as it is, and harms no other."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Parts of the state that cannot be read, and why: what they tell of, LogRoute leaves as it is, unseen."""

    suspended: Mapping[str, Hold] = field(default_factory=dict)
    """Routes and services that a person suspended by command."""
    asked: Mapping[str, Note] = field(default_factory=dict)
    """Routes and services that a person asked to reconcile, and that was begun with."""
    status_etag: str | None = None
    """Of the status in the config store, as the pass found it."""

    @property
    def saw_something(self) -> bool:
        """At least one place could be read: a pass that saw nothing has not been made."""
        return any("" not in read.errors for place, read in self.seen.items() if place not in self.errors)

    def under(self, permit: Permit) -> Survey:
        """With the guards' word on each plan."""
        return replace(self, plans={key: permit.apply(plan) for key, plan in self.plans.items()})

    @property
    def pending(self) -> list[ServicePlan]:
        """Plans with something to do, held or not, in a stable order."""
        return [plan for _, plan in sorted(self.plans.items()) if plan.kind is not Kind.NOTHING or plan.hold]

    @property
    def changes(self) -> list[ServicePlan]:
        return [plan for plan in self.pending if plan.changes]


def survey(world: World, specs: Specs, *, repair: bool) -> Survey:
    """Look at every place, several at once; a place that fails harms itself only.

    With `repair`, config objects that are missing or altered are put back first: without them no new task
    starts, so nothing holds that write. Without it, nobody comes after to ask the engines, so they are asked here.
    """
    closed = world.load()
    wanted = world.wanted_clusters(specs.force.routes)
    places = sorted(world.sites)
    home = world.home_site.place
    asked: Mapping[str, Note] = {}
    first = _Part(inventory.Inventory(home, {}, frozenset()))
    if home not in closed:
        asked = _look_at_home(world, specs, first, closed, repair=repair)
    with ThreadPoolExecutor(max_workers=max(1, min(8, len(places)))) as pool:
        parts = list(
            pool.map(
                lambda place: (
                    _closed(place, closed[place])
                    if place in closed
                    else _survey_place(
                        world.sites[place], wanted[place], specs, first if place == home else None, repair=repair
                    )
                ),
                places,
            )
        )
    plans: dict[ServiceKey, ServicePlan] = {}
    picked: dict[str, list[ServiceKey]] = {route.key: [] for route in specs.force.routes}
    for part in parts:
        plans |= part.plans
        for route, keys in part.selected.items():
            picked[route] += keys
    return Survey(
        plans,
        {route: tuple(keys) for route, keys in picked.items()},
        {place: part.inventory for place, part in zip(places, parts, strict=True)},
        dict(_lost(world, specs, dict(zip(places, parts, strict=True)))),
        {place: part.wrong for place, part in zip(places, parts, strict=True) if part.wrong},
        {place: part.error for place, part in zip(places, parts, strict=True) if part.error},
        {place: tuple(part.lost_configs) for place, part in zip(places, parts, strict=True) if part.lost_configs},
        {place: part.groups for place, part in zip(places, parts, strict=True) if part.groups},
        {key: tuple(some) for part in parts for key, some in part.standing.items()},
        {key: error for part in parts for key, error in part.failures.items()},
        _unreadable(world),
        suspended(world.notes, specs),
        asked,
        first.status_etag,
    )


@dataclass(slots=True)
class _Part:
    inventory: inventory.Inventory
    plans: dict[ServiceKey, ServicePlan] = field(default_factory=dict)
    selected: dict[str, list[ServiceKey]] = field(default_factory=dict)
    wrong: dict[str, Found] = field(default_factory=dict)
    lost_configs: list[LostForGood] = field(default_factory=list)
    failures: dict[ServiceKey, Exception] = field(default_factory=dict)
    error: AwsError | None = None
    groups: GroupNews | None = None
    standing: dict[ServiceKey, list[Because]] = field(default_factory=dict)
    status_etag: str | None = None


def _closed(place: Place, error: AwsError) -> _Part:
    """A place of which nothing is remembered yet: nothing is looked at, so nothing is done."""
    return _Part(inventory.Inventory(place, {}, frozenset(), errors={"": error}), error=error)


def _unreadable(world: World) -> dict[str, str]:
    """A service that no route selects is in no plan, so nothing else would say that its memory is lost."""
    found = {f"state of routes/{shard}": why for shard, why in world.routes.unreadable().items()}
    found |= {f"state of {FOLDER}/{shard}": why for shard, why in world.notes.ledger.unreadable().items()}
    for place, site in sorted(world.sites.items()):
        found |= {f"state of {place}/{shard}": why for shard, why in site.memories.unreadable().items()}
    return found


def _lost(world: World, specs: Specs, parts: Mapping[Place, _Part]) -> Iterator[tuple[str, Because]]:
    for route in specs.force.routes:
        target, place = route.document.spec.target, world.place_of(route)
        if place is None:
            where = f"account {target.account or world.home.account}, region {target.region or world.home.region}"
            yield route.key, Because(Reason.UNKNOWN_PLACE, f"the settings know no {where}")
            continue
        read = parts[place].inventory
        cluster = target.cluster or ""
        if error := read.errors.get(cluster) or read.errors.get(""):
            yield route.key, Because(Reason.UNREACHABLE, str(error))
        elif cluster in read.missing_clusters:
            yield route.key, Because(Reason.CLUSTER_MISSING, f"there is no cluster {cluster} in {place}")


def _look_at_home(
    world: World, specs: Specs, part: _Part, closed: Container[Place], *, repair: bool
) -> Mapping[str, Note]:
    """The controller's own store before all places: it tells what people asked for since the last pass."""
    try:
        _look_at_configs(world.home_site, part, world.routes, world.notes.ledger, repair=repair)
        return answer(world, specs, closed) if repair else {}
    except AwsError as error:
        part.error = error
        return {}


def _survey_place(site: Site, clusters: Iterable[str], specs: Specs, begun: _Part | None, *, repair: bool) -> _Part:
    """`begun`: its configs have been looked at."""
    allowed = [cluster for cluster in clusters if site.may_look_at(cluster)]
    part = begun or _Part(inventory.Inventory(site.place, {}, frozenset()))
    if not allowed:
        return part
    try:
        if begun is None:
            _look_at_configs(site, part, repair=repair)
    except AwsError as error:
        part.error = error
    part.inventory = inventory.take(site.place, site.account, allowed)
    if repair and part.lost_configs:
        part.lost_configs = still_lost(site, specs, part.inventory, part.lost_configs)
    part.groups = check_groups(site, specs, part.inventory, repair=repair)
    for one, because in (*lost_from(site, part.wrong, part.lost_configs), *standing_groups(part.groups)):
        part.standing.setdefault(one, []).append(because)
    for key, service in part.inventory.services.items():
        routes = specs.index.routes_for_service(key, service.tags, service.family)
        for route in routes:
            part.selected.setdefault(route.key, []).append(key)
        if routes or site.memories.get(str(key)) is not None:
            part.plans[key] = _planned(site, specs, service, routes, part, start=not repair)
    return part


def _look_at_configs(site: Site, part: _Part, *others: Ledger[Any], repair: bool) -> None:
    """What is wrong in the config store, and put back. The first thing in a pass: no new task starts without it,
    and the listing of a big store is gone before the services come. Raises AwsError.
    """
    listing = inventory.objects(site.account, site.install.store.bucket, site.install.store.prefix)
    etags = {info.key: info.etag for info in listing.values()}
    part.status_etag = etags.get(site.install.store.key(STATE, STATUS))
    site.memories.refresh(etags)
    part.wrong = wrong_configs(site, listing)
    for path in part.wrong if repair else ():
        try:
            site.shelf.put_back(path)
        except LostForGood as lost:
            part.lost_configs.append(lost)
    for ledger in others:
        ledger.refresh(etags)


def _planned(
    site: Site, specs: Specs, service: ObservedService, routes: Iterable[Route], part: _Part, *, start: bool
) -> ServicePlan:
    """The plan of one service; an error on the way is its own hold, and nobody else's."""
    try:
        return checked(look(site, specs, service, tuple(routes)), site.checker, start=start)
    except AwsError as error:
        return _left(service.key, Hold(Reason.AWS_ERROR, str(error)))
    except Exception as error:  # noqa: BLE001 - a bug that one service shows must not stop the others
        part.failures[service.key] = error
        return _left(service.key, Hold(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"))


def _left(key: ServiceKey, hold: Hold) -> ServicePlan:
    return ServicePlan(key, Kind.NOTHING, (Because(hold.reason, hold.message),), hold)


def wrong_configs(site: Site, listing: Mapping[str, ObjectInfo]) -> dict[str, Found]:
    """Config objects that remembered revisions name and that are missing or altered."""
    named = {path for _, memory in site.memories.items() for path in memory.configs}
    return site.shelf.missing(sorted(named), listing)
