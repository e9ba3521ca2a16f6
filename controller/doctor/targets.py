"""The specs against the world: does what routes name exist, and for how long will the first pass read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.api.globs import glob_pattern, is_glob, selected
from controller.api.keys import Place
from controller.aws.limiter import FAMILIES
from controller.aws.probe import Probe, Tried
from controller.doctor.model import HERE, Finding, Sheet
from controller.settings import AccountSettings
from controller.specs.model import Route

PAGE, DESCRIBED = 100, 10
MANY_REVISIONS = 30_000
"""As many bodies of 2 KB as the cache holds (aws/revisions.py)."""
PAGES = 60
"""Of names at most that are listed per cluster: 6,000 services, and a cluster has 5,000 (Amazon ECS service quotas)."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The services of a place by cluster, as far as they could be listed."""

    services: Mapping[str, tuple[str, ...]]
    whole: bool

    @property
    def count(self) -> int:
        return sum(map(len, self.services.values()))


def inventory(probe: Probe, account: AccountSettings, wanted: Iterable[str]) -> Inventory:
    """Of the clusters that the settings allow, and routes name (`wanted`, globs too)."""
    arns, whole = _pages(probe, "ListClusters", "clusterArns", "all clusters")
    names = [arn.rpartition("/")[2] for arn in arns]
    patterns = [glob_pattern(one) for one in wanted]
    reached = [
        name
        for name in names
        if (not account.clusters or selected(account.clusters, name)) and any(one.fullmatch(name) for one in patterns)
    ]
    found: dict[str, tuple[str, ...]] = {}
    for name in reached:
        services, all_of_them = _pages(probe, "ListServices", "serviceArns", f"cluster {name}", cluster=name)
        found[name] = tuple(arn.rpartition("/")[2] for arn in services)
        whole = whole and all_of_them
    return Inventory(found, whole)


def _pages(probe: Probe, operation: str, field: str, resource: str, **arguments: str) -> tuple[list[str], bool]:
    found: list[str] = []
    token: dict[str, str] = {}
    for _ in range(PAGES):
        tried: Tried = probe.call("ecs", operation, resource, maxResults=PAGE, **arguments, **token)
        found += tried.answer.get(field, ())
        if tried.error or not tried.answer.get("nextToken"):
            return found, tried.error is None
        token = {"nextToken": tried.answer["nextToken"]}
    return found, False


def place_of(route: Route, home: Place) -> Place:
    target = route.document.spec.target
    return Place(target.account or home.account, target.region or home.region)


def unknown_places(routes: Sequence[Route], places: Iterable[Place], home: Place) -> Iterator[Finding]:
    """Routes that lead where the settings do not go."""
    known, sheet = set(places), Sheet(HERE)
    for route in routes:
        if (place := place_of(route, home)) not in known:
            hint = "Correct target.account and target.region, or add them to the setting accounts"
            yield sheet.warn("targets", f"{route.key}: the settings know no {place} ({route.file}:{route.line})", hint)


def matches(sheet: Sheet, routes: Sequence[Route], found: Inventory) -> Iterator[Finding]:
    """`routes`: those that lead to this place."""
    right = 0
    for route in routes:
        if problem := _missing(route, found):
            yield sheet.warn("targets", f"{route.key}: {problem} ({route.file}:{route.line})", "Correct the target")
        else:
            right += 1
    if right and found.whole:
        yield sheet.ok("targets", f"{right} of {len(routes)} routes find what they name")


def _missing(route: Route, found: Inventory) -> str:
    target = route.document.spec.target
    if not found.whole or target.cluster is None:
        return ""
    pattern = glob_pattern(target.cluster)
    clusters = [name for name in found.services if pattern.fullmatch(name)]
    if not clusters:
        kind = "no cluster matches" if is_glob(target.cluster) else "there is no cluster"
        return f"{kind} {target.cluster}"
    names = [name for cluster in clusters for name in found.services[cluster]]
    if target.services and not target.task_families and not any(selected(target.services, name) for name in names):
        return f"no service in {', '.join(clusters[:3])} matches {', '.join(target.services)}"
    return ""


def first_pass(sheet: Sheet, found: Inventory, share: float) -> Finding:
    """How long a first pass reads, by the rates of "Request throttling for the Amazon ECS API" and `limits.share`.

    Each service's definition is read once and remembered.
    """
    services = found.count
    listing = sum(-(-len(names) // PAGE) + -(-len(names) // DESCRIBED) for names in found.services.values())
    seconds = _seconds("ecs:service-read", listing, share) + _seconds("ecs:task-definition-read", services, share)
    took = "about a second" if seconds < 1 else f"about {seconds:,.0f} s"
    message = f"{services:,} services in reach: a first pass reads for {took} at limits.share {share:g}"
    if services > MANY_REVISIONS:
        hint = (
            "The cache of revisions may not hold them all: divide the services among controllers by accounts.clusters"
        )
        return sheet.warn("quotas", message, hint)
    return sheet.ok("quotas", message)


def _seconds(family: str, calls: int, share: float) -> float:
    rate = FAMILIES[family]
    return max(0.0, calls - rate.burst * share) / (rate.sustained * share)
