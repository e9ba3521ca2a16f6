"""One pass over a place, or over all: what is there, what should be, and so a plan for each service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any

from controller.api.conditions import Reason
from controller.api.globs import is_glob, selected
from controller.api.keys import FAMILY, Place, ServiceKey
from controller.applying.configs import Found, LostForGood
from controller.applying.group_watch import GroupNews
from controller.aws.ports import AwsError, ObjectInfo, Urgency, at
from controller.observed import inventory
from controller.observed.families import users_of, with_families
from controller.observed.model import ObservedService
from controller.planning.diff import unified
from controller.planning.guards import Permit
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.adoption import Adoption, Adoptions
from controller.reconciling.asked import answer, drop_answered, suspended
from controller.reconciling.book import refresh
from controller.reconciling.group_check import check_groups
from controller.reconciling.keeper import Specs
from controller.reconciling.look import has_to_be_read, look, routes_of
from controller.reconciling.notes import FOLDER, Note
from controller.reconciling.remake import still_lost
from controller.reconciling.standing import lost_from, naming, standing_groups
from controller.reconciling.world import COUNTED, STATE, STATUS, Site, World
from controller.specs.model import Route
from controller.state.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Survey:
    """`plans`: every service that a route selects or that is remembered; in short, where a worker will look once more.
    `errors`: what could not be read.
    """

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
    """Routes and services that a person asked to reconcile, and that was begun with in this pass."""
    denied: Mapping[ServiceKey, str] = field(default_factory=dict)
    """Families of which it cannot be read what starts them, and why."""
    naming: Mapping[str, tuple[ServiceKey, ...]] = field(default_factory=dict)
    """Wrong config object → some of the services whose revisions name it."""
    status_etag: Mapping[Place, str | None] = field(default_factory=dict)
    """Of the status in the controller's own config store, as the pass found it; None: it is not there."""
    adoptions: Mapping[ServiceKey, Adoption] = field(default_factory=dict)
    """Services that run what the specs ask for, lack nothing, and only have to be remembered."""

    @property
    def saw_something(self) -> bool:
        """At least one place could be read: a pass that saw nothing has not been made."""
        return any("" not in read.errors for place, read in self.seen.items() if place not in self.errors)

    def under(self, permit: Permit) -> Survey:
        """With the guards' word on each plan."""
        return replace(self, plans={key: permit.apply(plan) for key, plan in self.plans.items()})

    def holding(self, holds: Mapping[ServiceKey, Hold]) -> Survey:
        """With what waits for its turn."""
        plans = {key: plan.held_by(holds[key]) if key in holds else plan for key, plan in self.plans.items()}
        return replace(self, plans=plans)

    def inventory_of(self, key: ServiceKey) -> inventory.Inventory | None:
        """What was read of the place that a service is of."""
        return next((one for one in self.seen.values() if one.holds(key)), None)

    def unread(self, key: ServiceKey) -> bool:
        """Nobody could look at it."""
        read = self.inventory_of(key)
        return read is None or not read.errors.keys().isdisjoint({"", key.cluster})

    @property
    def pending(self) -> list[ServicePlan]:
        """Plans with something to do, held or not, in a stable order."""
        return [plan for _, plan in sorted(self.plans.items()) if plan.kind is not Kind.NOTHING or plan.hold]

    @property
    def changes(self) -> list[ServicePlan]:
        return [plan for plan in self.pending if plan.changes]


MANY = 100
"""Definitions to read: ten seconds of them."""
DIFFS, LONGEST_DIFF = 50, 8_000
"""Of a pass, and characters of one: a diff takes milliseconds to make."""
AT_A_TIME = 8
"""Config objects that are put back."""
LOOK_AT_CONFIGS = 45.0
"""Seconds between two looks in a pass that takes its time."""


def survey(world: World, specs: Specs, *, repair: bool) -> Survey:
    """Every place, several at once."""
    places = sorted(world.sites)
    world.load_shared()
    with ThreadPoolExecutor(max_workers=max(1, min(8, len(places)))) as pool:
        seen = together(list(pool.map(lambda place: survey_place(world, specs, place, repair=repair), places)))
    if repair:
        drop_answered(world, {place: seen.asked for place in places if place not in seen.errors})
    return seen


