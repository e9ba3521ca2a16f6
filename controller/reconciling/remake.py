"""Config objects of which both copies are gone: made once more, where the specs still ask for the very same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.api.keys import ServiceKey
from controller.applying.configs import LostForGood
from controller.aws.ports import AwsError
from controller.desired.model import ConfigObject
from controller.observed.inventory import Inventory
from controller.observed.model import ObservedService
from controller.planning.case import Known, examine
from controller.reconciling.keeper import Specs
from controller.reconciling.look import routes_of
from controller.reconciling.world import Site


def still_lost(site: Site, specs: Specs, read: Inventory, lost: Iterable[LostForGood]) -> list[LostForGood]:
    """Costs a DescribeTaskDefinition a service, until its revision is known; so it is for what is lost alone. A
    failure on the way leaves it lost until the next pass.
    """
    gone = {one.path: one for one in lost}
    for text, memory in site.memories.items():
        service = read.services.get(ServiceKey.parse(text))
        if service is None or not gone.keys() & set(memory.configs):
            continue
        try:
            for config in _asked_for(site, specs, service):
                if config.path in gone:
                    site.shelf.put(config)
                    del gone[config.path]
        except AwsError:
            continue
    return list(gone.values())


def _asked_for(site: Site, specs: Specs, service: ObservedService) -> Iterator[ConfigObject]:
    routes = routes_of(specs, service)
    if routes:
        described = site.account.ecs.describe_task_definition(service.task_definition)
        case = examine(service, described, routes, site.memories.get(str(service.key)), Known(site.install))
        yield from case.desired.configs if case.desired else ()
