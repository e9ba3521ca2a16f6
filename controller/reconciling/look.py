"""A close look at one service: its definition is read only where the quick answer does not do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.deployment_groups import NoGroup
from controller.observed.families import family
from controller.observed.model import CODE_DEPLOY, ObservedService, observe
from controller.planning.case import Case, Known, examine, fingerprint
from controller.planning.decide import decide, hints, out_of_reach
from controller.planning.evidence import Evidence
from controller.planning.memory import ASLEEP, ServiceMemory, Stage
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.planning.rollout import UNPROVEN, needs_tasks
from controller.planning.starters import with_starters
from controller.reconciling.asked import freezing
from controller.reconciling.book import shared
from controller.reconciling.evidence import closer, gather, with_tasks
from controller.reconciling.keeper import Specs
from controller.reconciling.world import Site
from controller.specs.model import Route

UNSEEN = "jobs that start from now on run it; LogRoute does not see how they end"


def look(
    site: Site, specs: Specs, service: ObservedService, routes: tuple[Route, ...], *, writes: bool = False
) -> ServicePlan:
    """Raises AwsError. The service itself, and for a family then what starts it."""
    try:
        plan = _look(site, specs, service, routes, writes=writes)
        if plan.changes and plan.hold is None and service.controller == CODE_DEPLOY:
            site.applier.deployer.check(service.key)
    except NoGroup as error:
        hold = Hold(Reason.DEPLOYMENT_CONTROLLER, str(error))
        return ServicePlan(service.key, Kind.NOTHING, hold=hold, base=service.task_definition)
    if not service.key.is_family:
        return plan
    memory = site.memories.get(str(service.key))
    plan = with_starters(plan, memory, routes, site.book.starters)
    frozen = freezing(site, specs, service.key, [route.key for route in routes], memory)
    return plan.held_by(next(iter(frozen.values()))) if plan.kind is Kind.REPOINT and frozen else plan


def _look(
    site: Site, specs: Specs, service: ObservedService, routes: tuple[Route, ...], *, writes: bool
) -> ServicePlan:
    """Raises AwsError. In steady state no call is made: the revision and the specs are those of last time.

    With `writes` the plan is carried out next. A revision's tags may change, and a new one takes them along: so
    what is to be registered is made from the definition as it is now, not as it was kept.
    """
    memory, now = site.memories.get(str(service.key)), site.account.ecs.now()
    if unchanged(site, service, routes, memory):
        return _as_before(service, memory, now)
    if plan := out_of_reach(service):
        return plan
    deployer = site.applier.deployer
    known = Known(
        site.install,
        accounted=specs.accounted,
        frozen=freezing(site, specs, service.key, [route.key for route in routes], memory),
        policies=specs.policies,
        unknown=site.memories.unknown(str(service.key)),
        own=site.own,
        now=now,
        shared=shared(site.book, service, routes),
    )

    def examined(evidence: Evidence, *, cached: bool = True) -> Case:
        described = site.account.ecs.describe_task_definition(service.task_definition, cached=cached)
        return examine(service, described, routes, memory, known, evidence)

    case = examined(gather(site.account.ecs, deployer, service, memory))
    if needs_tasks(case.watched):
        case = examined(with_tasks(site.account.ecs, service, case.evidence))
    plan = decide(case)
    waiting = plan.hold is not None and plan.hold.reason is Reason.WAITING_FOR_DEPLOYMENT
    if not writes or not (waiting or (plan.changes and plan.hold is None)):
        return plan
    evidence = closer(site.account.ecs, deployer, case)
    return plan if waiting and evidence == case.evidence else decide(examined(evidence, cached=False))


def _as_before(service: ObservedService, memory: ServiceMemory | None, now: float) -> ServicePlan:
    plan = ServicePlan(service.key, Kind.NOTHING, base=service.task_definition, hints=hints(service.key, memory, now))
    if memory is None:
        return plan
    if service.key.is_family:
        return replace(plan, reasons=(Because(Reason.UNPROVEN, UNSEEN),), left_out=memory.left_out)
    reasons = (Because(Reason.UNPROVEN, UNPROVEN),) if memory.progress == ASLEEP else ()
    return replace(plan, reasons=reasons, left_out=memory.left_out)


def has_to_be_read(site: Site, service: ObservedService, routes: Sequence[Route]) -> bool:
    """What the specs ask anew of it tells its definition alone. Whoever else changed it, or what runs, comes first."""
    memory = site.memories.get(str(service.key))
    if not routes or service.status != "ACTIVE":
        return False
    if memory is None:
        return True
    settled = memory.stage is Stage.SETTLED and memory.revision == service.task_definition
    return settled and memory.fingerprint != fingerprint(routes, site.install)


def unchanged(site: Site, service: ObservedService, routes: tuple[Route, ...], memory: ServiceMemory | None) -> bool:
    if memory is None:
        return not routes
    asleep = memory.progress == ASLEEP and service.desired_count == 0 and not service.deploying
    return (
        bool(routes)
        and (memory.stage is Stage.SETTLED or asleep)
        and memory.revision == service.task_definition
        and service.status == "ACTIVE"
        and memory.fingerprint == fingerprint(routes, site.install)
    )


def look_afresh(site: Site, specs: Specs, key: ServiceKey) -> ServicePlan | None:
    """The same right before a write, from a DescribeServices of its own. None where the service is gone."""
    service = family(key.place, site.account.ecs, key.service) if key.is_family else _described(site, key)
    if service is None:
        return None
    routes = tuple(routes_of(specs, service))
    plan = look(site, specs, service, routes, writes=True)
    return site.vetting.vet(plan, routes, site.install.store, start=True)


def routes_of(specs: Specs, service: ObservedService) -> list[Route]:
    """Those that select it, by priority."""
    if service.key.is_family:
        return specs.index.routes_for_family(service.key)
    return specs.index.routes_for_service(service.key, service.tags, service.family)


def _described(site: Site, key: ServiceKey) -> ObservedService | None:
    found = site.account.ecs.describe_services(key.cluster, [key.service]).found
    return observe(key, found[0], troubles=True) if found else None
