"""The composition root: from settings to a world that can be planned, applied and reconciled."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from controller.api.keys import Place
from controller.aws import operations
from controller.aws.accounts import IMPATIENT, AwsAccount, Options, Role, Waited
from controller.aws.calls import NOBODY, Fence, Observer
from controller.aws.leases import FOLDER as LEASES
from controller.aws.leases import LeaseFolder
from controller.aws.own import own_parts
from controller.aws.ports import LeaseLost, ObjectStore, Secrets
from controller.aws.revisions import RevisionCache
from controller.checking.checker import Checker
from controller.desired.compose import Installation
from controller.desired.matching import Home
from controller.desired.model import ConfigStore
from controller.desired.store import StoreUrlError, config_store, needs_account
from controller.planning.guards import Counted, Guard
from controller.reconciling.destinations import DestinationWatch
from controller.reconciling.garbage import Collector, Policy
from controller.reconciling.keeper import SpecKeeper
from controller.reconciling.notes import FOLDER, Notes
from controller.reconciling.preflight import Preflight
from controller.reconciling.rights import Rights
from controller.reconciling.shards import Shards
from controller.reconciling.vetting import Vetting
from controller.reconciling.world import COUNTED, STATE, Bounds, Site, World, site
from controller.rules import rules
from controller.runtime.clock import seconds_awake_or_asleep
from controller.runtime.leases import Leases, LeaseStore, writing
from controller.settings import AccountSettings, Settings, SettingsError
from controller.sources import Source
from controller.sourcing import cache_folder, git_options, source
from controller.specs.carry import RouteMemory
from controller.state.ledger import Ledger
from controller.telemetry.redaction import DEFAULT

REVISIONS = "revisions.sqlite"
DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class App:
    settings: Settings
    world: World
    keeper: SpecKeeper
    revisions: RevisionCache
    shards: Shards
    preflights: tuple[Preflight, ...]
    secrets: Secrets
    accounts: dict[Place, AwsAccount]

    def asks_of(self, roles: int) -> None:
        """For who is waited for: IAM is asked about so many roles of an account at most."""
        for preflight in self.preflights:
            preflight.most = roles

    def collector(self) -> Collector | None:
        """Of what nothing needs any more. None: the settings want none."""
        wanted = self.settings.garbage
        if self.settings.read_only or "off" == wanted.configs == wanted.revisions:
            return None
        grace = wanted.grace_days * DAY
        policy = Policy(wanted.configs, grace, wanted.revisions, wanted.keep_revisions)
        return Collector(self.world, policy, self.shards.holds)


def build(
    settings: Settings,
    *,
    observer: Observer = NOBODY,
    waited: Waited = lambda _place, _family, _seconds: None,
    told: Callable[[str, str], None] = lambda _result, _text: None,
    remembers: bool = True,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> App:
    """Nothing is contacted but STS, and only where the config store's name or `deny.accounts` needs the account id, and
    the task's metadata where it is a task. `told` hears of
    each config check: accepted, rejected or unchecked, and why. `sleep` waits for the call budget and between retries.

    Raises SettingsError, SourceError, AwsError.
    """
    if not settings.source:
        raise SettingsError("no source: give --source, the setting `source`, or LOGROUTE_SOURCE")
    if not settings.config_store:
        raise SettingsError("no config store: set `configStore` or LOGROUTE_CONFIG_STORE to s3://bucket/prefix")
    revisions = RevisionCache(cache_folder() / REVISIONS)
    fences = _Fences()
    options = replace(
        _options(settings, observer),
        waited=waited,
        sleep=sleep,
        monotonic=monotonic,
        revisions=revisions,
        fences=fences.before,
    )
    home = Home(settings.home_account, _home_region(settings))
    places = _places(settings, home)
    accounts = {place: AwsAccount(place, role, _shared(options, place, places)) for place, role in places}
    _check_home(settings, accounts[_first(accounts, home)])
    checker = Checker(settings.fluent_bit, told)
    own = own_parts() if settings.guards.self_ == "refuse" else ()
    home_place = _first(accounts, home)
    at_home = accounts[home_place]
    store = _store(settings, at_home)
    shared = at_home.shared_bucket(store.bucket)
    notes = Notes(shared, store.key(STATE, FOLDER), at_home.ecs.now)

    preflights = _preflights(settings, accounts, monotonic)

    def make(place: Place) -> Site:
        return _site(settings, accounts[place], own, Vetting(checker, preflights[place.account]), notes)

    world = World(
        {place: make(place) for place in accounts},
        home,
        home_place,
        shared,
        Ledger(shared, store.key(STATE, "routes"), RouteMemory.from_plain),
        notes,
        Ledger(shared, store.key(STATE, COUNTED), Counted.from_plain, shards=1),
        Guard(settings.guards.max_share, settings.guards.max_count, settings.guards.first_run == "plan"),
        make,
        settings.read_only,
        frozenset(settings.accounts) - {place.account for place in accounts},
        DEFAULT.leaves,
    )
    shards = fences.shards = Shards(world)
    keeper = SpecKeeper(
        source(settings, at_home),
        home,
        world.routes,
        remembers=lambda: remembers and not settings.read_only and shards.holds(at_home.place),
        adds=lambda: remembers and not settings.read_only and bool(shards.held()),
        lua=settings.lua == "allow",
        tenancy=rules(settings),
    )
    return App(settings, world, keeper, revisions, shards, tuple(preflights.values()), at_home.secrets, accounts)


class _Fences:
    """Before each write: whether its place is ours still. Made before what it asks."""

    shards: Shards | None = None

    def before(self, place: Place | None) -> Fence:
        def enter(operation: str, resource: str) -> AbstractContextManager[object]:
            leases = self.shards.leases if self.shards else None
            if leases is None:
                return nullcontext()
            what = f"another replica may hold {place or 'everything'} by now"
            return writing(
                leases, str(place or ""), lambda: LeaseLost(operation, resource, "LeaseLost", f"not sent: {what}")
            )

        return enter


def share(
    app: App, kind: str, *, observer: Observer = NOBODY, awake: Callable[[], float] = seconds_awake_or_asleep
) -> Leases:
    """From now on a place is written to only while we hold its lease. `kind`: one of runtime.leases; `awake`: their
    clock. Nothing is contacted before the first beat.
    """
    settings, home = app.settings, app.world.home_site
    options = replace(_options(settings, observer), config=IMPATIENT, attempts=1)
    account, store = AwsAccount(home.place, Role(), options), home.install.store
    records: LeaseStore
    if settings.lease == "s3":
        records = LeaseFolder(account.bucket(store.bucket), store.key(STATE, LEASES) + "/")
    else:
        records = account.table(settings.lease.removeprefix("dynamodb://"), store.in_bucket(settings.owner))
    places = [str(place) for place in app.world.sites]
    app.shards.leases = Leases(records, places, _own_name(), app.shards, now=awake, kind=kind)
    return app.shards.leases


def _own_name() -> str:
    """For people who read a lease."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname())[:40] or "unnamed"


