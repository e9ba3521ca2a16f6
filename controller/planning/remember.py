"""What is remembered of a service after each step: the only places where a memory is made."""

from __future__ import annotations

from dataclasses import replace

from controller.api.conditions import Reason
from controller.observed.model import CODE_DEPLOY
from controller.planning.case import Case
from controller.planning.groups import groups_of
from controller.planning.memory import ASLEEP, Held, ServiceMemory, Stage
from controller.planning.model import ServicePlan
from controller.planning.others import recent
from controller.planning.rollout import Rollout, Verdict, record_of


def applied(plan: ServicePlan, old: ServiceMemory | None, revision: str, stage: Stage, now: float) -> ServiceMemory:
    """`revision` is asked for, or with SETTLED was found to be right."""
    found = stage is Stage.SETTLED
    same = found and old is not None and old.revision == revision
    routed = plan.desired if plan.desired is not None and plan.desired.overlay is not None else None
    configs = [config.path for config in routed.configs] if routed else []
    if not found:
        configs += plan.running.configs  # the revision that drains, and that a roll-back goes to, needs its own
    because = {one.reason for one in plan.reasons}
    reverts = recent(old.reverts if old else (), now)
    return ServiceMemory(
        revision,
        old.base if same and old else plan.base,
        plan.digest,
        plan.fingerprint,
        stage,
        dict(routed.route_digests) if routed else dict(old.routes) if old else {},
        tuple(dict.fromkeys(configs)),
        groups_of(routed) if routed else (),
        plan.originals,
        plan.policy,
        old.deployment if same and old else "",
        {one: held for one, held in old.held.items() if not (found and one == plan.digest)} if old else {},
        plan.app,
        plan.left_out,
        "" if found or not plan.reasons else plan.reasons[0].reason.value,
        asked_at=old.asked_at if found and old else now,
        reverts=(*reverts, now) if Reason.REVERTED in because else reverts,
        bare_at=_bare_at(plan, old, now, theirs=found and not same),
        ignored=plan.ignored,
        moved=old.moved if old else {},
    )


def _bare_at(plan: ServicePlan, old: ServiceMemory | None, now: float, *, theirs: bool) -> float:
    """When a deploy left the router out; one that brings it makes that good."""
    if any(one.reason is Reason.ROUTER_MISSING for one in plan.reasons):
        return now
    return old.bare_at if old and not theirs else 0.0


def seen(case: Case, rollout: Rollout) -> ServiceMemory | None:
    """How far our revision is. Where UpdateService's answer was lost, what it started is found here: a roll-back
    must be seen as ours.
    """
    memory, primary, now = case.memory, case.service.primary, case.known.now
    if memory is None:
        return None
    ours = record_of(memory, case.evidence) if case.service.controller == CODE_DEPLOY else None
    if memory.stage is Stage.ASKED and ours is not None:
        memory = replace(memory, stage=Stage.ROLLING, deployment=ours.number)
    elif memory.stage is Stage.ASKED and primary and primary.task_definition == memory.revision:
        memory = replace(memory, stage=Stage.ROLLING, deployment=primary.id.rsplit("/", 1)[-1])
    progress = ASLEEP if rollout.verdict is Verdict.UNPROVEN else rollout.running
    woke_up = (progress == ASLEEP) != (memory.progress == ASLEEP)
    if progress > memory.progress or woke_up or not (memory.asked_at or memory.progress_at):
        memory = replace(memory, progress=progress, progress_at=now)
    return memory


def rolled_back(case: Case, reason: str) -> ServiceMemory:
    """What runs now is what counts, and the digest that failed is held."""
    return replace(
        _holding(case, reason),
        revision=case.service.task_definition,
        digest=case.running.digest,
        configs=case.running.configs,
        fingerprint="",
        stage=Stage.SETTLED,
        app=case.app,
        why="",
        deployment="" if case.service.controller == CODE_DEPLOY else case.memory.deployment if case.memory else "",
    )


def going_back(case: Case, reason: str) -> ServiceMemory:
    return replace(_holding(case, reason), stage=Stage.BACK)


def _holding(case: Case, reason: str) -> ServiceMemory:
    memory = case.memory
    assert memory is not None  # noqa: S101 - only what is remembered can be judged
    return replace(memory, held=memory.holding(memory.digest, Held(reason, memory.app or case.app, case.known.now)))
