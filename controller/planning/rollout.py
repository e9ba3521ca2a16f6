"""What became of the revision that we asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from controller.observed.model import (
    COMPLETED,
    FAILED,
    ONGOING,
    ROLLED_BACK,
    ObservedService,
    ServiceDeployment,
)
from controller.planning.memory import ServiceMemory, Stage


class Verdict(Enum):
    NONE = "none"
    """Nothing of ours is on its way."""
    ROLLING = "rolling"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    """Somebody else pointed the service elsewhere."""


@dataclass(frozen=True, slots=True)
class Rollout:
    verdict: Verdict
    reason: str = ""


def judge(
    service: ObservedService, memory: ServiceMemory | None, history: tuple[ServiceDeployment, ...] | None
) -> Rollout:
    """By service deployments where the endpoint lists them; by `deployments[]` where it lists none."""
    if memory is None or memory.stage is Stage.SETTLED:
        return Rollout(Verdict.NONE)
    ours = next((one for one in history or () if memory.deployment and one.number == memory.deployment), None)
    if ours is not None and ours.status in ROLLED_BACK:
        return Rollout(Verdict.ROLLED_BACK, ours.reason or "ECS rolled the deployment back")
    if service.task_definition == memory.revision:
        return _of_ours(service, memory)
    if memory.stage is Stage.ASKED:
        return Rollout(Verdict.NONE)  # killed before UpdateService: asked again, with the same revision
    if failed := next(
        (one for one in service.deployments if _failed(one.task_definition, one.rollout_state, memory)), None
    ):
        return Rollout(Verdict.ROLLED_BACK, failed.rollout_reason or "ECS marked the deployment as failed")
    if not history and service.task_definition == memory.base:
        primary = service.primary
        return Rollout(
            Verdict.ROLLED_BACK,
            (primary.rollout_reason if primary else "") or "the service is back on its old revision",
        )
    return Rollout(Verdict.SUPERSEDED)


def _of_ours(service: ObservedService, memory: ServiceMemory) -> Rollout:
    mine = next((one for one in service.deployments if one.task_definition == memory.revision), None)
    if mine is None:
        # An endpoint that takes the revision and never shows a deployment of it has nothing more to say.
        return Rollout(Verdict.COMPLETED)
    if mine.rollout_state == FAILED:
        return Rollout(Verdict.ROLLED_BACK, mine.rollout_reason or "ECS marked the deployment as failed")
    if mine.status == "PRIMARY" and mine.rollout_state in (COMPLETED, "") and len(service.deployments) == 1:
        return Rollout(Verdict.COMPLETED)
    return Rollout(Verdict.ROLLING, f"{mine.running} of {mine.desired} tasks run")


def _failed(task_definition: str, state: str, memory: ServiceMemory) -> bool:
    return task_definition == memory.revision and state == FAILED


def foreign_deployment(
    service: ObservedService, memory: ServiceMemory | None, history: tuple[ServiceDeployment, ...] | None
) -> str:
    """Why nothing may be written: somebody's deployment, or a roll-back, is running. "" where none is."""
    if memory and memory.stage is not Stage.SETTLED and service.task_definition == memory.revision:
        return ""
    newest = history[0] if history else None
    if newest is not None and newest.status in ONGOING:
        return f"a deployment is {newest.status.lower().replace('_', ' ')}"
    if history is None and len(service.deployments) == 1:
        return ""  # an emulator without rollouts: the first deployment of a service never completes there
    if newest is None and service.deploying:
        primary = service.primary
        return f"deployment {primary.id if primary else '?'} is in progress"
    if newest is not None and len(service.deployments) > 1:
        return "tasks of another deployment are still draining"
    return ""