@dataclass(frozen=True, slots=True)
class Reach:
    """The places that the settings name, and the source: nothing is contacted yet."""

    home: Place
    accounts: dict[Place, AwsAccount]
    source: Callable[[], Source]
    """Raises SourceError."""


def reach(settings: Settings, options: Options) -> Reach:
    """For who looks at each place by itself, and waits a minute for git at most. Raises SettingsError, AwsError."""
    home = Home(settings.home_account, _home_region(settings))
    accounts = {place.whole: AwsAccount(place.whole, role, options) for place, role in _places(settings, home)}
    git = replace(git_options(settings), request_timeout=10.0, fetch_timeout=60.0)
    return Reach(
        Place(home.account or "", home.region or ""),
        accounts,
        lambda: source(settings, accounts[_first(accounts, home)], git),
    )


def home_notes(settings: Settings, now: Callable[[], float]) -> Notes:
    """What people asked for, read. Raises SettingsError, AwsError."""
    objects, store = home_store(settings)
    notes = Notes(objects, store.key(STATE, FOLDER), now)
    notes.ledger.load()
    return notes


def home_store(settings: Settings) -> tuple[ObjectStore, ConfigStore]:
    """The config store of the controller's own account and region. Raises SettingsError, AwsError."""
    if not settings.config_store:
        raise SettingsError("no config store: set `configStore` or LOGROUTE_CONFIG_STORE to s3://bucket/prefix")
    options = _options(settings)
    account = AwsAccount(Place(settings.home_account, _home_region(settings)), Role(), options)
    store = _store(settings, account)
    return account.bucket(store.bucket), store


def store_of(settings: Settings, place: Place) -> tuple[ObjectStore, ConfigStore]:
    """The same of any place of the settings. Raises SettingsError, AwsError."""
    known = dict(_places(settings, Home(settings.home_account, _home_region(settings))))
    role = next((role for one, role in known.items() if one.whole == place.whole), None)
    if role is None or not settings.config_store:
        raise SettingsError(f"the settings know no account and region {place.whole}, or no config store")
    account = AwsAccount(place, role, _options(settings))
    store = _store(settings, account)
    return account.bucket(store.bucket), store


