"""The accounts and regions that LogRoute looks after, each with all that is needed to work there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from controller.api.globs import is_glob, selected
from controller.api.keys import Place, ServiceKey
from controller.applying.apply import Applier
from controller.applying.codedeploy import CodeDeployer
from controller.applying.configs import ConfigShelf
from controller.applying.deployment_groups import DeploymentGroups
from controller.applying.group_watch import GroupWatch
from controller.applying.groups import GroupKeeper
from controller.aws.ports import Account, AwsError, ObjectStore
from controller.desired.compose import Installation
from controller.desired.matching import Home
from controller.planning.groups import Group
from controller.planning.guards import Counted, Guard
from controller.planning.memory import ServiceMemory
from controller.planning.waves import Change
from controller.reconciling.book import FamilyBook
from controller.reconciling.notes import Notes
from controller.reconciling.vetting import Vetting
from controller.reconciling.waves import Waves
from controller.specs.carry import RouteMemory
from controller.specs.model import Route
from controller.state.ledger import Ledger

STATE, STATUS, COUNTED = "_state", "status.json", "counted"
PLACES = "status"
"""Folder of the statuses of places that are not the controller's own."""
SERVICE_SHARDS = 64
"""Ten thousand services take 300 KB each, and a rollout writes one of them four times."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which clusters of an account and region are a place's, by globs of the settings. Empty: all."""

    clusters: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    """Of other parts, which come first."""
    later: tuple[str, ...] = ()
    first: bool = True
    """The only part, or the first: what has no cluster is its, and what no part names."""
    denied: tuple[str, ...] = ()

    def admit(self, cluster: str) -> bool:
        """Whether LogRoute may look at it here."""
        if self.denied and selected(self.denied, cluster):
            return False
        if self.earlier and selected(self.earlier, cluster):
            return False
        return not self.clusters or selected(self.clusters, cluster)

    def cover(self, key: ServiceKey) -> bool:
        """Whether a service of the account and region is this part's to look after, if it may be looked at at all."""
        if key.is_family:
            return self.first
        return self.admit(key.cluster) or (self.first and not selected(self.later, key.cluster))


@dataclass(frozen=True, slots=True)
class Site:
    """One place, wired: its clients, its config store, its memory. A failure in it stays in it."""

    place: Place
    account: Account
    install: Installation
    shelf: ConfigShelf
    groups: GroupKeeper
    watch: GroupWatch
    applier: Applier
    memories: Ledger[ServiceMemory]
    notes: Notes
    """Those of the controller's own place, for all."""
    waves: Waves
    vetting: Vetting
    """Who else is asked before a revision is registered."""
    own: tuple[str, ...] = ()
    """ARNs of the controller's own service and family, out of reach of specs: see aws.own. Empty where `guards.self`
    allows them.
    """
    book: FamilyBook = field(default_factory=FamilyBook)
    """Who runs which family, as the last pass saw it."""
    bounds: Bounds = Bounds()

    def remembered_families(self) -> list[str]:
        if not self.bounds.first:
            return []
        keys = (ServiceKey.parse(key) for key, _ in self.memories.items())
        return [key.service for key in keys if key.is_family]


