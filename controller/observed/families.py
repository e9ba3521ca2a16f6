"""Task families that jobs are started from: each is looked at as a service that is told to run its latest revision.

Per place, and only where a route has `taskFamilies` or a family of ours is remembered: one ListTaskDefinitionFamilies a
hundred families for each beginning that globs share, and one ListTaskDefinitions a family.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from controller.api.globs import is_glob, selected
from controller.api.keys import FAMILY, Place, ServiceKey
from controller.aws.ports import Account, AwsError, Ecs
from controller.observed.inventory import Inventory
from controller.observed.model import ObservedService, observe


def with_families(
    read: Inventory, account: Account, wanted: Iterable[tuple[str, ...]], remembered: Iterable[str]
) -> Inventory:
    """`wanted`: the `taskFamilies` of each route. Never raises AwsError: as a cluster that cannot be read."""
    globs, names = set(wanted), set(remembered)
    if not globs and not names:
        return read
    try:
        names |= _named(account.ecs, globs)
        found = _families(read.place, account.ecs, names)
    except AwsError as error:
        return replace(read, errors={**read.errors, FAMILY: error})
    return replace(read, services={**read.services, **found}, clusters=read.clusters | {FAMILY})


def family(place: Place, ecs: Ecs, name: str) -> ObservedService | None:
    """None where it has no ACTIVE revision: nothing can be started from it. Raises AwsError."""
    newest = ecs.latest_revisions(name)
    raw = {"taskDefinition": newest[0], "status": "ACTIVE"} if newest else None
    return observe(ServiceKey.family(place.whole, name), raw) if raw else None


def users_of(services: Mapping[ServiceKey, ObservedService]) -> dict[str, tuple[str, ...]]:
    """Family → the ACTIVE services that run a revision of it."""
    found: dict[str, tuple[str, ...]] = {}
    for key, service in services.items():
        if not key.is_family and service.status == "ACTIVE":
            found[service.family] = (*found.get(service.family, ()), key.short)
    return found


def _named(ecs: Ecs, wanted: Iterable[tuple[str, ...]]) -> set[str]:
    """A family that is named in full is not listed."""
    names = {name for globs in wanted for name in globs if not is_glob(name) and selected(globs, name)}
    patterns = [globs for globs in wanted if any(map(is_glob, _included(globs)))]
    for prefix in _prefixes(patterns):
        names |= {name for name in ecs.list_families(prefix) if any(selected(globs, name) for globs in patterns)}
    return names


def _included(globs: Iterable[str]) -> list[str]:
    return [glob for glob in globs if not glob.startswith("!")]


def _prefixes(patterns: Iterable[tuple[str, ...]]) -> list[str]:
    """What familyPrefix can narrow the listing to; one beginning covers those that begin with it."""
    begins = {re.split(r"[*?]", glob)[0] for globs in patterns for glob in _included(globs) if is_glob(glob)}
    return [one for one in sorted(begins) if not any(one != other and one.startswith(other) for other in begins)]


def _families(place: Place, ecs: Ecs, names: Iterable[str]) -> dict[ServiceKey, ObservedService]:
    found = (family(place, ecs, name) for name in sorted(names))
    return {one.key: one for one in found if one is not None}
