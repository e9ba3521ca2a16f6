"""A close look at one service: its definition is read only where the quick answer does not do."""

from __future__ import annotations

from controller.api.keys import ServiceKey
from controller.observed.model import ObservedService, observe, observe_deployments
from controller.planning.case import Known, examine, fingerprint
from controller.planning.decide import decide, out_of_reach
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.model import Kind, ServicePlan
from controller.reconciling.checked import checked
from controller.reconciling.keeper import Specs
from controller.reconciling.world import Site
from controller.specs.model import Route


def look(
    site: Site, specs: Specs, service: ObservedService, routes: tuple[Route, ...], *, writes: bool = False
) -> ServicePlan:
    """Raises AwsError. In steady state no call is made: the revision and the specs are those of last time.

    With `writes` the plan is carried out next. A revision's tags may change, and a new one takes them along: so
    what is to be registered is made from the definition as it is now, not as it was kept.
    """
    memory = site.memories.get(str(service.key))
    if unchanged(site, service, routes, memory):
        left_out = memory.left_out if memory else {}
        return ServicePlan(service.key, Kind.NOTHING, base=service.task_definition, left_out=left_out)
    if plan := out_of_reach(service):
        return plan
    known = Known(
        site.install,
        accounted=specs.accounted,
        frozen=specs.frozen,
        unknown=site.memories.unknown(str(service.key)),
        self_arn=site.self_arn,
    )
    history = None
    if service.deploying or (memory is not None and memory.stage is not Stage.SETTLED):
        rows = site.account.ecs.service_deployments(service.key.cluster, service.key.service)
        history = observe_deployments(rows)

    def judged(*, cached: bool) -> ServicePlan:
        described = site.account.ecs.describe_task_definition(service.task_definition, cached=cached)
        return decide(examine(service, described, routes, memory, known, history))

    plan = judged(cached=True)
    return judged(cached=False) if writes and plan.changes and plan.hold is None else plan


def unchanged(site: Site, service: ObservedService, routes: tuple[Route, ...], memory: ServiceMemory | None) -> bool:
    if memory is None:
        return not routes
    return (
        bool(routes)
        and memory.stage is Stage.SETTLED
        and memory.revision == service.task_definition
        and service.status == "ACTIVE"
        and memory.fingerprint == fingerprint(routes, site.install)
    )


def look_afresh(site: Site, specs: Specs, key: ServiceKey) -> ServicePlan | None:
    """The same right before a write, from a DescribeServices of its own. None where the service is gone."""
    found = site.account.ecs.describe_services(key.cluster, [key.service]).found
    if not found:
        return None
    service = observe(key, found[0])
    routes = tuple(specs.index.routes_for_service(key, service.tags, service.family))
    return checked(look(site, specs, service, routes, writes=True), site.checker, start=True)
