"""The service is told to run what the specs ask for; whether it does is another matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from controller.api.conditions import Reason
from controller.observed.model import COMPLETED
from controller.planning.case import Case
from controller.planning.evidence import PROOF, last_words
from controller.planning.holds import held_digest
from controller.planning.memory import Held
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.planning.others import LOOK_AGAIN, router_is_failing, wait_for
from controller.planning.remember import seen
from controller.planning.rollout import Rollout, Verdict

ON_ITS_WAY = {
    Verdict.ROLLING: Reason.ROLLING_OUT,
    Verdict.STUCK: Reason.ROLLOUT_STUCK,
    Verdict.UNPROVEN: Reason.UNPROVEN,
}


def in_place(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    if rollout.verdict in ON_ITS_WAY:
        return watch(case, plan, rollout)
    if router_is_failing(case.watched):
        return _failing(case, plan)
    if waiting := _their_deployment(case, rollout):
        return plan.held_by(waiting)
    if (failed := held_digest(case.memory, plan)) and not _works(case):
        return plan.held_by(failed)
    plan = replace(plan, ended=ended(rollout))
    return plan.step(Kind.ADOPT, Because(Reason.IN_SYNC, "the service runs what the specs ask for"))


def ended(rollout: Rollout) -> Literal["", "succeeded"]:
    return "succeeded" if rollout.verdict is Verdict.COMPLETED else ""


def watch(case: Case, plan: ServicePlan, rollout: Rollout) -> ServicePlan:
    because = Because(ON_ITS_WAY[rollout.verdict], rollout.reason)
    again = None if rollout.verdict is Verdict.UNPROVEN else max(1.0, min(rollout.again or LOOK_AGAIN, PROOF))
    return replace(plan.step(Kind.WATCH, because, memory=seen(case, rollout)), again=again)


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
        return replace(plan.step(Kind.HOLD_DIGEST, because, memory=replace(case.memory, held=held)), again=1.0)
    return replace(plan.step(Kind.RESTORE, because), after=case.stripped.app, desired=None)


def _their_deployment(case: Case, rollout: Rollout) -> Hold | None:
    """Their deployment with our router in it is proven by its end, not by its start."""
    if rollout.verdict is Verdict.COMPLETED or case.memory is None:
        return None
    return wait_for(case.watched) if case.service.deploying else None


def _works(case: Case) -> bool:
    """Somebody rolled out by hand what we hold back, and ECS says that it runs."""
    primary = case.service.primary
    return primary is not None and primary.rollout_state == COMPLETED and not case.service.deploying
