"""Reconcile one service: look, decide, carry out. What a worker does with a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.apply import Done, Outcome
from controller.applying.deployment_groups import NoGroup
from controller.aws.ports import Urgency, at
from controller.planning.model import Hold, Kind, ServicePlan
from controller.planning.others import LOOK_AGAIN
from controller.reconciling.asked import asked_again
from controller.reconciling.keeper import Specs
from controller.reconciling.look import look_afresh
from controller.reconciling.world import Site

Judge = Callable[[ServicePlan], ServicePlan]


@dataclass(frozen=True, slots=True)
class Step:
    """What was planned and what came of it; `again`: seconds until the next look, None for none."""

    plan: ServicePlan | None
    outcome: Outcome
    again: float | None


def reconcile(site: Site, specs: Specs, key: ServiceKey, judge: Judge) -> Step:
    """`judge` has the guards' word on the plan. Raises AwsError: the key is then tried again with backoff, and no other
    key notices.
    """
    try:
        with at(Urgency.ROLLOUT):
            step = _step(site, specs, key, judge)
    except BaseException:
        site.waves.failed(key)
        raise
    site.waves.settled(step.plan, key)
    return step


def _step(site: Site, specs: Specs, key: ServiceKey, judge: Judge) -> Step:
    plan = look_afresh(site, specs, key)
    if plan is None:
        return Step(None, Outcome(Done.NOTHING), None)
    plan = asked_again(site, specs, site.waves.admit(judge(plan), site.account.ecs.now()))
    try:
        outcome = site.applier.carry_out(plan)
    except NoGroup as error:
        plan, outcome = plan.held_by(Hold(Reason.DEPLOYMENT_CONTROLLER, str(error))), Outcome(Done.NOTHING)
    if plan.kind is Kind.REPOINT and plan.hold is None:
        site.book.moved({move.starter.id for move in plan.moves})
    again = _again(plan, outcome)
    return Step(plan, outcome, again if again is None else again * site.waves.patience)


def _again(plan: ServicePlan, outcome: Outcome) -> float | None:
    if outcome.again is not None:
        return outcome.again
    if plan.kind is Kind.REPOINT and outcome.done is Done.WROTE:
        return 1.0
    if outcome.done is Done.WROTE or plan.kind is Kind.HOLD_DIGEST:
        return LOOK_AGAIN
    return plan.hold.seconds if plan.hold else plan.again
