"""What nothing names any more: found by sweeps over all places, marked, and after its grace cleared away.

In doubt nothing goes. A place that cannot be read whole, state that cannot be read, and a place that only the state
knows, may each name any config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from controller.api.keys import Place
from controller.api.plain import well_typed
from controller.applying.garbage import bring_back, remove
from controller.aws.ports import AwsError, ObjectInfo, Urgency, at
from controller.observed import inventory
from controller.planning.garbage import DAY, Doomed, Mark, Policy, Verdict, judge, superseded
from controller.reconciling.board import StatusBoard
from controller.reconciling.sweep import GARBAGE, PlaceSweep
from controller.reconciling.world import STATE, Site, World
from controller.state.ledger import Ledger

HOUR = 3600.0
MOST_REMOVED = 1000
MOST_DEREGISTERED = 100
"""Of each kind in one sweep, and place. Deregistering shares its rate, one a second, with registering."""


@dataclass(slots=True)
class Swept:
    """One sweep. `doubts`: why nothing went. Paths are S3 URIs, revisions `family:number` behind their place."""

    policy: Policy
    at: float
    doubts: list[str] = field(default_factory=list)
    waiting: int = 0
    due: list[tuple[str, str]] = field(default_factory=list)
    """What may go, and why."""
    removed: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    deregistered: list[str] = field(default_factory=list)

    def as_plain(self) -> dict[str, Any]:
        """For the status."""
        return {
            "at": _day(self.at),
            "configs": self.policy.configs,
            "revisions": self.policy.revisions,
            "doubts": self.doubts,
            "waiting": self.waiting,
            "mayGo": [{"path": path, "why": why} for path, why in self.due[:MOST_REMOVED]],
            "superseded": self.superseded[:MOST_REMOVED],
            "removed": len(self.removed),
            "deregistered": len(self.deregistered),
        }


class Stopping(Exception):
    """The process ends."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The last one: when it was, in seconds since the epoch, and what was told of it."""

    at: float
    told: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """It saw all that there is."""
        return not self.told["doubts"]

    def as_plain(self) -> dict[str, Any]:
        return {"at": self.at, "told": self.told}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Sweep:
        """TypeError, ValueError or KeyError where `plain` is none."""
        well_typed(cls, plain)
        lists = (plain["told"]["doubts"], plain["told"]["mayGo"], plain["told"]["superseded"])
        if not all(isinstance(one, list) for one in lists):
            raise TypeError("what was told of the last sweep is not readable")
        return cls(float(plain["at"]), {**plain["told"], "waiting": int(plain["told"]["waiting"])})


class Telling(Protocol):
    """Who is told; telemetry implements it."""

    def swept(self, swept: Swept) -> None: ...

    def last_sweep(self, sweep: Sweep) -> None:
        """After each, and after a start."""


@dataclass(slots=True)
class _Store:
    site: Site
    listing: Mapping[str, ObjectInfo]
    marks: Ledger[Mark]

    def judge(self, named: AbstractSet[str], now: float, grace: float) -> Verdict:
        return judge(self.listing, named, dict(self.marks.items()), now, grace)

    def uri(self, path: str) -> str:
        return f"s3://{self.site.install.store.bucket}/{self.site.install.store.key(path)}"


