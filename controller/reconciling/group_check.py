"""Which log groups the services of a place need, and how they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.api.keys import ServiceKey
from controller.applying.group_watch import GroupNews
from controller.observed.inventory import Inventory
from controller.planning.groups import Group, needs
from controller.planning.memory import ServiceMemory
from controller.reconciling.asked import freezing
from controller.reconciling.keeper import Specs
from controller.reconciling.world import Site


def check_groups(site: Site, specs: Specs, read: Inventory, *, repair: bool) -> GroupNews:
    """Put right without a revision or a rollout, so no guard counts it. Makes no call where none is remembered."""
    return site.watch.check(needs(_wanted(site, specs, read)), repair=repair)


def _wanted(site: Site, specs: Specs, read: Inventory) -> Iterator[tuple[ServiceKey, Iterable[Group], str]]:
    """What services need that are there; of a cluster that could not be read nobody knows, so nothing is written."""
    for text, memory in site.memories.items():
        if not memory.groups:
            continue
        key = ServiceKey.parse(text)
        service = read.services.get(key)
        if service is not None and service.status == "ACTIVE":
            yield key, memory.groups, _held(site, specs, key, memory)
        elif "" in read.errors or key.cluster in read.errors:
            yield key, memory.groups, f"cluster {key.cluster} could not be read"


def _held(site: Site, specs: Specs, key: ServiceKey, memory: ServiceMemory) -> str:
    """A frozen route freezes the services that it shares, their groups with them."""
    return next((hold.message for hold in freezing(site, specs, key, (), memory).values()), "")
