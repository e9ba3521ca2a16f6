"""The next step for one service, or what holds it. Reads from top to bottom; the first that applies counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.observed.model import COMPLETED, ObservedService
from controller.planning.case import Case, fingerprint
from controller.planning.drift import differences
from controller.planning.evidence import PROOF, last_words
from controller.planning.memory import Held, ServiceMemory, Stage
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.planning.others import LOOK_AGAIN, once_too_often, router_is_failing, wait_for
from controller.planning.remember import going_back, rolled_back, seen
from controller.planning.rollout import Rollout, Verdict, judge
from controller.taskdef.body import Body
from controller.taskdef.ignoring import put_but
from controller.taskdef.overlay import comparable, put_away

ON_ITS_WAY = {
    Verdict.ROLLING: Reason.ROLLING_OUT,
    Verdict.STUCK: Reason.ROLLOUT_STUCK,
    Verdict.UNPROVEN: Reason.UNPROVEN,
}
CONTESTED = (
    "somebody set the service back three times within an hour; make them use `logroute inject`, then change a spec or "
    "run: logroute reconcile"
)
HINTED = 7 * 24 * 3600.0
"""Seconds for which a deploy without the router is worth a hint."""


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
    if hold := _first_hold(case, plan):
        return plan.held_by(hold)
    return _contested(case, plan) if once_too_often(case.memory, case.known.now) else plan


def _contested(case: Case, plan: ServicePlan) -> ServicePlan:
    if not any(one.reason is Reason.REVERTED for one in plan.reasons):
        return plan
    assert case.memory is not None  # noqa: S101
    memory = replace(case.memory, contested=plan.fingerprint)
    return _as(plan, Kind.CONTEST, Because(Reason.CONTESTED, CONTESTED), memory=memory)


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
        ignored=tuple(sorted({pointer for route in case.routes for pointer in route.document.spec.ignore})),
    )
    if case.refusal or case.stripped is None:
        return plan.held_by(case.refusal or Hold(Reason.UNKNOWN, "the definition could not be read"))
    rollout = judge(case.watched)
    if memory is not None and rollout.verdict is Verdict.ROLLED_BACK:
        because = Because(Reason.ROLLED_BACK, rollout.reason)
        plan = replace(plan, ended="failed" if memory.stage is Stage.BACK else "rolled_back")
        return _as(plan, Kind.HOLD_DIGEST, because, memory=rolled_back(case, rollout.reason))
    if memory is not None and rollout.verdict is Verdict.FAILED:
        return _going_back(case, plan, rollout)
    if memory and (lost := sorted(route for route in memory.routes if route not in case.known.accounted)):
        why = f"{', '.join(lost)} routed it, and is neither readable nor known to be deleted"
        return plan.held_by(Hold(Reason.UNKNOWN, why))
    if not case.routes:
        return _leaving(case, plan, rollout)
    return _routed(case, plan, rollout)


def _routed(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    assert case.stripped is not None and case.desired is not None and case.desired.overlay is not None  # noqa: S101, PT018
    after = put_but(case.stripped.app, case.desired.overlay, plan.ignored, case.current, case.stripped.router)
    plan = replace(_with(plan, case, after), hints=hints(case.service.key, case.memory, case.known.now))
    if _is_what_was_applied(case, plan) or comparable(after) == comparable(case.current):
        return _in_place(case, plan, rollout)
    if case.stripped.originals is None:
        return _as(plan, Kind.ROUTE).held_by(
            Hold(Reason.UNKNOWN, "the router's labels are lost and what was there before is not remembered")
        )
    return _as(plan, Kind.ROUTE, *differences(case, after))


def _in_place(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """The service is told to run what the specs ask for; whether it does is another matter."""
    if rollout.verdict in ON_ITS_WAY:
        return _watch(case, plan, rollout)
    if router_is_failing(case.watched):
        return _failing(case, plan)
    if waiting := _their_deployment(case, rollout):
        return plan.held_by(waiting)
    if (failed := held_digest(case.memory, plan)) and not _works(case):
        return plan.held_by(failed)
    plan = replace(plan, ended=_ended(rollout))
    return _as(plan, Kind.ADOPT, Because(Reason.IN_SYNC, "the service runs what the specs ask for"))


def _ended(rollout: Rollout) -> Literal["", "succeeded"]:
    return "succeeded" if rollout.verdict is Verdict.COMPLETED else ""


def _watch(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    because = Because(ON_ITS_WAY[rollout.verdict], rollout.reason)
    again = None if rollout.verdict is Verdict.UNPROVEN else max(1.0, min(rollout.again or LOOK_AGAIN, PROOF))
    return replace(_as(plan, Kind.WATCH, because, memory=seen(case, rollout)), again=again)


def _failing(case: Case, plan: ServicePlan) -> ServicePlan:
    """Somebody deployed the very router that the specs ask for, and it keeps stopping: it goes out again, for no
    deployment of theirs would end. Remembered first, so that it does not come back.
    """
    assert case.stripped is not None  # noqa: S101
    words = last_words(case.evidence.tasks, case.service.task_definition, case.watched.router)
    because = Because(Reason.ROUTER_FAILING, f"their deployment cannot succeed: {words}")
    if case.memory is None:
        return plan.held_by(Hold(because.reason, because.message, LOOK_AGAIN))
    if held_digest(case.memory, plan) is None:
        held = case.memory.holding(plan.digest, Held(because.message, plan.app, case.known.now))
        return replace(_as(plan, Kind.HOLD_DIGEST, because, memory=replace(case.memory, held=held)), again=1.0)
    return replace(_as(plan, Kind.RESTORE, because), after=case.stripped.app, desired=None)


def _their_deployment(case: Case, rollout: Rollout) -> Hold | None:
    """Their deployment with our router in it is proven by its end, not by its start."""
    if rollout.verdict is Verdict.COMPLETED or case.memory is None:
        return None
    return wait_for(case.watched) if case.service.deploying else None


def _works(case: Case) -> bool:
    """Somebody rolled out by hand what we hold back, and ECS says that it runs."""
    primary = case.service.primary
    return primary is not None and primary.rollout_state == COMPLETED and not case.service.deploying


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


def held_digest(memory: ServiceMemory | None, plan: ServicePlan) -> Hold | None:
    held = memory.held.get(plan.digest) if memory else None
    if held and held.app == plan.app:
        return Hold(Reason.ROLLED_BACK, f"{held.reason}; held until the specs or the application change")
    return None


def hints(key: ServiceKey, memory: ServiceMemory | None, now: float) -> tuple[Because, ...]:
    if memory is None or not memory.bare_at or now - memory.bare_at > HINTED:
        return ()
    add = f"logroute inject --task-definition FILE --specs PATH --cluster {key.cluster} --service {key.service} -o FILE"
    why = f"what deploys it leaves the router out, so each deploy is rolled out twice; before it registers, add: {add}"
    return (Because(Reason.INJECT_IN_CI, why),)


def _restored(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """The originals are back in the definition; only a finished rollout is the end of it."""
    memory = case.memory
    if memory is None:
        return plan
    if rollout.verdict in ON_ITS_WAY and rollout.verdict is not Verdict.UNPROVEN:
        return _watch(case, plan, rollout)
    if rollout.verdict in (Verdict.COMPLETED, Verdict.UNPROVEN) or not case.service.deploying:
        return _as(replace(plan, ended=_ended(rollout)), Kind.FORGET)
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
    if _policy(case, memory) == "orphan":
        return plan.held_by(Hold(Reason.ORPHANED, "deletionPolicy is orphan: the router stays"))
    plan = _with(plan, case, case.stripped.app)
    gone = ", ".join(sorted(memory.routes)) or "no route"
    return _as(plan, Kind.RESTORE, Because(Reason.ROUTE_GONE, f"{gone} left the service"))


def _policy(case: Case, memory: ServiceMemory) -> str:
    """As the routes that left say it now, or said it last. In doubt the router stays."""
    said = {case.known.policies[route] for route in memory.routes if route in case.known.policies}
    if not said:
        return memory.policy
    return "orphan" if "orphan" in said else "restore"


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
    if plan.kind is Kind.ROLL_BACK:
        return None
    if failed := held_digest(memory, plan):
        return failed
    if memory is not None and memory.contested and memory.contested == plan.fingerprint:
        return Hold(Reason.CONTESTED, CONTESTED)
    return None if router_is_failing(case.watched) else wait_for(case.watched)


def _asked_to_wait(case: Case) -> Hold | None:
    return case.known.paused or next(
        (case.known.frozen[route.key] for route in case.routes if route.key in case.known.frozen), None
    )


def _with(plan: ServicePlan, case: Case, after: Body) -> ServicePlan:
    originals = put_away(after) or (case.stripped.originals if case.stripped else None)
    return replace(plan, after=after, desired=case.desired, originals=originals.as_plain() if originals else {})


def _as(plan: ServicePlan, kind: Kind, *reasons: Because, memory: ServiceMemory | None = None) -> ServicePlan:
    return replace(plan, kind=kind, reasons=reasons, memory=memory)


def _going_back(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    """To the revision that ours was derived from; `after` is what to register where even its body is lost."""
    assert case.stripped is not None  # noqa: S101
    plan = replace(plan, after=case.stripped.app)
    because = Because(Reason.ROLLED_BACK, rollout.reason)
    return _as(plan, Kind.ROLL_BACK, because, memory=going_back(case, rollout.reason))
