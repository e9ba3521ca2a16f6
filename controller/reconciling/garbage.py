"""Once a day: what nothing needs any more is told, and put away where the settings say so. In doubt it stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, Protocol

from controller.api.errors import Explained
from controller.api.keys import Place
from controller.applying.configs import LostForGood, copy_of
from controller.applying.garbage import delete, deregister
from controller.aws.ports import AwsError, ObjectInfo, Urgency, at
from controller.desired.model import ConfigStore
from controller.observed import inventory, usage
from controller.observed.usage import Usage
from controller.planning import garbage
from controller.planning.garbage import Unused
from controller.reconciling.board import StatusBoard
from controller.reconciling.world import STATE, Site, World
from controller.state.ledger import Ledger

FOLDER = "garbage"
PLACE_PARTS = 2
"""Slashes behind `_state/services/`: account, region, shard."""
MOST_TOLD = 500
"""Names of each kind in the status; the log has all."""


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
    `superseded`: ARNs. `gone`: what of `due` and `superseded` was put away. `back`: what went before, is named again
    and was put back. `why`: nothing could be decided, or not all be put away.
    """

    unused: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    why: str = ""
    back: tuple[str, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """For the status: the first of many, and how many there are."""
        lists = {"due": self.due, "superseded": self.superseded}
        numbers = {"unused": len(self.unused), **{f"{name}Total": len(some) for name, some in lists.items()}}
        return {"why": self.why, **numbers, **{name: list(some[:MOST_TOLD]) for name, some in lists.items()}}


class Doubtful(Explained):
    """A sweep did not come to its end; the text says why."""


class Telling(Protocol):
    """Who is told; telemetry implements it."""

    def swept(self, found: Swept) -> None: ...


class Stopped(Explained):
    """The controller is stopping; the next start begins anew."""

    def __str__(self) -> str:
        return "stopped in the middle"


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
    """Of several replicas, one puts away what lies in a store: who holds the first of its places. Revisions are put
    away by who holds their place.
    """

    def __init__(self, world: World, policy: Policy, holds: Callable[[Place], bool] = lambda _place: True) -> None:
        self._world, self._policy, self._holds = world, policy, holds
        self._shops: list[_Shop] = []
        self._stopped = threading.Event()
        self._wanted: set[str] = set()

    @property
    def is_due(self) -> bool:
        """Something is ours to look after."""
        return any(self._holds(place) for place in self._world.sites)

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
        sites = sorted(self._world.sites.values(), key=_store_of)
        every = [_shop(list(some)) for _, some in groupby(sites, key=_store_of)]
        self._shops = [shop for shop in every if self._holds(shop.sites[0].place)]
        if why := self._doubt():
            return Swept(why=why)
        self._take_wanted()
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
            self._wanted.clear()
            return Swept()
        found = {place: self._usage(site) for place, site in self._world.sites.items() if site.bounds.first}
        named = remembered.union(*(one.digests for one in found.values()))
        if why := self._doubt():
            return Swept(why=why)
        back = tuple(self._put_back(found))
        unused, due = self._configs(named)
        superseded = self._superseded(found)
        gone, why = self._put_away(due, superseded, found)
        self._wanted.clear()
        return Swept(
            tuple(self._shops[number].url(path) for number, some in unused.items() for path in sorted(some)),
            tuple(self._shops[number].url(path) for number, some in due.items() for path in some),
            tuple(arn for some in superseded.values() for arn in some),
            frozenset(gone),
            why,
            back,
        )

    def _take_wanted(self) -> None:
        """What was put up since the last sweep that came to its end: a revision follows its config, but waits for its
        turn to register. Workers put up more meanwhile, so the sets stay the ones that they know.
        """
        for site in self._world.sites.values():
            some = set(site.shelf.wanted)
            self._wanted |= some
            site.shelf.wanted.difference_update(some)

    def _put_back(self, found: Mapping[Place, Usage]) -> Iterator[str]:
        """Passes look after what is remembered; somebody else's copy of an old definition is in no memory."""
        named = sorted(path for one in found.values() for path in one.paths)
        for shop in self._shops if self._policy.configs != "off" else ():
            for path in dict.fromkeys(named):
                if path in shop.listing or copy_of(path) not in shop.listing:
                    continue
                with at(Urgency.REPAIR), suppress(LostForGood):
                    shop.sites[0].shelf.put_back(path)
                yield shop.url(path)

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
                if place and place not in {one.whole for one in self._world.sites}:
                    return f"{shop.url(path)} is the memory of {place}, which is not in the settings"
        return ""

    def _doubt(self) -> str:
        """Why not all is known of what services need."""
        for site in self._world.sites.values():
            site.memories.ensure_loaded() if self._holds(site.place) else site.memories.load()
            if unreadable := site.memories.unreadable():
                return next(iter(unreadable.values()))
        for shop in self._shops:
            shop.notes.ensure_loaded()
            if unreadable := shop.notes.unreadable():
                return next(iter(unreadable.values()))
        return ""

    def _remembered(self) -> set[str]:
        """Digests that live services, and rollouts on their way, are remembered to need."""
        sites = self._world.sites.values()
        memories = (memory for site in sites for _, memory in site.memories.items())
        found = {digest for memory in memories for path in memory.configs if (digest := garbage.digest_of(path))}
        return found.union(self._wanted, *(site.shelf.wanted for site in sites))

    def _is_put_up(self, path: str) -> bool:
        """Meanwhile: many deletes take minutes, and a rollout that finds its config there writes nothing."""
        return any(garbage.digest_of(path) in site.shelf.wanted for site in self._world.sites.values())

    def _note(self, named: set[str]) -> dict[int, dict[str, Unused]]:
        """By store: what nothing names, and since when. Kept, so that the grace goes on over a restart."""
        found: dict[int, dict[str, Unused]] = {}
        for number, shop in enumerate(self._shops):
            before = dict(shop.notes.items())
            now = shop.sites[0].account.ecs.now()
            found[number] = after = garbage.noted(before, garbage.unused(shop.listing, named), now)
            shop.notes.update({**dict.fromkeys(before.keys() - after.keys()), **after})
        return found

    def _configs(self, named: set[str]) -> tuple[dict[int, dict[str, Unused]], dict[int, list[str]]]:
        """By store: what is unused, what of it is due."""
        if self._policy.configs == "off":
            return {}, {}
        unused = self._note(named)
        now = {number: self._shops[number].sites[0].account.ecs.now() for number in unused}
        return unused, {number: garbage.due(some, now[number], self._policy.grace) for number, some in unused.items()}

    def _put_away(
        self, due: Mapping[int, Sequence[str]], superseded: Mapping[Place, Sequence[str]], found: Mapping[Place, Usage]
    ) -> tuple[list[str], str]:
        """What went, and why not all of it did: what went is told and counted all the same."""
        gone: list[str] = []
        try:
            for number, some in due.items() if self._policy.configs == "delete" else ():
                for path in self._deleted(self._shops[number], some, found):
                    gone.append(self._shops[number].url(path))
            for arn in self._deregistered(superseded) if self._policy.revisions == "deregister" else ():
                gone.append(arn)  # noqa: PERF402 - what went before an error is kept
        except (AwsError, Stopped) as error:
            return gone, str(error)
        return gone, ""

    def _deleted(self, shop: _Shop, due: Sequence[str], found: Mapping[Place, Usage]) -> Iterator[str]:
        """Each is looked at once more: a rollout may have begun meanwhile, or somebody registered a revision."""
        if not due:
            return
        for site in self._world.sites.values():
            site.memories.load()
        if self._doubt():
            return
        new = (usage.named_since(self._world.sites[place].account, one) for place, one in found.items())
        named = set().union(*new, self._remembered())
        still = (path for path in due if garbage.digest_of(path) not in named and not self._is_put_up(path))
        for path in delete(shop.sites[0].shelf, still, shop.listing, self._go_on):
            shop.notes.put(path, None)
            yield path

    def _superseded(self, found: Mapping[Place, Usage]) -> dict[Place, list[str]]:
        if self._policy.revisions == "off":
            return {}
        ours = {place: one for place, one in found.items() if self._holds(place)}
        return {place: self._of_place(self._world.sites[place], one) for place, one in ours.items()}

    def _of_place(self, site: Site, found: Usage) -> list[str]:
        return garbage.superseded(found.ours, found.needed | _goes_back_to(site), self._policy.keep)

    def _deregistered(self, superseded: Mapping[Place, Sequence[str]]) -> Iterator[str]:
        """Each is looked at once more here too: somebody may have gone back to it meanwhile."""
        for place, arns in superseded.items():
            site = self._world.sites[place]
            needed = usage.needed_now(site.account, self._go_on) | _goes_back_to(site) if arns else set()
            yield from deregister(site.account.ecs, [arn for arn in arns if arn not in needed], self._go_on)


def look(collector: Collector, telling: Telling, board: StatusBoard) -> bool:
    """A sweep, and who is told of it; whether there was anything to sweep. Raises Doubtful, AwsError, Stopped: it is to
    be made again soon.
    """
    if not collector.is_due:
        return False
    try:
        found = collector.sweep()
    except AwsError as error:
        board.garbage = Swept(why=str(error)).as_plain()
        raise
    board.garbage = found.as_plain()
    telling.swept(found)
    if found.why:
        raise Doubtful(found.why)
    return True


def _goes_back_to(site: Site) -> set[str]:
    """Revisions that services, or schedules of families, are remembered to run or to go back to."""
    memories = [memory for _, memory in site.memories.items()]
    ran = {arn for memory in memories for arn in (memory.revision, memory.base)}
    return ran.union(*(places for memory in memories for places in memory.moved.values()))


def _store_of(site: Site) -> tuple[str, str]:
    return site.install.store.bucket, site.install.store.prefix


def _shop(sites: Sequence[Site]) -> _Shop:
    store = sites[0].install.store
    objects = sites[0].account.bucket(store.bucket)
    return _Shop(store, sites, Ledger(objects, store.key(STATE, FOLDER), Unused.from_plain, shards=1))
