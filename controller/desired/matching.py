"""Which routes select which services and containers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import merge

from controller.api.globs import glob_pattern, is_glob, selected
from controller.api.keys import ServiceKey
from controller.api.kinds import Target
from controller.desired.subject import Subject
from controller.specs.model import Route


class Undecidable(Exception):
    """Whether the route matches depends on something that is not known here (a cluster, service tags)."""

    def __init__(self, route: str, needs: str) -> None:
        super().__init__(route, needs)
        self.route, self.needs = route, needs


def priority(route: Route) -> tuple[int, str]:
    """Sort key: higher priority first, then namespace/name."""
    return -route.document.spec.priority, route.key


@dataclass(frozen=True, slots=True)
class Home:
    """What an absent `target.account` and `target.region` mean."""

    account: str | None
    region: str | None


class RouteIndex:
    """The routes of a SpecSet, so that looking up a service does not walk all of them.

    Routes that name one cluster and plain services sit in a dictionary. Of the rest, those are tried one by one
    that name the service's cluster, or a glob of clusters.
    """

    def __init__(self, routes: Iterable[Route], home: Home) -> None:
        self._home = home
        self._exact: dict[tuple[str, str], list[Route]] = defaultdict(list)
        self._others: list[Route] = []
        self._by_cluster: dict[str, list[Route]] = defaultdict(list)
        self._by_glob: list[Route] = []
        self._of_families: list[Route] = []
        for route in sorted(routes, key=priority):
            target = route.document.spec.target
            cluster = target.cluster if target.cluster and not is_glob(target.cluster) else None
            if target.task_families:
                self._of_families.append(route)
            plain = cluster and target.services and not any(map(is_glob, target.services))
            if cluster and plain and not target.task_families:
                for service in set(target.services):
                    self._exact[(cluster, service)].append(route)
                continue
            self._others.append(route)
            if cluster:
                self._by_cluster[cluster].append(route)
            elif target.cluster:
                self._by_glob.append(route)

    def may_select(self, key: ServiceKey) -> bool:
        """Whether a route selects the service, whatever its tags are."""
        exact = self._exact.get((key.cluster, key.service), [])
        place = key.place
        subject = Subject(place.account, place.region, key.cluster, key.service, "", {}, None)
        for route in (*exact, *self._rest(key.cluster)):
            try:
                if matches(route, subject, self._home):
                    return True
            except Undecidable:
                return True
        return False

    def routes_for_service(self, key: ServiceKey, tags: Mapping[str, str], family: str) -> list[Route]:
        """The routes that select a live service, by priority."""
        place = key.place
        return self.routes_for(Subject(place.account, place.region, key.cluster, key.service, family, {}, tags))

    def routes_for_family(self, key: ServiceKey) -> list[Route]:
        """The routes that select a task family by its name, by priority."""
        subject = Subject(key.place.account, key.place.region, None, None, key.service, {})
        return [route for route in self._of_families if matches(route, subject, self._home)]

    def routes_for(self, subject: Subject) -> list[Route]:
        """The routes that select `subject`, by priority. Raises Undecidable."""
        exact = self._exact.get((subject.cluster or "", subject.service or ""), [])
        if subject.cluster is None:
            exact = [
                route for (_, service), some in self._exact.items() if service == subject.service for route in some
            ]
        candidates = {route.key: route for route in (*exact, *self._rest(subject.cluster))}
        return sorted((one for one in candidates.values() if matches(one, subject, self._home)), key=priority)

    def _rest(self, cluster: str | None) -> Iterable[Route]:
        """By priority. A route without a cluster selects families, which a service in a cluster is not."""
        if cluster is None:
            return self._others
        return merge(self._by_cluster.get(cluster, ()), self._by_glob, key=priority)


def matches(route: Route, subject: Subject, home: Home) -> bool:
    """Raises Undecidable where all that is known matches, and something unknown counts."""
    target = route.document.spec.target
    if not _same(target.account or home.account, subject.account):
        return False
    if not _same(target.region or home.region, subject.region):
        return False
    if _is_family(subject) and selected(target.task_families, subject.family):
        return True
    return _matches_service(route, target, subject)


def _matches_service(route: Route, target: Target, subject: Subject) -> bool:
    if subject.service is None or target.cluster is None:
        return False
    if target.services and not _names(target.services, subject.service):
        return False
    if not target.services and not target.service_selector:
        return False
    if subject.cluster is None and target.cluster != "*":
        raise Undecidable(route.key, f"its target names the cluster {target.cluster!r}: give --cluster")
    if subject.cluster is not None and not glob_pattern(target.cluster).fullmatch(subject.cluster):
        return False
    if target.service_selector is None:
        return True
    if subject.tags is None:
        raise Undecidable(route.key, "its serviceSelector looks at the tags of the live service")
    return all(subject.tags.get(key) == value for key, value in target.service_selector.match_tags.items())


def _names(globs: tuple[str, ...], name: str) -> bool:
    """Most targets are one plain name, and ten thousand patterns take seconds and megabytes."""
    return globs == (name,) or selected(globs, name)


def _is_family(subject: Subject) -> bool:
    """No live service, but a definition that may be a job's: what `inject` has without --service."""
    return subject.cluster is None and subject.service in (None, subject.family)


def _same(wanted: str | None, there: str | None) -> bool:
    return wanted is None or there is None or wanted == there


def containers_of(route: Route, names: Iterable[str]) -> tuple[str, ...]:
    """The application containers that the route selects, in the definition's order."""
    globs = route.document.spec.target.containers
    return tuple([name for name in names if not globs or _names(globs, name)])
