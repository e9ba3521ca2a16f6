"""All checks, in the order in which one rests on the other; places side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from controller.api.globs import glob_pattern, selected
from controller.api.keys import Place
from controller.api.problems import Severity
from controller.app import Reach
from controller.aws.ports import AwsError
from controller.aws.probe import Probe
from controller.desired.store import StoreUrlError, config_store, partition
from controller.doctor import here, identity, rights, store, targets, writes
from controller.doctor.model import HERE, Finding, Sheet, Verdict
from controller.rules import rules
from controller.settings import Settings, SettingsError
from controller.sources.errors import SourceError
from controller.specs.load import Loader
from controller.specs.model import Route, SpecSet

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Examined:
    """What the checks work with. `specs` None: the source cannot be read."""

    settings: Settings
    reach: Reach
    now: Callable[[], float]
    writes: bool
    """Whether the config store may be proved by a probe object."""
    specs: SpecSet | None = None

    def routes(self, place: Place) -> list[Route]:
        found = self.specs.routes if self.specs else ()
        return [route for route in found if targets.place_of(route, self.reach.home) == place]


def examine(settings: Settings, reach: Reach, now: Callable[[], float], *, read_only: bool) -> Iterator[Finding]:
    yield from here.look(settings)
    specs, found = _specs(settings, reach)
    yield from found
    all_of_it = Examined(settings, reach, now, not read_only, specs)
    if specs:
        yield from targets.unknown_places(specs.routes, reach.accounts, reach.home)
        yield from here.unchecked(settings, {route.engine for route in specs.routes})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for part in pool.map(lambda place: _safely(all_of_it, place), reach.accounts):
            yield from part


def _specs(settings: Settings, reach: Reach) -> tuple[SpecSet | None, list[Finding]]:
    sheet = Sheet(HERE)
    if not settings.source:
        hint = "Give --source, the setting source, or LOGROUTE_SOURCE"
        return None, [sheet.fail("source", "none is set", hint)]
    try:
        snapshot = reach.source().poll(None)
    except SourceError as error:
        return None, [sheet.fail("source", f"{error.reason}: {error.message}", error.hint or "Look at the source")]
    except SettingsError as error:
        return None, [sheet.fail("source", str(error), "Correct the file or the variable")]
    except AwsError as error:
        return None, [sheet.failed("source", error)]
    specs = Loader(lua=settings.lua == "allow", tenancy=rules(settings)).load(snapshot)
    found = [sheet.ok("source", f"{len(snapshot.files)} files at {snapshot.revision}")]
    wrong = sum(one.severity is Severity.ERROR for one in specs.problems)
    if wrong:
        hint = "logroute validate says where; a route that is wrong keeps its last good version"
        found.append(sheet.warn("specs", f"{wrong} errors, {len(specs.routes)} valid routes", hint))
    elif not specs.routes:
        found.append(sheet.warn("specs", "there is no LogRoute", "Point the source at the folder with the specs"))
    else:
        found.append(sheet.ok("specs", f"{len(specs.routes)} routes, no errors"))
    return specs, found


def _safely(examined: Examined, place: Place) -> Sequence[Finding]:
    """One place's failure is one place's line; what was found before it stays."""
    found: list[Finding] = []
    try:
        found.extend(_place(examined, place))
    except Exception as error:  # noqa: BLE001 - an answer of another shape than AWS's
        hint = "Check AWS_ENDPOINT_URL, and what stands between here and AWS; if that is AWS itself, report it"
        found.append(Sheet(str(place)).fail("place", f"{type(error).__name__}: {error}", hint))
    return found


def _place(examined: Examined, place: Place) -> Iterator[Finding]:
    sheet, probe = Sheet(str(place)), Probe(examined.reach.accounts[place])
    account = examined.settings.accounts[place.account]
    asked = identity.ask(probe)
    yield identity.credentials(sheet, asked, account.role_arn)
    yield from identity.clock(sheet, asked, examined.now())
    who = identity.identity_of(asked)
    if who is None:
        return
    yield from _store(examined, sheet, probe, who.account)
    yield from _ecs(examined, sheet, probe, who)


def _store(examined: Examined, sheet: Sheet, probe: Probe, account: str) -> Iterator[Finding]:
    url, region = examined.settings.config_store, probe.place.region
    if not url:
        hint = "Set configStore or LOGROUTE_CONFIG_STORE to s3://bucket/prefix"
        yield sheet.fail("bucket", "no config store is set", hint)
        return
    try:
        named = config_store(url, account=account, region=region)
    except StoreUrlError as error:
        yield sheet.fail("bucket", str(error), "Correct configStore")
        return
    own = "{account}" in url or probe.place.account == examined.reach.home.account
    bucket = store.Bucket(probe, named, account if own else "")
    first = store.there(sheet, bucket, region)
    yield first
    if first.verdict is Verdict.FAIL:
        return
    yield from store.configuration(sheet, bucket)
    yield from store.reading(sheet, bucket)
    if examined.writes:
        yield from store.writing(sheet, bucket)


def _ecs(examined: Examined, sheet: Sheet, probe: Probe, who: identity.Identity) -> Iterator[Finding]:
    place, settings = probe.place, examined.settings
    routes = examined.routes(place)
    wanted = {route.document.spec.target.cluster or "" for route in routes} - {""}
    found = targets.inventory(probe, settings.accounts[place.account], wanted)
    cluster = next(iter(found.services), rights.NOBODY)
    calls = rights.everywhere(cluster, partition(place.region), place.region, who.account)
    yield from rights.tried(sheet, probe, calls)
    if any(route.document.spec.target.task_families for route in routes):
        yield from rights.tried(sheet, probe, rights.JOBS)
    yield from rights.tried(sheet, probe, rights.CODEDEPLOY, only_for="services under CODE_DEPLOY")
    if examined.specs:
        yield from targets.matches(sheet, routes, found)
    if found.whole:
        yield targets.first_pass(sheet, found, settings.limits.share)
    if routes:
        yield from writes.simulated(sheet, probe, who, _sample(probe, routes, found))


def _sample(probe: Probe, routes: Sequence[Route], found: targets.Inventory) -> writes.Sample | None:
    """The first service that a route names."""
    for route in routes:
        target = route.document.spec.target
        for cluster, names in found.services.items():
            if target.cluster and glob_pattern(target.cluster).fullmatch(cluster):
                for name in names:
                    if selected(target.services, name):
                        return writes.sample(probe, cluster, name)
    return None
