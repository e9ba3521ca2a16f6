"""What became of the revision that we asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from controller.observed.model import (
    CODE_DEPLOY,
    COMPLETED,
    FAILED,
    ROLLED_BACK,
    Deployment,
    ObservedService,
    ServiceDeployment,
)
from controller.planning.evidence import PROOF, Evidence, Routers, last_words, routers_of
from controller.planning.memory import ServiceMemory, Stage

TIMEOUT = 900.0
"""Seconds without progress, where no route says it."""
RECORD_LAG = 60.0
"""Seconds that ECS's clock and ours may differ, where a service deployment is told by when it was made."""


UNPROVEN = "the service wants no task: its router has not run yet"


class Verdict(Enum):
    NONE = "none"
    """Nothing of ours is on its way."""
    ROLLING = "rolling"
    UNPROVEN = "unproven"
    """Rolled out, and the service wants no task."""
    STUCK = "stuck"
    """No progress, and it is not ours to end it."""
    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    """It failed, and the service is elsewhere, or ECS left it there."""
    FAILED = "failed"
    """It failed, and nobody goes back unless we do."""
    SUPERSEDED = "superseded"
    """Somebody else pointed the service elsewhere."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """`running`: tasks of ours that run. `again`: seconds until something new can be known."""

    verdict: Verdict
    reason: str = ""
    running: int = 0
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """`router`: its name in the definition that the service runs, "" where it has none."""

    service: ObservedService
    memory: ServiceMemory | None
    evidence: Evidence
    router: str
    now: float
    timeout: float = TIMEOUT

    @property
    def words(self) -> str:
        """Of a task that ended; of the service, where no task did: one that found no place leaves none."""
        if self.memory is None:
            return ""
        since = self.memory.asked_at
        event = next((text for at, text in self.service.troubles if at >= since > 0), "")
        return last_words(self.evidence.tasks, self.memory.revision, self.router) or event

    @property
    def overdue(self) -> bool:
        since = max(self.memory.asked_at, self.memory.progress_at) if self.memory else 0.0
        return since > 0 and self.now - since > self.timeout


def judge(watched: Watched) -> Rollout:
    """By service deployments where the endpoint lists them; by `deployments[]` where it lists none."""
    service, memory = watched.service, watched.memory
    if memory is None:
        return Rollout(Verdict.NONE)
    if memory.stage is Stage.SETTLED:
        return _taken_back(watched, memory)
    if memory.stage is Stage.BACK:
        return _going_back(service, memory)
    ours, here = record_of(memory, watched.evidence), service.task_definition == memory.revision
    if ours is not None and ours.status in ROLLED_BACK and (not here or not ours.ongoing):
        return _rolled_back(watched, ours.reason or "ECS rolled the deployment back")
    if here:
        return _of_ours(watched, memory, ours)
    if service.controller == CODE_DEPLOY and ours is not None and ours.ongoing:
        return Rollout(Verdict.ROLLING, "CodeDeploy has not shifted the traffic yet")
    if memory.stage is Stage.ASKED:
        return Rollout(Verdict.NONE)  # killed before UpdateService: asked again, with the same revision
    if failed := next((one for one in service.deployments if _has_failed(one, memory)), None):
        return _rolled_back(watched, failed.rollout_reason or "ECS marked the deployment as failed")
    if not watched.evidence.history and service.task_definition == memory.base:
        primary = service.primary
        return _rolled_back(
            watched, (primary.rollout_reason if primary else "") or "the service is back on its old revision"
        )
    return Rollout(Verdict.SUPERSEDED)


def _taken_back(watched: Watched, memory: ServiceMemory) -> Rollout:
    """CodeDeploy goes back, by an alarm or a person, for as long as it keeps the old tasks: that ours ran for two
    minutes is not the end there.
    """
    if watched.service.controller == CODE_DEPLOY and watched.service.task_definition != memory.revision:
        ours = record_of(memory, watched.evidence)
        if ours is not None and ours.status in ROLLED_BACK:
            return _rolled_back(watched, ours.reason)
    return Rollout(Verdict.NONE)


def record_of(memory: ServiceMemory, evidence: Evidence) -> ServiceDeployment | None:
    """The service deployment that our UpdateService made; where its answer was lost, told by what it brings out."""
    for one in evidence.history or ():
        if memory.deployment and one.number == memory.deployment:
            return one
        same = one.task_definition == memory.revision and one.created_at >= memory.asked_at - RECORD_LAG
        if not memory.deployment and memory.asked_at and same:
            return one
    return None


def _going_back(service: ObservedService, memory: ServiceMemory) -> Rollout:
    held = memory.held.get(memory.digest)
    why = held.reason if held else "it failed"
    if service.task_definition == memory.base:
        return Rollout(Verdict.ROLLED_BACK, why)
    if service.task_definition == memory.revision:
        return Rollout(Verdict.FAILED, why)
    return Rollout(Verdict.SUPERSEDED)


def _of_ours(watched: Watched, memory: ServiceMemory, ours: ServiceDeployment | None) -> Rollout:
    some = [one for one in watched.service.deployments if one.task_definition == memory.revision]
    mine = next((one for one in some if one.status == "PRIMARY"), some[0] if some else None)
    if mine is None:
        # An endpoint that takes the revision and never shows a deployment of it has nothing more to say.
        return Rollout(Verdict.COMPLETED)
    if mine.rollout_state == FAILED:
        return _failed(watched, mine, ours)
    alone = mine.status == "PRIMARY" and (len(watched.service.deployments) == 1 or _shifted(watched))
    if alone and mine.rollout_state in (COMPLETED, ""):
        return _completed(watched, memory, mine, ours)
    return _rolling(watched, memory, mine)


def _shifted(watched: Watched) -> bool:
    """CodeDeploy keeps the old task set beside the new one for as long as its owner says: hours, often."""
    return watched.service.controller == CODE_DEPLOY


def _failed(watched: Watched, mine: Deployment, ours: ServiceDeployment | None) -> Rollout:
    """Where ECS would roll back and did not, or a person stopped it, it is left as they left it."""
    reason = mine.rollout_reason or "ECS marked the deployment as failed"
    by_hand = ours is not None and ours.status == "STOPPED" and "circuit breaker" not in f"{ours.reason} {reason}"
    if watched.service.breaker or by_hand:
        return _rolled_back(watched, reason)
    return Rollout(Verdict.FAILED, _said(watched, reason))


def _completed(watched: Watched, memory: ServiceMemory, mine: Deployment, ours: ServiceDeployment | None) -> Rollout:
    """COMPLETED is ECS's word on the tasks; the router must have stayed up, too."""
    if watched.service.desired_count == 0 and mine.running == 0:
        return Rollout(Verdict.UNPROVEN, UNPROVEN)
    if not watched.router or not watched.evidence.history:
        return Rollout(Verdict.COMPLETED)
    finished = ours.finished_at if ours and ours.finished_at is not None else watched.now - PROOF
    left = finished + PROOF - watched.now
    waiting = Rollout(Verdict.ROLLING, _so_far(mine) + "; the router is watched for two minutes", mine.running, left)
    if watched.evidence.tasks is None:
        return waiting
    routers = _routers(watched, memory)
    if routers.stay_up or (watched.overdue and not routers.dead):
        return Rollout(Verdict.COMPLETED)  # tasks that end sooner, and not because of the router, prove enough
    if routers.keep_dying or watched.overdue:
        return Rollout(Verdict.FAILED, _said(watched, "its router did not stay up for two minutes"), mine.running)
    return Rollout(Verdict.ROLLING, waiting.reason, mine.running)


