"""The composition root: from settings to a world that can be planned, applied and reconciled."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role, Waited
from controller.aws.calls import NOBODY, Observer
from controller.aws.own import own_service
from controller.aws.ports import ObjectStore
from controller.aws.revisions import RevisionCache
from controller.checking.checker import Checker
from controller.desired.compose import Installation
from controller.desired.matching import Home
from controller.desired.model import ConfigStore
from controller.desired.store import StoreUrlError, config_store, needs_account
from controller.planning.guards import Guard
from controller.reconciling.garbage import Collector, Policy
from controller.reconciling.keeper import SpecKeeper
from controller.reconciling.notes import FOLDER, Notes
from controller.reconciling.world import STATE, Site, World, site
from controller.settings import AccountSettings, Settings, SettingsError
from controller.sources import GitOptions, Source, open_source, parse_source
from controller.specs.carry import RouteMemory
from controller.state.ledger import Ledger

REVISIONS = "revisions.sqlite"
DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class App:
    settings: Settings
    world: World
    keeper: SpecKeeper
    revisions: RevisionCache

    def collector(self) -> Collector | None:
        """Of what nothing needs any more. None: the settings want none."""
        wanted = self.settings.garbage
        if "off" == wanted.configs == wanted.revisions:
            return None
        grace = wanted.grace_days * DAY
        return Collector(self.world, Policy(wanted.configs, grace, wanted.revisions, wanted.keep_revisions))


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
    """Nothing is contacted but STS, and only where the config store's name needs the account id. `told` hears of
    each config check: accepted, rejected or unchecked, and why. `sleep` waits for the call budget and between retries.

    Raises SettingsError, SourceError, AwsError.
    """
    _refuse_what_is_not_enforced(settings)
    if not settings.source:
        raise SettingsError("no source: give --source, the setting `source`, or LOGROUTE_SOURCE")
    if not settings.config_store:
        raise SettingsError("no config store: set `configStore` or LOGROUTE_CONFIG_STORE to s3://bucket/prefix")
    revisions = RevisionCache(_cache() / REVISIONS)
    options = Options(settings.limits.share, observer, waited, sleep, monotonic, revisions)
    home = Home(_home_account(settings), _home_region(settings))
    accounts = {place: AwsAccount(place, role, options) for place, role in _places(settings, home)}
    checker = Checker(settings.fluent_bit, told)
    own = own_service() if settings.guards.self_ == "refuse" else ""
    at_home = accounts[Place(home.account or "", home.region or "")]
    own_site = _site(settings, at_home, own, checker)
    others = (
        _site(settings, account, own, checker, own_site.notes)
        for account in accounts.values()
        if account is not at_home
    )
    world = World(
        {one.place: one for one in (own_site, *others)},
        home,
        _routes(settings, at_home),
        Guard(settings.guards.max_share, settings.guards.max_count, settings.guards.first_run == "plan"),
    )
    return App(
        settings,
        world,
        SpecKeeper(
            _source(settings, accounts, home), home, world.routes, remembers=remembers, lua=settings.lua == "allow"
        ),
        revisions,
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
    account = AwsAccount(Place(_home_account(settings), _home_region(settings)), Role(), Options(settings.limits.share))
    store = _store(settings, account)
    return account.bucket(store.bucket), store


def _home_account(settings: Settings) -> str:
    """The controller's own account: `main`, or the first that is entered without a role."""
    own = [name for name, account in settings.accounts.items() if account.role_arn is None]
    if not own:
        raise SettingsError("accounts: none is the controller's own (one without roleArn)")
    return "main" if "main" in own else own[0]


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


def _places(settings: Settings, home: Home) -> list[tuple[Place, Role]]:
    found: list[tuple[Place, Role]] = []
    for name, account in settings.accounts.items():
        regions = dict.fromkeys(
            (*account.regions, *((home.region,) if not account.regions or name == home.account else ()))
        )
        found += [(Place(name, region or ""), Role(account.role_arn, account.external_id)) for region in regions]
    return found


def _site(settings: Settings, account: AwsAccount, own: str, checker: Checker, notes: Notes | None = None) -> Site:
    limits: AccountSettings = settings.accounts[account.place.account]
    install = Installation(settings.owner, _store(settings, account))
    return site(account.place, account, install, clusters=limits.clusters, self_arn=own, checker=checker, notes=notes)


def _store(settings: Settings, account: AwsAccount) -> ConfigStore:
    """A role's ARN tells its account; only the controller's own has to be asked for."""
    url, role = settings.config_store or "", settings.accounts[account.place.account].role_arn
    try:
        account_id = role.split(":")[4] if role else account.account_id if needs_account(url) else None
        return config_store(url, account=account_id, region=account.region)
    except StoreUrlError as error:
        raise SettingsError(str(error)) from error


def _routes(settings: Settings, home: AwsAccount) -> Ledger[RouteMemory]:
    store = _store(settings, home)
    return Ledger(home.bucket(store.bucket), store.key(STATE, "routes"), RouteMemory.from_plain)


def _source(settings: Settings, accounts: dict[Place, AwsAccount], home: Home) -> Source:
    account = accounts[Place(home.account or "", home.region or "")]
    options = GitOptions(
        token_file=settings.git.token_file,
        ssh_key_file=settings.git.ssh_key_file,
        known_hosts_file=settings.git.known_hosts_file,
        token_secret_arn=settings.git.token_secret_arn,
    )
    return open_source(
        parse_source(settings.source),
        git=options,
        bucket=account.bucket,
        secrets=account.secrets,
        cache_dir=_cache(),
    )


def _cache() -> Path:
    """Where git keeps what it fetched: it outlives a restart, so that nothing is fetched twice."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(home) / "logroute"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a read-only root, or no home folder
        return Path(tempfile.mkdtemp(prefix="logroute-"))
    return folder


def _refuse_what_is_not_enforced(settings: Settings) -> None:
    """A protection that is asked for and not there must not look as if it were."""
    for name, asked in (("git.verify", settings.git.verify), ("tenants", settings.tenants)):
        if asked:
            raise SettingsError(
                f"{name} is set, and this version does not enforce it: unset it, or use a later version"
            )
