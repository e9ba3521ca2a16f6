"""What other people do to a service: their deployments, and how long they are waited for."""

from __future__ import annotations

from controller.api.conditions import Reason
from controller.observed.model import CODE_DEPLOY, ROLLED_BACK
from controller.planning.evidence import routers_of
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.model import Hold
from controller.planning.rollout import Watched

LOOK_AGAIN = 15.0
"""Seconds until a rollout or somebody's deployment is looked at again."""
SELDOM = 300.0
"""The same for a deployment of theirs that has lasted for long."""
HOLD_OFF = 60.0
"""Seconds after somebody's deployment: what waits for it to be stable is not to find ours instead."""
HOUR = 3600.0
MOST_REVERTS = 3
"""Within an hour: who sets a service back so often means it."""


def wait_for(watched: Watched) -> Hold | None:
    """Nothing is written while a deployment or roll-back that is not ours runs, nor shortly after."""
    if running := _running(watched):
        return Hold(Reason.WAITING_FOR_DEPLOYMENT, running, _again(watched))
    newest = watched.evidence.newest
    if newest is None or newest.finished_at is None or _is_ours(watched.memory, newest.number):
        return None
    left = newest.finished_at + HOLD_OFF - watched.now
    if left <= 0:
        return None
    return Hold(Reason.WAITING_FOR_DEPLOYMENT, "somebody's deployment ended a moment ago", left)


def _again(watched: Watched) -> float:
    """Seconds. CodeDeploy's deployments last for as long as the old tasks are kept, and its API allows few calls."""
    newest = watched.evidence.newest
    if watched.service.controller != CODE_DEPLOY or newest is None:
        return LOOK_AGAIN
    return min(max(LOOK_AGAIN, (watched.now - newest.created_at) / 4), SELDOM)


def _running(watched: Watched) -> str:
    service, history = watched.service, watched.evidence.history
    if _is_our_rollout(watched):
        return ""
    newest = watched.evidence.newest
    if service.controller == CODE_DEPLOY:
        ongoing = next((one for one in history or () if one.ongoing), None)
        return f"CodeDeploy's deployment {ongoing.number} is not over" if ongoing else ""
    if newest is not None and newest.ongoing:
        return f"a deployment is {newest.status.lower().replace('_', ' ')}"
    if history is None and len(service.deployments) == 1:
        return ""  # an emulator without rollouts: the first deployment of a service never completes there
    if newest is None and service.deploying:
        primary = service.primary
        return f"deployment {primary.id if primary else '?'} is in progress"
    if newest is not None and len(service.deployments) > 1:
        return "tasks of another deployment are still draining"
    return ""


def _is_our_rollout(watched: Watched) -> bool:
    """Somebody else may roll our very revision out once more, before we saw the end of our own deployment of it."""
    service, memory, primary = watched.service, watched.memory, watched.service.primary
    if memory is None or memory.stage is Stage.SETTLED or service.task_definition != memory.revision:
        return False
    return primary is None or not memory.deployment or primary.id.rsplit("/", 1)[-1] == memory.deployment


def router_is_failing(watched: Watched) -> bool:
    """Their deployment cannot succeed: the router in it, which is ours, keeps stopping. No roll-back is running.

    Under CodeDeploy nobody else can write until it is over.
    """
    newest, service = watched.evidence.newest, watched.service
    if newest is None or service.controller == CODE_DEPLOY or not newest.ongoing or newest.status in ROLLED_BACK:
        return False
    routers = routers_of(watched.evidence.tasks, service.task_definition, watched.router, watched.now)
    return bool(watched.router) and routers.keep_dying and watched.now - newest.created_at >= HOLD_OFF


def recent(reverts: tuple[float, ...], now: float) -> tuple[float, ...]:
    return tuple(at for at in reverts if now - at < HOUR)


def once_too_often(memory: ServiceMemory | None, now: float) -> bool:
    """This revert, with those that were repaired within the hour."""
    return memory is not None and len(recent(memory.reverts, now)) + 1 >= MOST_REVERTS


def _is_ours(memory: ServiceMemory | None, number: str) -> bool:
    return memory is not None and bool(memory.deployment) and memory.deployment == number
