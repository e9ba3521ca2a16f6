"""The next step for one service, or what holds it. Reads from top to bottom; the first that applies counts."""

from __future__ import annotations

from dataclasses import replace

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.observed.model import CODE_DEPLOY, ObservedService
from controller.planning.case import Case, asked, fingerprint
from controller.planning.drift import differences
from controller.planning.holds import CONTESTED, asked_to_wait, first_hold
from controller.planning.in_place import ON_ITS_WAY, ended, in_place, watch
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.model import NO_ROUTE, Because, Hold, Kind, ServicePlan
from controller.planning.others import LOOK_AGAIN, once_too_often
from controller.planning.remember import going_back, rolled_back
from controller.planning.rollout import Rollout, Verdict, judge
from controller.taskdef.body import Body
from controller.taskdef.ignoring import put_but
from controller.taskdef.overlay import comparable, put_away

HINTED = 7 * 24 * 3600.0
"""Seconds for which a deploy without the router is worth a hint."""

INSTEAD = {
    "EXTERNAL": "run `logroute inject` before what deploys it registers the task definition, and make the next task "
    "set from that revision (CreateTaskSet)",
}
"""What the owner of a service can do that nobody else can roll out, by its deployment controller."""


def out_of_reach(service: ObservedService) -> ServicePlan | None:
    """A service that nobody but its owner can roll out, whatever its definition says."""
    if service.status != "ACTIVE":
        hold = Hold(Reason.SERVICE_INACTIVE, f"the service is {service.status}")
    elif service.controller not in ("ECS", CODE_DEPLOY):
        do = INSTEAD.get(service.controller, "run `logroute inject` in what deploys it")
        hold = Hold(Reason.DEPLOYMENT_CONTROLLER, f"its deployment controller is {service.controller}; {do}")
    else:
        return None
    return ServicePlan(service.key, Kind.NOTHING, hold=hold, base=service.task_definition)


def decide(case: Case) -> ServicePlan:
    plan = _wanted(case)
    if plan.kind is Kind.ADOPT and asked_to_wait(case):
        return _only_seen(case, plan)
    if not plan.changes or plan.hold:
        return plan
    if hold := first_hold(case, plan):
        return plan.held_by(hold)
    return _contested(case, plan) if once_too_often(case.memory, case.known.now) else plan


def _contested(case: Case, plan: ServicePlan) -> ServicePlan:
    if not any(one.reason is Reason.REVERTED for one in plan.reasons):
        return plan
    assert case.memory is not None  # noqa: S101
    memory = replace(case.memory, contested=plan.fingerprint)
    return plan.step(Kind.CONTEST, Because(Reason.CONTESTED, CONTESTED), memory=memory)


def _wanted(case: Case) -> ServicePlan:
    """What the service needs, leaving aside whether it may be written now."""
    service, memory = case.service, case.memory
    plan = ServicePlan(
        service.key,
        Kind.NOTHING,
        base=service.task_definition,
        registered_by=case.registered_by,
        before=case.current,
        app=case.app,
        primary=service.primary.id if service.primary else "",
        running=case.running,
        fingerprint=fingerprint(case.routes, case.known.install),
        asks=asked(case.routes),
        policy=case.routes[0].document.spec.deletion_policy if case.routes else "restore",
        left_out=case.desired.left_out if case.desired else {},
        rollout=case.routes[0].router.rollout if case.routes else NO_ROUTE,
        stage=case.stage,
        controller=service.controller,
        ignored=tuple(sorted({pointer for route in case.routes for pointer in route.document.spec.ignore})),
    )
    if case.refusal or case.stripped is None:
        return plan.held_by(case.refusal or Hold(Reason.UNKNOWN, "the definition could not be read"))
    rollout = judge(case.watched)
    if memory is not None and rollout.verdict is Verdict.ROLLED_BACK:
        because = Because(Reason.ROLLED_BACK, rollout.reason)
        plan = replace(plan, ended="failed" if memory.stage is Stage.BACK else "rolled_back")
        return plan.step(Kind.HOLD_DIGEST, because, memory=rolled_back(case, rollout.reason))
    if memory is not None and rollout.verdict is Verdict.FAILED:
        return _going_back(case, plan, rollout)
    if memory is not None and rollout.verdict is Verdict.ROLLING and service.task_definition != memory.revision:
        return watch(case, plan, rollout)
    if memory and (lost := sorted(route for route in memory.routes if route not in case.known.accounted)):
        why = f"{', '.join(lost)} routed it, and is neither in force nor known to be deleted"
        why += ": it cannot be read, or no tenant permits it"
        return plan.held_by(Hold(Reason.UNKNOWN, why))
    if not case.routes:
        return _leaving(case, plan, rollout)
    return _routed(case, plan, rollout)