def _rolling(watched: Watched, memory: ServiceMemory, mine: Deployment) -> Rollout:
    """ECS's own breaker has the say where there is one, and a hook or a bake may take two weeks."""
    ends_itself = watched.service.breaker or watched.service.strategy != "ROLLING"
    if not ends_itself and watched.router and _routers(watched, memory).keep_dying:
        return Rollout(Verdict.FAILED, _said(watched, "its tasks keep dying"), mine.running)
    if not watched.overdue or mine.running > memory.progress:
        return Rollout(Verdict.ROLLING, _so_far(mine), mine.running)
    reason = _said(watched, f"no progress for {watched.timeout:.0f} s, {_so_far(mine)}")
    return Rollout(Verdict.STUCK if ends_itself else Verdict.FAILED, reason, mine.running)


def needs_tasks(watched: Watched) -> bool:
    """Whether `judge` would know more from the tasks: calls that a rollout on its way does not cost."""
    found = judge(watched)
    mine = next((one for one in watched.service.deployments if watched.memory and _is_ours(one, watched.memory)), None)
    if found.verdict is Verdict.ROLLING:
        proof_due = found.again is not None and found.again <= 0
        return proof_due or (mine is not None and mine.failed > 0)
    return found.verdict in (Verdict.ROLLED_BACK, Verdict.FAILED, Verdict.STUCK)


def _routers(watched: Watched, memory: ServiceMemory) -> Routers:
    return routers_of(watched.evidence.tasks, memory.revision, watched.router, watched.now)


def _rolled_back(watched: Watched, reason: str) -> Rollout:
    return Rollout(Verdict.ROLLED_BACK, _said(watched, reason))


def _said(watched: Watched, reason: str) -> str:
    """What ended the tasks says more than that they ended."""
    words = watched.words
    return f"{words} ({reason})" if words else reason


def _so_far(mine: Deployment) -> str:
    return f"{mine.running} of {mine.desired} tasks run"


def _is_ours(one: Deployment, memory: ServiceMemory) -> bool:
    return one.task_definition == memory.revision


def _has_failed(one: Deployment, memory: ServiceMemory) -> bool:
    return _is_ours(one, memory) and one.rollout_state == FAILED
