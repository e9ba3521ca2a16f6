"""Everything that can stop a write. In doubt the service stays as it is."""

from __future__ import annotations

from controller.api.conditions import Reason
from controller.planning.case import Case
from controller.planning.memory import ServiceMemory
from controller.planning.model import Hold, Kind, ServicePlan
from controller.planning.others import router_is_failing, wait_for

CONTESTED = (
    "somebody set the service back three times within an hour; make them use `logroute inject`, then change a spec or "
    "run: logroute reconcile"
)


def first_hold(case: Case, plan: ServicePlan) -> Hold | None:
    """The first that applies counts."""
    service, memory = case.service, case.memory
    if case.known.unknown:
        return Hold(Reason.UNKNOWN, case.known.unknown)
    if case.known.own and {service.arn, service.task_definition.rpartition(":")[0]} & set(case.known.own):
        return Hold(Reason.SELF, "this is the controller's own service or family; set guards.self: allow to route it")
    if memory is None and case.stripped is not None and case.stripped.router is not None:
        return Hold(Reason.UNKNOWN, "it carries our router, but what was applied is not remembered: left as it is")
    if hold := asked_to_wait(case):
        return hold
    if plan.kind is Kind.ROLL_BACK:
        return None
    if case.known.shared and plan.kind is Kind.ROUTE:
        return Hold(Reason.SHARED_FAMILY, case.known.shared)
    if failed := held_digest(memory, plan):
        return failed
    if memory is not None and memory.contested and memory.contested == plan.fingerprint:
        return Hold(Reason.CONTESTED, CONTESTED)
    return None if router_is_failing(case.watched) else _theirs(case, plan)


def _theirs(case: Case, plan: ServicePlan) -> Hold | None:
    """Somebody's deployment: its end is watched for, or the service is left to the next pass."""
    hold = wait_for(case.watched)
    if hold is None or plan.rollout.when_deploying == "wait":
        return hold
    return Hold(hold.reason, f"{hold.message}; skipped until the next pass (rollout.whenDeploying)")


def asked_to_wait(case: Case) -> Hold | None:
    return next(iter(case.known.frozen.values()), None)


def held_digest(memory: ServiceMemory | None, plan: ServicePlan) -> Hold | None:
    held = memory.held.get(plan.digest) if memory else None
    if held and held.app == plan.app:
        return Hold(Reason.ROLLED_BACK, f"{held.reason}; held until the specs or the application change")
    return None