class Sweeper:
    """`tick` is a periodic task: it sweeps once a day, and hourly while there was a doubt."""

    def __init__(
        self,
        world: World,
        policy: Policy,
        telling: Telling,
        board: StatusBoard,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._world, self._policy, self._telling, self._stopping = world, policy, telling, stopping
        self._board = board
        self._last: Sweep | None = None
        site = world.home_site
        prefix = site.install.store.key(STATE, GARBAGE, "sweeps")
        self._sweeps = Ledger(site.account.bucket(site.install.store.bucket), prefix, Sweep.from_plain, shards=1)

    def tick(self) -> None:
        """Raises AwsError."""
        if self._policy.configs == self._policy.revisions == "off":
            return
        with suppress(Stopping), at(Urgency.GARBAGE):
            if self._last is None:
                self._sweeps.load()
                self._told(self._sweeps.get("last"))
            last, now = self._last, self._now()
            if last is None or not -HOUR < now - last.at < (DAY if last.whole else HOUR):  # a clock may go back
                sweep = Sweep(now, self.sweep().as_plain())
                self._told(sweep)
                self._sweeps.put("last", sweep)

    def _told(self, sweep: Sweep | None) -> None:
        if sweep:
            self._last, self._board.garbage = sweep, sweep.told
            self._telling.last_sweep(sweep)

    def sweep(self) -> Swept:
        """Raises Stopping."""
        places = [PlaceSweep(site, self._go_on) for _, site in sorted(self._world.sites.items())]
        doubts = [doubt for place in places for doubt in _doubts_of(place)]
        swept = Swept(self._policy, self._now(), doubts)  # the time as ECS has just told it
        swept.doubts += [f"{why}; delete it" for why in self._sweeps.unreadable().values()]
        stores = list(self._stores(swept))
        if not swept.doubts and self._worth_it(places, stores, swept.at):
            swept.doubts += [doubt for place in places for doubt in _failing(place.read_use)]
            swept.doubts += [doubt for place in places for doubt in _unread(place)]
        for store in stores:
            swept.doubts += _failing(partial(self._configs, store, places, swept))
        if not swept.doubts and self._policy.revisions != "off":
            for place in places:
                swept.doubts += _failing(partial(self._revisions, place, swept))
        self._telling.swept(swept)
        return swept

    def _stores(self, swept: Swept) -> Iterator[_Store]:
        """Each once, with its marks and its listing; those that cannot be read are doubts."""
        sites = {(site.install.store.bucket, site.install.store.prefix): site for site in self._world.sites.values()}
        for site in sites.values():
            store = site.install.store
            marks = Ledger(site.account.bucket(store.bucket), store.key(STATE, GARBAGE, "marks"), Mark.from_plain)
            try:
                marks.load()
                listing = inventory.objects(site.account, store.bucket, store.prefix)
            except AwsError as error:
                swept.doubts.append(str(error))
                continue
            swept.doubts += [f"{why}; put it right, or delete it" for why in marks.unreadable().values()]
            swept.doubts += _strangers(listing, self._world.sites.keys())
            yield _Store(site, listing, marks)

    def _worth_it(self, places: Iterable[PlaceSweep], stores: Iterable[_Store], now: float) -> bool:
        """Most of the calls are spared where every config is named by an ACTIVE revision."""
        named = _named(places)
        verdicts = (store.judge(named, now, self._policy.grace) for store in stores)
        return self._policy.revisions != "off" or any(one.due or one.waiting for one in verdicts)

    def _configs(self, store: _Store, places: list[PlaceSweep], swept: Swept) -> None:
        if self._policy.configs == "off":
            return
        named = _named(places)
        verdict = store.judge(named, swept.at, self._policy.grace)
        whole = not swept.doubts
        store.marks.update(
            {key: mark for key, mark in verdict.marks.items() if whole or (mark is None and key in named)}
        )
        swept.back += [store.uri(path) for path in verdict.back if bring_back(store.site.shelf, path)]
        if not whole:
            return
        swept.waiting += verdict.waiting
        due = verdict.due[:MOST_REMOVED]
        swept.due += [(store.uri(path), one.why(_day)) for one in verdict.due for path in one.paths]
        if due and self._policy.configs == "delete":
            self._remove(store, due, places, swept)

    def _remove(self, store: _Store, due: Iterable[Doomed], places: list[PlaceSweep], swept: Swept) -> None:
        """After one more look at what is registered by now."""
        doubts = [doubt for place in places for doubt in _doubts_of(place)]
        swept.doubts += doubts
        named = _named(places)
        for one in due if not doubts else ():
            self._go_on()
            if one.digest not in named:
                gone = remove(store.site.shelf, one, store.listing, store.marks, swept.at)
                swept.removed += [store.uri(path) for path in gone]

    def _revisions(self, place: PlaceSweep, swept: Swept) -> None:
        place.read_starters()
        going = [
            (family, number)
            for family, ours in sorted(place.ours.items())
            for number in superseded(ours, place.used.get(family, set()), self._policy.keep)
        ]
        swept.superseded += [f"{place.site.place} {family}:{number}" for family, number in going]
        for family, number in going[:MOST_DEREGISTERED] if self._policy.revisions == "deregister" else ():
            self._go_on()
            place.site.account.usage.deregister(f"{family}:{number}")
            swept.deregistered.append(f"{place.site.place} {family}:{number}")

    def _now(self) -> float:
        return self._world.home_site.account.ecs.now()

    def _go_on(self) -> None:
        if self._stopping():
            raise Stopping


def _named(places: Iterable[PlaceSweep]) -> set[str]:
    return {digest for place in places for digest in place.named}


def _doubts_of(place: PlaceSweep) -> list[str]:
    doubts: list[str] = []
    try:
        doubts += place.read_active()
    except AwsError as error:
        doubts.append(f"{place.site.place}: {error}")
    return doubts


def _unread(place: PlaceSweep) -> list[str]:
    return [f"{place.unread} task definitions of {place.site.place} are not read yet"] if place.unread else []


def _failing(work: Callable[[], None]) -> Iterator[str]:
    try:
        work()
    except AwsError as error:
        yield str(error)


def _strangers(listing: Iterable[str], places: AbstractSet[Place]) -> list[str]:
    """Places that only the state knows: their services may still run what it was made for."""
    starts = (f"{STATE}/services/", f"{STATE}/{GARBAGE}/known/")
    found = {
        Place(*parts[:2])
        for path in listing
        for start in starts
        if path.startswith(start) and len(parts := path.removeprefix(start).split("/")) > 2  # noqa: PLR2004
    }
    return [
        f"{STATE} tells of {place}, which the settings do not name: its definitions may name any config; "
        f"add it to the settings, or delete {starts[0]}{place}/ and {starts[1]}{place}/"
        for place in sorted(found - places)
    ]


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
