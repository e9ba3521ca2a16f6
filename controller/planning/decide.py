"""The next step for one service, or what holds it. Reads from top to bottom; the first that applies counts."""

from __future__ import annotations

from dataclasses import replace

from controller.api.conditions import Reason
from controller.observed.model import ObservedService
from controller.planning.case import Case, fingerprint
from controller.planning.drift import differences
from controller.planning.memory import Stage
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.planning.rollout import Rollout, Verdict, foreign_deployment, judge
from controller.taskdef.body import Body
from controller.taskdef.overlay import comparable, put

LOOK_AGAIN = 15.0
"""Seconds until a rollout or somebody's deployment is looked at again."""


def out_of_reach(service: ObservedService) -> ServicePlan | None:
    """A service that UpdateService cannot roll out, whatever its definition says."""
    if service.status != "ACTIVE":
        hold = Hold(Reason.SERVICE_INACTIVE, f"the service is {service.status}")
    elif service.controller != "ECS":
        hold = Hold(
            Reason.DEPLOYMENT_CONTROLLER,
            f"its deployment controller is {service.controller}; run `logroute inject` in what deploys it",
        )
    else:
        return None
    return ServicePlan(service.key, Kind.NOTHING, hold=hold, base=service.task_definition)


def decide(case: Case) -> ServicePlan:
    plan = _wanted(case)
    if not plan.changes or plan.hold:
        return plan
    hold = _first_hold(case, plan)
    return plan.held_by(hold) if hold else plan


def _wanted(case: Case) -> ServicePlan:
    """What the service needs, leaving aside whether it may be written now."""
    service, memory = case.service, case.memory
    plan = ServicePlan(
        service.key,
        Kind.NOTHING,
        base=service.task_definition,
        before=case.current,
        app=case.app,
        primary=service.primary.id if service.primary else "",
        running=case.running,
        fingerprint=fingerprint(case.routes, case.known.install),
        policy=case.routes[0].document.spec.deletion_policy if case.routes else "restore",
        left_out=case.desired.left_out if case.desired else {},
    )
    if case.refusal or case.stripped is None:
        return plan.held_by(case.refusal or Hold(Reason.UNKNOWN, "the definition could not be read"))
    rollout = judge(service, memory, case.history)
    if rollout.verdict is Verdict.ROLLED_BACK and memory is not None:
        because = (Because(Reason.ROLLED_BACK, rollout.reason),)
        return _as(plan, Kind.HOLD_DIGEST, *because)
    if memory and (lost := sorted(route for route in memory.routes if route not in case.known.accounted)):
        why = f"{', '.join(lost)} routed it, and is neither readable nor known to be deleted"
        return plan.held_by(Hold(Reason.UNKNOWN, why))
    if not case.routes:
        return _leaving(case, plan, rollout)
    return _routed(case, plan, rollout)


def _routed(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    assert case.stripped is not None and case.desired is not None and case.desired.overlay is not None  # noqa: S101, PT018
    after = put(case.stripped.app, case.desired.overlay)
    plan = _with(plan, case, after)
    if _is_what_was_applied(case, plan) or comparable(after) == comparable(case.current):
        if failed := _held_digest(case, plan):
            return plan.held_by(failed)
        if rollout.verdict is Verdict.ROLLING:
            return _as(plan, Kind.WATCH, Because(Reason.ROLLING_OUT, rollout.reason))
        return _as(plan, Kind.ADOPT, Because(Reason.IN_SYNC, "the service runs what the specs ask for"))
    if case.stripped.originals is None:
        return _as(plan, Kind.ROUTE).held_by(
            Hold(Reason.UNKNOWN, "the router's labels are lost and what was there before is not remembered")
        )
    return _as(plan, Kind.ROUTE, *differences(case, after))


def _is_what_was_applied(case: Case, plan: ServicePlan) -> bool:
    """A revision never changes: what was right when we registered or found it is right, whatever ECS shows of it."""
    memory = case.memory
    return (
        memory is not None
        and memory.stage is not Stage.ASKED
        and memory.revision == case.service.task_definition
        and memory.digest == plan.digest
        and memory.app == plan.app
    )


def _held_digest(case: Case, plan: ServicePlan) -> Hold | None:
    held = case.memory.held.get(plan.digest) if case.memory else None
    if held and held.app == plan.app:
        return Hold(Reason.ROLLED_BACK, f"{held.reason}; held until the specs or the application change")
    return None


def _restored(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """The originals are back in the definition; only a finished rollout is the end of it."""
    memory = case.memory
    if memory is None:
        return plan
    if rollout.verdict is Verdict.ROLLING:
        return _as(plan, Kind.WATCH, Because(Reason.ROLLING_OUT, rollout.reason))
    if rollout.verdict is Verdict.COMPLETED or not case.service.deploying:
        return _as(plan, Kind.FORGET)
    return plan.held_by(
        Hold(Reason.WAITING_FOR_DEPLOYMENT, "a deployment without the router is in progress", LOOK_AGAIN)
    )


def _leaving(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    assert case.stripped is not None  # noqa: S101
    memory = case.memory
    if case.stripped.router is None:
        return _restored(case, plan, rollout)
    if memory is None:
        return plan.held_by(
            Hold(Reason.UNKNOWN, "it carries our router, but nothing is remembered of it: left as it is")
        )
    for route in sorted(memory.routes):
        if route in case.known.frozen:
            return plan.held_by(case.known.frozen[route])
    if memory.policy == "orphan":
        return plan.held_by(Hold(Reason.ORPHANED, "deletionPolicy is orphan: the router stays"))
    plan = _with(plan, case, case.stripped.app)
    gone = ", ".join(sorted(memory.routes)) or "no route"
    return _as(plan, Kind.RESTORE, Because(Reason.ROUTE_GONE, f"{gone} left the service"))


def _first_hold(case: Case, plan: ServicePlan) -> Hold | None:
    """Everything that can stop a write. In doubt the service stays as it is."""
    service, memory = case.service, case.memory
    if case.known.unknown:
        return Hold(Reason.UNKNOWN, case.known.unknown)
    if service.arn and case.known.self_arn == service.arn:
        return Hold(Reason.SELF, "this is the controller's own service; set guards.self: allow to route it")
    if memory is None and case.stripped is not None and case.stripped.router is not None:
        return Hold(Reason.UNKNOWN, "it carries our router, but what was applied is not remembered: left as it is")
    if hold := _asked_to_wait(case):
        return hold
    if failed := _held_digest(case, plan):
        return failed
    if running := foreign_deployment(service, memory, case.history):
        return Hold(Reason.WAITING_FOR_DEPLOYMENT, running, LOOK_AGAIN)
    return None


def _asked_to_wait(case: Case) -> Hold | None:
    return next((case.known.frozen[route.key] for route in case.routes if route.key in case.known.frozen), None)


def _with(plan: ServicePlan, case: Case, after: Body) -> ServicePlan:
    originals = case.stripped.originals.as_plain() if case.stripped and case.stripped.originals else {}
    return replace(plan, after=after, desired=case.desired, originals=originals)


def _as(plan: ServicePlan, kind: Kind, *reasons: Because) -> ServicePlan:
    return replace(plan, kind=kind, reasons=reasons)