def survey_place(
    world: World,
    specs: Specs,
    place: Place,
    *,
    repair: bool,
    halfway: Callable[[Survey], None] | None = None,
) -> Survey:
    """One place; whatever fails in it is told, and harms no other.

    `halfway` hears what is known before the definitions of many services have to be read: they come at the rate that
    AWS allows, which for ten thousand is a quarter of an hour, and repairs need not wait for them.

    With `repair`, config objects that are missing or altered are put back first: without them no new task
    starts, so nothing holds that write. Without it, nobody comes after to ask the engines, so they are asked here.
    Raises AwsError where what all places share cannot be read.
    """
    world.load_shared()
    site = world.sites[place]
    routes = [route for route in specs.force.routes if place in world.places_of(route)]
    part = _Part(inventory.Inventory(place, {}, frozenset()), Adoptions(site))
    part.selected = {route.key: [] for route in routes}
    try:
        site.memories.ensure_loaded()
    except AwsError as error:  # nothing is remembered yet: nothing is looked at, so nothing is done
        part.error, part.inventory = error, inventory.Inventory(place, {}, frozenset(), errors={"": error})
    else:
        later = _survey_place(world, site, specs, part, routes, repair=repair)
        if halfway and len(later) >= MANY:
            halfway(_told(world, specs, part, routes))
        _plan_later(site, specs, part, later, repair=repair)
    return _told(world, specs, part, routes)


def in_turn(world: World, specs: Specs, seen: Survey) -> Survey:
    """With what waits for its turn held. Raises AwsError."""
    for place in seen.seen.keys() - seen.errors.keys():
        site = world.sites[place]
        plans = {key: plan for key, plan in seen.plans.items() if world.shard_of(key) == place}
        seen = seen.holding(site.waves.passed(plans, specs.revision, site.account.ecs.now(), seen.unread))
    return seen


def together(some: Sequence[Survey]) -> Survey:
    """Every field is a map whose keys belong to one place, or says the same for all; but a route may select services in
    several parts of a place.
    """
    maps = {one.name: [getattr(seen, one.name) for seen in some] for one in fields(Survey)}
    merged = {name: {key: value for one in every for key, value in one.items()} for name, every in maps.items()}
    routes = {route for seen in some for route in seen.selected}
    merged["selected"] = {
        route: tuple(key for seen in some for key in seen.selected.get(route, ())) for route in routes
    }
    return Survey(**merged)


@dataclass(slots=True)
class _Part:
    inventory: inventory.Inventory
    adoptions: Adoptions
    plans: dict[ServiceKey, ServicePlan] = field(default_factory=dict)
    selected: dict[str, list[ServiceKey]] = field(default_factory=dict)
    wrong: dict[str, Found] = field(default_factory=dict)
    lost_configs: list[LostForGood] = field(default_factory=list)
    failures: dict[ServiceKey, Exception] = field(default_factory=dict)
    error: AwsError | None = None
    groups: GroupNews | None = None
    standing: dict[ServiceKey, list[Because]] = field(default_factory=dict)
    asked: Mapping[str, Note] = field(default_factory=dict)
    denied: dict[ServiceKey, str] = field(default_factory=dict)
    naming: dict[str, tuple[ServiceKey, ...]] = field(default_factory=dict)
    status_etag: dict[Place, str | None] = field(default_factory=dict)
    ready: Mapping[ServiceKey, Adoption] = field(default_factory=dict)
    diffs: int = 0
    looked_at: float = 0.0
    """When config objects were looked at last, by the clock of ECS, or by this machine's before ECS was heard."""


def _told(world: World, specs: Specs, part: _Part, routes: Sequence[Route]) -> Survey:
    place = part.inventory.place
    return Survey(
        part.plans,
        {route: tuple(keys) for route, keys in part.selected.items()},
        {place: part.inventory},
        dict(_lost(world, specs, part.inventory, routes)),
        {place: part.wrong} if part.wrong else {},
        {place: part.error} if part.error else {},
        {place: tuple(part.lost_configs)} if part.lost_configs else {},
        {place: part.groups} if part.groups else {},
        {key: tuple(some) for key, some in part.standing.items()},
        part.failures,
        _unreadable(world, place),
        suspended(world.notes, specs),
        part.asked,
        part.denied,
        part.naming,
        part.status_etag,
        part.ready,
    )


