"""Once a day: what nothing needs any more is told, and put away where the settings say so. In doubt it stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from controller.api.errors import Explained
from controller.api.keys import Place
from controller.aws.ports import NotFound, ObjectInfo, PreconditionFailed, Urgency, at
from controller.desired.model import ConfigStore
from controller.observed import inventory, usage
from controller.observed.usage import Usage
from controller.planning import garbage
from controller.planning.garbage import Unused
from controller.reconciling.world import STATE, Site, World
from controller.state.ledger import Ledger

FOLDER = "garbage"
PLACE_PARTS = 2
"""Slashes behind `_state/services/`: account, region, shard."""
MOST_DEREGISTERED = 500
"""In one sweep of a place: a quarter of an hour of what ECS allows, beside everything else."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`grace` in seconds; `keep`: the latest revisions of ours in each family that stay."""

    configs: Literal["off", "dry-run", "delete"]
    grace: float
    revisions: Literal["off", "dry-run", "deregister"]
    keep: int


@dataclass(frozen=True, slots=True)
class Swept:
    """`unused`, `due`: config objects that nothing names, and those of them whose grace is over, as `s3://` URLs.
    `superseded`: ARNs. `gone`: what of `due` and `superseded` was put away. `why`: nothing could be decided.
    """

    unused: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    why: str = ""


class Stopped(Explained):
    """The controller is stopping; the next start begins anew."""

    def __str__(self) -> str:
        return "stopped in the middle; nothing was put away"


@dataclass(slots=True)
class _Shop:
    """One config store, and the places whose services load from it."""

    store: ConfigStore
    sites: Sequence[Site]
    notes: Ledger[Unused]
    listing: Mapping[str, ObjectInfo] = field(default_factory=dict)

    def look(self) -> None:
        self.listing = inventory.objects(self.sites[0].account, self.store.bucket, self.store.prefix)

    def url(self, path: str) -> str:
        return f"s3://{self.store.in_bucket(path)}"