def _routed(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    assert case.stripped is not None and case.desired is not None and case.desired.overlay is not None  # noqa: S101, PT018
    after = put_but(case.stripped.app, case.desired.overlay, plan.ignored, case.current, case.stripped.router)
    plan = replace(_with(plan, case, after), hints=hints(case.service.key, case.memory, case.known.now))
    if _is_what_was_applied(case, plan) or comparable(after) == comparable(case.current):
        return in_place(case, plan, rollout)
    if case.stripped.originals is None:
        return plan.step(Kind.ROUTE).held_by(
            Hold(Reason.UNKNOWN, "the router's labels are lost and what was there before is not remembered")
        )
    return plan.step(Kind.ROUTE, *differences(case, after))


def _is_what_was_applied(case: Case, plan: ServicePlan) -> bool:
    """A revision never changes: what was right when we registered or found it is right, whatever ECS shows of it."""
    memory = case.memory
    return (
        memory is not None
        and memory.stage is not Stage.ASKED
        and memory.revision == case.service.task_definition
        and memory.digest == plan.digest
        and memory.app == plan.app
        and set(memory.ignored) <= set(plan.ignored)
    )


def hints(key: ServiceKey, memory: ServiceMemory | None, now: float) -> tuple[Because, ...]:
    if memory is None or not memory.bare_at or now - memory.bare_at > HINTED:
        return ()
    where = "" if key.is_family else f"--cluster {key.cluster} --service {key.service} "
    add = f"logroute inject --task-definition FILE --specs PATH {where}-o FILE"
    why = f"what deploys it leaves the router out, so each deploy is rolled out twice; before it registers, add: {add}"
    return (Because(Reason.INJECT_IN_CI, why),)


def _restored(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """The originals are back in the definition; only a finished rollout is the end of it."""
    memory = case.memory
    if memory is None:
        return plan
    if rollout.verdict in ON_ITS_WAY and rollout.verdict is not Verdict.UNPROVEN:
        return watch(case, plan, rollout)
    if rollout.verdict in (Verdict.COMPLETED, Verdict.UNPROVEN) or not case.service.deploying:
        return replace(plan, ended=ended(rollout)).step(Kind.FORGET)
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
    if hold := asked_to_wait(case):
        return plan.held_by(hold)
    if _policy(case, memory) == "orphan":
        return plan.held_by(Hold(Reason.ORPHANED, "deletionPolicy is orphan: the router stays"))
    plan = _with(plan, case, case.stripped.app)
    gone = ", ".join(sorted(memory.routes)) or "no route"
    return plan.step(Kind.RESTORE, Because(Reason.ROUTE_GONE, f"{gone} left the service"))


def _policy(case: Case, memory: ServiceMemory) -> str:
    """As the routes that left say it now, or said it last. In doubt the router stays."""
    said = {case.known.policies[route] for route in memory.routes if route in case.known.policies}
    if not said:
        return memory.policy
    return "orphan" if "orphan" in said else "restore"


def _only_seen(case: Case, plan: ServicePlan) -> ServicePlan:
    """In sync, and not to be written: log groups neither, and what is remembered must not say that they were."""
    memory, desired = case.memory, plan.desired
    if memory and (memory.stage, memory.revision) == (Stage.SETTLED, case.service.task_definition):
        routes = dict(desired.route_digests) if desired else memory.routes
        seen = replace(memory, routes=routes, left_out=plan.left_out, fingerprint="")
        return plan.step(Kind.NOTHING if seen == memory else Kind.WATCH, memory=seen)
    bare = replace(desired, log_groups=(), made_groups=frozenset()) if desired else None
    return replace(plan, desired=bare, fingerprint="")


def _with(plan: ServicePlan, case: Case, after: Body) -> ServicePlan:
    originals = put_away(after) or (case.stripped.originals if case.stripped else None)
    return replace(plan, after=after, desired=case.desired, originals=originals.as_plain() if originals else {})


def _going_back(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """To the revision that ours was derived from; `after` is what to register where even its body is lost."""
    assert case.stripped is not None  # noqa: S101
    plan = replace(plan, after=case.stripped.app)
    because = Because(Reason.ROLLED_BACK, rollout.reason)
    return plan.step(Kind.ROLL_BACK, because, memory=going_back(case, rollout.reason))
