"""Reads services and config objects through the ports, in the fewest calls.

Per cluster: one ListServices a hundred services, one DescribeServices ten; per config store: one
ListObjectsV2 a thousand objects. Task definitions are read only where a service has to be planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from controller.api.globs import glob_pattern, is_glob
from controller.api.keys import Place, ServiceKey
from controller.aws.ports import Account, AwsError, NotFound, ObjectInfo
from controller.observed.model import ObservedService, observe

AT_ONCE = 10
"""Raw services held at one time, as many as one DescribeServices takes: with a full event list each is 60 KB.
A hundred at a time made the pass take a third more CPU, for they no longer fit into the processor's cache.
"""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was read of one place. `errors`: cluster (or "") → the AwsError that kept it from being read."""

    place: Place
    services: Mapping[ServiceKey, ObservedService]
    clusters: frozenset[str]
    missing_clusters: frozenset[str] = frozenset()
    errors: Mapping[str, AwsError] = field(default_factory=dict)
    covers: Callable[[ServiceKey], bool] = lambda _key: True
    """Whether a service of its account and region is of this place."""

    def holds(self, key: ServiceKey) -> bool:
        return key.place == self.place.whole and self.covers(key)


def take(
    place: Place,
    account: Account,
    wanted: Iterable[str],
    covers: Callable[[ServiceKey], bool] = lambda _key: True,
    within: Callable[[str], bool] = lambda _cluster: True,
) -> Inventory:
    """All services of the clusters that `wanted` (names and globs) selects, of those that are `within`. Never raises
    AwsError.
    """
    services: dict[ServiceKey, ObservedService] = {}
    missing: set[str] = set()
    errors: dict[str, AwsError] = {}
    clusters: list[str] = []
    try:
        clusters = [one for one in _clusters(account, list(wanted)) if within(one)]
    except AwsError as error:
        errors[""] = error
    for cluster in clusters:
        try:
            services.update(_services(place, account, cluster))
        except NotFound:
            missing.add(cluster)
        except AwsError as error:
            errors[cluster] = error
    return Inventory(place, services, frozenset(clusters) - missing, frozenset(missing), errors, covers)


def _clusters(account: Account, wanted: list[str]) -> list[str]:
    """Plain names cost nothing here; a glob costs ListClusters."""
    plain = {name for name in wanted if not is_glob(name)}
    globs = [name for name in wanted if is_glob(name)]
    if globs:
        there = account.ecs.list_clusters()
        plain |= {name for name in there if any(glob_pattern(glob).fullmatch(name) for glob in globs)}
    return sorted(plain)


def _services(place: Place, account: Account, cluster: str) -> Iterator[tuple[ServiceKey, ObservedService]]:
    names = iter([arn.rsplit("/", 1)[-1] for arn in account.ecs.list_services(cluster)])
    while some := list(islice(names, AT_ONCE)):
        for raw in account.ecs.describe_services(cluster, some).found:
            key = ServiceKey(place.whole, cluster, str(raw["serviceName"]))
            yield key, observe(key, raw)


def objects(account: Account, bucket: str, prefix: str) -> dict[str, ObjectInfo]:
    """Everything in the config store, by key below its prefix. Raises AwsError."""
    start = f"{prefix}/" if prefix else ""
    return {info.key.removeprefix(start): info for info in account.bucket(bucket).list(start)}