@dataclass(frozen=True, slots=True)
class World:
    """`objects`, `notes`, `routes` and `counted` are of the controller's own store, for all places and replicas."""

    sites: dict[Place, Site]
    home: Home
    home_place: Place
    objects: ObjectStore
    routes: Ledger[RouteMemory]
    notes: Notes
    counted: Ledger[Counted]
    """What the last pass over each place counted, by its name."""
    guard: Guard
    make: Callable[[Place], Site]
    read_only: bool = False
    """It is looked at and told of, and nothing is written."""
    denied: frozenset[str] = frozenset()
    """Accounts of the settings that nobody goes near."""
    without_secrets: Callable[[Any], Any] = lambda plain: plain
    """What is written for people goes through it."""

    def status_key(self, place: Place) -> str:
        """That of the controller's own place tells of the specs too."""
        store = self.home_site.install.store
        if place == self.home_place:
            return store.key(STATE, STATUS)
        return store.key(STATE, PLACES, f"{place}.json")

    def renew(self, place: Place) -> None:
        """Somebody else looked after it meanwhile: nothing is known of it any more, nor what people said since."""
        for ledger in self.shared:
            ledger.outdate()
        self.sites[place] = self.make(place)

    @property
    def home_site(self) -> Site:
        return self.sites[self.home_place]

    @property
    def shared(self) -> tuple[Ledger[Any], ...]:
        return (self.routes, self.notes.ledger, *([self.counted] if len(self.sites) > 1 else []))

    def load_shared(self) -> None:
        """What all places need, where it is not read yet; each place's memories are its own matter. Raises AwsError."""
        for ledger in self.shared:
            ledger.ensure_loaded()

    def remembers_nothing(self) -> bool:
        """As on a first run."""
        return not any(True for site in self.sites.values() for _ in site.memories.items())

    def routes_in_use(self, revision: str = "", ours: Callable[[Place], bool] = lambda _place: True) -> set[str] | None:
        """Routes that some service carries, or is remembered to. None where nobody knows: not all can be read, or
        another replica still works by the specs of another `revision`. What others remember is read anew.
        """
        others = {place: site for place, site in self.sites.items() if not ours(place)}
        found = (self.counted.get(str(place)) for place in others)
        if not all(counted is not None and counted.revision == revision for counted in found):
            return None
        try:
            for site in others.values():
                site.memories.load()
        except AwsError:
            return None
        if not all(site.memories.complete for site in self.sites.values()):
            return None
        memories = (memory for site in self.sites.values() for _, memory in site.memories.items())
        return {route for memory in memories for route in memory.routes}

    def site_of(self, key: ServiceKey) -> Site:
        return self.sites[self.shard_of(key)]

    def shard_of(self, key: ServiceKey) -> Place:
        """The place that looks after it."""
        if key.place in self.sites:
            return key.place
        return next(place for place, site in self.sites.items() if place.whole == key.place and site.bounds.cover(key))

    def places_of(self, route: Route) -> list[Place]:
        """Where a route's target lies; empty where the settings know no such place."""
        target = route.document.spec.target
        whole = Place(target.account or self.home.account or "", target.region or self.home.region or "")
        parts = [site for site in self.sites.values() if site.place.whole == whole]
        if len(parts) > 1 and target.cluster and not is_glob(target.cluster):
            key = ServiceKey(whole, target.cluster, "")
            parts = [site for site in parts if site.bounds.cover(key) or (site.bounds.first and target.task_families)]
        elif not target.cluster:
            parts = [site for site in parts if site.bounds.first]
        return [site.place for site in parts]

    def wanted_clusters(self, site: Site, routes: Iterable[Route]) -> set[str]:
        """Clusters (names or globs) to look at: where its routes point, and where something of ours is remembered."""
        wanted = {route.document.spec.target.cluster for route in routes if route.document.spec.target.cluster}
        keys = (ServiceKey.parse(key) for key, _ in site.memories.items())
        return wanted | {key.cluster for key in keys if not key.is_family and site.bounds.cover(key)}

    def wanted_families(self, routes: Iterable[Route]) -> set[tuple[str, ...]]:
        """The `taskFamilies` of routes."""
        return {route.document.spec.target.task_families for route in routes} - {()}


EVERYWHERE, NOBODY = Bounds(), Vetting()


def site(
    place: Place,
    account: Account,
    install: Installation,
    notes: Notes,
    *,
    bounds: Bounds = EVERYWHERE,
    own: tuple[str, ...] = (),
    vetting: Vetting = NOBODY,
) -> Site:
    """What is remembered of services lies by account and region, for all parts of it."""
    objects = account.bucket(install.store.bucket)
    prefix = install.store.key(STATE, "services", place.account, place.region)
    memories: Ledger[ServiceMemory] = Ledger(objects, prefix, ServiceMemory.from_plain, place.service, SERVICE_SHARDS)
    shelf = ConfigShelf(objects, install.store)
    groups = GroupKeeper(account.logs, install.owner, lambda key, name: _needed_elsewhere(memories, key, name))
    applier = Applier(
        account,
        shelf,
        groups,
        lambda key: memories.get(str(key)),
        lambda key, memory: memories.put(str(key), memory),
        CodeDeployer(account, DeploymentGroups(account)),
    )
    changes = Ledger(objects, install.store.key(STATE, "waves", str(place)), Change.from_plain)
    return Site(
        place,
        account,
        install,
        shelf,
        groups,
        GroupWatch(groups),
        applier,
        memories,
        notes,
        Waves(changes, notes, memories.get),
        vetting,
        own=own,
        bounds=bounds,
    )


def _needed_elsewhere(memories: Ledger[ServiceMemory], key: ServiceKey, name: str) -> Iterator[Group]:
    for other, memory in memories.items():
        if other != str(key):
            yield from (group for group in memory.groups if group.name == name)