def _unreadable(world: World, place: Place) -> dict[str, str]:
    """A service that no route selects is in no plan, so nothing else would say that its memory is lost."""
    ledgers: dict[str, Ledger[Any]] = {str(place): world.sites[place].memories}
    if place == world.home_site.place:
        ledgers |= {"routes": world.routes, FOLDER: world.notes.ledger, COUNTED: world.counted}
    return {
        f"state of {name}/{shard}": why
        for name, ledger in ledgers.items()
        for shard, why in ledger.unreadable().items()
    }


def _lost(
    world: World, specs: Specs, read: inventory.Inventory, routes: Sequence[Route]
) -> Iterator[tuple[str, Because]]:
    for route in specs.force.routes if read.place == world.home_site.place else ():
        if not world.places_of(route):
            target = route.document.spec.target
            account = target.account or world.home.account
            if account in world.denied:
                yield route.key, Because(Reason.DENIED, f"the settings deny account {account}")
                continue
            where = f"account {account}, region {target.region or world.home.region}"
            yield route.key, Because(Reason.UNKNOWN_PLACE, f"the settings know no {where}")
    for route in routes:
        target = route.document.spec.target
        cluster, families = target.cluster or "", read.errors.get(FAMILY) if target.task_families else None
        if error := read.errors.get(cluster) or read.errors.get("") or families:
            yield route.key, Because(Reason.UNREACHABLE, str(error))
        elif cluster and not is_glob(cluster) and selected(world.sites[read.place].bounds.denied, cluster):
            yield route.key, Because(Reason.DENIED, f"the settings deny cluster {cluster}")
        elif cluster in read.missing_clusters:
            yield route.key, Because(Reason.CLUSTER_MISSING, f"there is no cluster {cluster} in {read.place}")


def _survey_place(
    world: World,
    site: Site,
    specs: Specs,
    part: _Part,
    routes: Sequence[Route],
    *,
    repair: bool,
) -> list[ObservedService]:
    """All but the services whose definitions have to be read for what the specs ask anew. The controller's own store
    tells what all places share: its pass reads that with its own listing.
    """
    home = site.place == world.home_site.place
    wanted = world.wanted_clusters(site, routes)
    allowed = [cluster for cluster in wanted if is_glob(cluster) or site.bounds.admit(cluster)]
    families, remembered = world.wanted_families(routes) if site.bounds.first else set(), site.remembered_families()
    try:
        if home or allowed or families or remembered:
            _look_at_configs(site, part, *(world.shared if home else ()), repair=repair)
        if repair:
            part.asked = answer(world, site, specs)
    except AwsError as error:
        part.error = error
    if not (allowed or families or remembered):
        return []
    found = inventory.take(site.place, site.account, allowed, site.bounds.cover, site.bounds.admit)
    part.inventory = with_families(found, site.account, families, remembered)
    site.book.users = users_of(part.inventory.services) if families or remembered else {}
    refresh(site.book, site.account, families)
    if repair and part.lost_configs:
        part.lost_configs = still_lost(site, specs, part.inventory, part.lost_configs)
    part.groups = check_groups(site, specs, part.inventory, repair=repair)
    for one, because in (*lost_from(site, part.wrong, part.lost_configs), *standing_groups(part.groups)):
        part.standing.setdefault(one, []).append(because)
    return _plan_at_once(site, specs, part, repair=repair)


def _plan_at_once(site: Site, specs: Specs, part: _Part, *, repair: bool) -> list[ObservedService]:
    """Returns the others."""
    later: list[ObservedService] = []
    for key, service in part.inventory.services.items():
        selecting = routes_of(specs, service)
        for route in selecting:
            part.selected.setdefault(route.key, []).append(key)
        if has_to_be_read(site, service, selecting):
            later.append(service)
        elif selecting or site.memories.get(str(key)) is not None:
            _plan(site, specs, service, part, repair=repair)
    return later