class Collector:
    def __init__(self, world: World, policy: Policy) -> None:
        self._world, self._policy = world, policy
        sites = sorted(world.sites.values(), key=_store_of)
        self._shops = [_shop(list(some)) for _, some in groupby(sites, key=_store_of)]
        self._stopped = threading.Event()

    def stop(self) -> None:
        """A sweep in progress ends with its next look at something."""
        self._stopped.set()

    def sweep(self) -> Swept:
        """Raises AwsError where something could not be read, Stopped: then nothing was put away."""
        with at(Urgency.GARBAGE):
            return self._sweep()

    def _sweep(self) -> Swept:
        if "off" == self._policy.configs == self._policy.revisions:
            return Swept()
        if why := self._doubt():
            return Swept(why=why)
        for shop in self._shops:
            shop.notes.load()
            shop.look()
        if why := self._strangers():
            return Swept(why=why)
        remembered = self._remembered()
        if self._policy.revisions == "off" and not any(
            True for shop in self._shops for _ in garbage.unused(shop.listing, remembered)
        ):
            self._note(remembered)
            return Swept()
        found = {place: self._usage(site) for place, site in self._world.sites.items()}
        named = remembered.union(*(one.digests for one in found.values()))
        if why := self._doubt():
            return Swept(why=why)
        unused, due, gone = self._configs(named)
        superseded = self._superseded(found)
        gone += self._deregister(superseded)
        arns = tuple(arn for some in superseded.values() for arn in some)
        return Swept(tuple(unused), tuple(due), arns, frozenset(gone))

    def _usage(self, site: Site) -> Usage:
        starters = self._policy.revisions != "off"
        return usage.take(site.account, site.install.owner, starters=starters, go_on=self._go_on)

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def _strangers(self) -> str:
        """Services that the settings do not know may load from a store too, and nobody here sees what they need."""
        for shop in self._shops:
            for path in shop.listing:
                state, _, rest = path.partition("/services/")
                place = Place(*rest.split("/")[:2]) if state == STATE and rest.count("/") == PLACE_PARTS else None
                if place and place not in self._world.sites:
                    return f"{shop.url(path)} is the memory of {place}, which is not in the settings"
        return ""

    def _doubt(self) -> str:
        """Why not all is known of what services need."""
        for site in self._world.sites.values():
            site.memories.ensure_loaded()
            if unreadable := site.memories.unreadable():
                return next(iter(unreadable.values()))
        for shop in self._shops:
            shop.notes.ensure_loaded()
            if unreadable := shop.notes.unreadable():
                return next(iter(unreadable.values()))
        return ""

    def _remembered(self) -> set[str]:
        """Digests that live services, and rollouts on their way, are remembered to need."""
        memories = (memory for site in self._world.sites.values() for _, memory in site.memories.items())
        return {digest for memory in memories for path in memory.configs if (digest := garbage.digest_of(path))}

    def _note(self, named: set[str]) -> dict[int, dict[str, Unused]]:
        """By store: what nothing names, and since when. Kept, so that the grace goes on over a restart."""
        found: dict[int, dict[str, Unused]] = {}
        for number, shop in enumerate(self._shops):
            before = dict(shop.notes.items())
            now = shop.sites[0].account.ecs.now()
            found[number] = after = garbage.noted(before, garbage.unused(shop.listing, named), now)
            shop.notes.update({**dict.fromkeys(before.keys() - after.keys()), **after})
        return found

    def _configs(self, named: set[str]) -> tuple[list[str], list[str], list[str]]:
        """URLs of what is unused, of what is due, of what is gone."""
        if self._policy.configs == "off":
            return [], [], []
        all_unused: list[str] = []
        all_due: list[str] = []
        gone: list[str] = []
        for number, some in self._note(named).items():
            shop = self._shops[number]
            due = garbage.due(some, shop.sites[0].account.ecs.now(), self._policy.grace)
            all_unused += map(shop.url, sorted(some))
            all_due += map(shop.url, due)
            if self._policy.configs == "delete":
                gone += map(shop.url, self._deleted(shop, due))
        return all_unused, all_due, gone

    def _deleted(self, shop: _Shop, due: Sequence[str]) -> Iterator[str]:
        """Each is looked at once more: a rollout may have begun meanwhile."""
        if not due:
            return
        for site in self._world.sites.values():
            site.memories.load()
        if self._doubt():
            return
        remembered, objects = self._remembered(), shop.sites[0].account.bucket(shop.store.bucket)
        for path in due:
            if garbage.digest_of(path) in remembered:
                continue
            try:
                objects.delete(shop.store.key(path), replaces=shop.listing[path].etag)
            except (PreconditionFailed, NotFound):  # somebody wrote it anew: it is no longer what was looked at
                continue
            shop.notes.put(path, None)
            yield path

    def _superseded(self, found: Mapping[Place, Usage]) -> dict[Place, list[str]]:
        if self._policy.revisions == "off":
            return {}
        return {place: self._of_place(self._world.sites[place], one) for place, one in found.items()}

    def _of_place(self, site: Site, found: Usage) -> list[str]:
        memories = [memory for _, memory in site.memories.items()]
        needed = found.needed.union(*((memory.revision, memory.base) for memory in memories))
        return garbage.superseded(found.ours, needed, self._policy.keep)

    def _deregister(self, superseded: Mapping[Place, Sequence[str]]) -> list[str]:
        if self._policy.revisions != "deregister":
            return []
        gone: list[str] = []
        for place, arns in superseded.items():
            for arn in arns[:MOST_DEREGISTERED]:
                self._go_on()
                self._world.sites[place].account.ecs.deregister_task_definition(arn)
                gone.append(arn)
        return gone


def _store_of(site: Site) -> tuple[str, str]:
    return site.install.store.bucket, site.install.store.prefix


def _shop(sites: Sequence[Site]) -> _Shop:
    store = sites[0].install.store
    objects = sites[0].account.bucket(store.bucket)
    return _Shop(store, sites, Ledger(objects, store.key(STATE, FOLDER), Unused.from_plain, shards=1))