def _home_region(settings: Settings) -> str:
    region = (
        settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _profile_region()
    )
    if not region:
        raise SettingsError("no region: set `region`, LOGROUTE_REGION or AWS_REGION")
    return region


def _profile_region() -> str | None:
    from controller.aws.accounts import default_region

    return default_region()


def _options(settings: Settings, observer: Observer = NOBODY) -> Options:
    return Options(settings.limits.share, observer, hides=DEFAULT.register, guard=_bounds(settings))


def _bounds(settings: Settings) -> operations.Guard:
    """What may be sent at all."""
    writes = set() if settings.read_only else set(operations.WRITES)
    if settings.garbage.revisions != "deregister":
        writes.discard("ecs:DeregisterTaskDefinition")
    return operations.Guard(frozenset(writes), settings.deny.clusters, settings.garbage.configs == "delete")


def _is_denied(settings: Settings, name: str) -> bool:
    role = settings.accounts[name].role_arn
    return bool({name, role.split(":")[4] if role else name} & set(settings.deny.accounts))


def _check_home(settings: Settings, home: AwsAccount) -> None:
    """Whose id it is, only AWS knows. Raises SettingsError, AwsError."""
    asked = any(name.isdecimal() for name in settings.deny.accounts)
    if asked and home.account_id in settings.deny.accounts:
        raise SettingsError(f"deny.accounts: {home.account_id} is the controller's own account")


def _places(settings: Settings, home: Home) -> list[tuple[Place, Role]]:
    """Raises SettingsError where the controller's own account is denied."""
    if home.account in settings.deny.accounts:
        raise SettingsError(f"deny.accounts: {home.account} is the controller's own account")
    found: list[tuple[Place, Role]] = []
    for name, account in settings.accounts.items():
        if _is_denied(settings, name):
            continue
        regions = dict.fromkeys(
            (*account.regions, *((home.region,) if not account.regions or name == home.account else ()))
        )
        role, parts = Role(account.role_arn, account.external_id), account.shards or ("",)
        found += [(Place(name, region or "", part), role) for region in regions for part in parts]
    return found


def _first(places: Iterable[Place], home: Home) -> Place:
    """The controller's own account and region, or the first part of it."""
    whole = Place(home.account or "", home.region or "")
    return next(place for place in places if place.whole == whole)


def _shared(options: Options, place: Place, places: Iterable[tuple[Place, Role]]) -> Options:
    """AWS's rates count for all parts of an account and region together, whoever looks after them."""
    parts = sum(one.whole == place.whole for one, _ in places)
    return replace(options, share=options.share / parts)


def _preflights(
    settings: Settings, accounts: dict[Place, AwsAccount], now: Callable[[], float]
) -> dict[str, Preflight]:
    """One for each account: its roles are those of all its regions, and IAM's rate is one."""
    found: dict[str, Preflight] = {}
    for place, account in accounts.items():
        if place.account not in found:
            rights = Rights(account.iam, account.destinations, now)
            watch = DestinationWatch(account.destinations, now)
            found[place.account] = Preflight(settings.preflight, rights, watch)
    return found


def _site(settings: Settings, account: AwsAccount, own: tuple[str, ...], vetting: Vetting, notes: Notes) -> Site:
    limits: AccountSettings = settings.accounts[account.place.account]
    install, parts = Installation(settings.owner, _store(settings, account)), list(limits.shards)
    at = parts.index(account.place.shard) if parts else 0
    globs = [limits.shards[part] for part in parts]
    earlier, later = (tuple(glob for one in some for glob in one) for some in (globs[:at], globs[at + 1 :]))
    mine = globs[at] if parts else limits.clusters
    bounds = Bounds(mine, earlier, later, first=at == 0, denied=settings.deny.clusters)
    return site(account.place, account, install, notes, bounds=bounds, own=own, vetting=vetting)


def _store(settings: Settings, account: AwsAccount) -> ConfigStore:
    """A role's ARN tells its account; only the controller's own has to be asked for."""
    url, role = settings.config_store or "", settings.accounts[account.place.account].role_arn
    try:
        account_id = role.split(":")[4] if role else account.account_id if needs_account(url) else None
        return config_store(url, account=account_id, region=account.region)
    except StoreUrlError as error:
        raise SettingsError(str(error)) from error