def _plan_later(site: Site, specs: Specs, part: _Part, services: Iterable[ObservedService], *, repair: bool) -> None:
    """Config objects are looked at now and then meanwhile: no new task starts without them. In the end also those that
    nothing remembers, whatever holds their services.
    """
    for service in services:
        if repair and not 0 <= site.account.ecs.now() - part.looked_at < LOOK_AT_CONFIGS:
            _look_again(site, part)
        _plan(site, specs, service, part, repair=repair, later=True)
    if repair and (part.adoptions.found or part.adoptions.named) and _look_again(site, part):
        part.ready = part.adoptions.ready({one.path for one in part.lost_configs})


def _look_again(site: Site, part: _Part) -> bool:
    """Whether it could; the next look, or the next pass, tells why not."""
    with suppress(AwsError):
        _look_at_configs(site, part, repair=True)
        return True
    return False


def _plan(
    site: Site, specs: Specs, service: ObservedService, part: _Part, *, repair: bool, later: bool = False
) -> None:
    if service.key.is_family and site.book.error:
        part.denied[service.key] = site.book.error
    before = site.memories.get(str(service.key))
    plan = _planned(site, specs, service, routes_of(specs, service), part, start=not repair)
    if repair and later:
        part.adoptions.note(plan, before)
    part.plans[service.key] = _in_short(plan, part) if repair else plan


def _in_short(plan: ServicePlan, part: _Part) -> ServicePlan:
    """The first that change something with their diffs, for people to see."""
    if plan.changes and part.diffs < DIFFS:
        part.diffs += 1
        plan = replace(plan, diff="\n".join(unified(plan))[:LONGEST_DIFF])
    return plan.in_short()


def _look_at_configs(site: Site, part: _Part, *others: Ledger[Any], repair: bool) -> None:
    """What is wrong in the config store, and put back. The first thing in a pass: no new task starts without it,
    and the listing of a big store is gone before the services come. Raises AwsError.
    """
    part.looked_at = site.account.ecs.now()
    listing = inventory.objects(site.account, site.install.store.bucket, site.install.store.prefix)
    etags = {info.key: info.etag for info in listing.values()}
    if others:
        part.status_etag[site.place] = etags.get(site.install.store.key(STATE, STATUS))
    site.memories.refresh(etags)
    site.waves.ledger.refresh(etags)
    wrong = wrong_configs(site, listing, part.adoptions.named)
    part.wrong |= wrong
    part.naming |= naming(site, wrong)
    part.lost_configs = _put_back(site, wrong) if repair else []
    for ledger in others:
        ledger.refresh(etags)


def _put_back(site: Site, paths: Iterable[str]) -> list[LostForGood]:
    """Several at once: where all second copies are gone there are twenty thousand. Returns those that are lost for
    good. Raises AwsError.
    """

    def put_back(path: str) -> LostForGood | None:
        try:
            with at(Urgency.REPAIR):
                site.shelf.put_back(path)
        except LostForGood as lost:
            return lost
        return None

    pool = ThreadPoolExecutor(max_workers=AT_A_TIME)
    try:
        return list(filter(None, pool.map(put_back, paths)))
    finally:
        pool.shutdown(cancel_futures=True)


def _planned(
    site: Site, specs: Specs, service: ObservedService, routes: Iterable[Route], part: _Part, *, start: bool
) -> ServicePlan:
    """The plan of one service; an error on the way is its own hold, and nobody else's."""
    try:
        mine = tuple(routes)
        return site.vetting.vet(look(site, specs, service, mine), mine, site.install.store, start=start)
    except AwsError as error:
        return _left(service.key, Hold(Reason.AWS_ERROR, str(error)))
    except Exception as error:  # noqa: BLE001 - a bug that one service shows must not stop the others
        part.failures[service.key] = error
        return _left(service.key, Hold(Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}"))


def _left(key: ServiceKey, hold: Hold) -> ServicePlan:
    return ServicePlan(key, Kind.NOTHING, (Because(hold.reason, hold.message),), hold)


def wrong_configs(site: Site, listing: Mapping[str, ObjectInfo], more: Iterable[str] = ()) -> dict[str, Found]:
    """Config objects that remembered revisions name, or `more`, and that are missing or altered."""
    named = {path for _, memory in site.memories.items() for path in memory.configs}.union(more)
    return site.shelf.missing(sorted(named), listing)
