"""One ECS request from bytes to bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

import orjson

from controller.sandbox.clock import Clock
from controller.sandbox.ecs import (
    clusters,
    service_deployments,
    service_updates,
    services,
    tagging,
    task_definitions,
    task_sets,
    tasks,
    wire,
)
from controller.sandbox.ecs.buckets import Buckets
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.ecs.lag import History, is_read
from controller.sandbox.errors import EcsError, InvalidActionError, ThrottlingError
from controller.sandbox.model import Json
from controller.sandbox.model.world import World
from controller.sandbox.outside import Principal

OPERATIONS: dict[str, Operation] = (
    clusters.OPERATIONS
    | task_definitions.OPERATIONS
    | services.OPERATIONS
    | service_updates.OPERATIONS
    | service_deployments.OPERATIONS
    | task_sets.OPERATIONS
    | tasks.OPERATIONS
    | tagging.OPERATIONS
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def answered(operation: str, perform: Callable[[], bytes]) -> Answer:
    """What `perform` returns or raises, as the client gets it."""
    try:
        return Answer(200, perform())
    except EcsError as error:
        return Answer(400, orjson.dumps({"__type": error.code, "message": error.message}))
    except Exception:  # noqa: BLE001 - a client must get an AWS error, never a traceback
        _log.exception("the sandbox failed at %s", operation)
        problem = {
            "__type": "ServerException",
            "message": f"The sandbox failed at {operation.partition(':')[2]}; see its log.",
        }
        return Answer(500, orjson.dumps(problem))


class EcsApi:
    """Serves one world. Requests are answered one at a time, each after the world has moved to now."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._buckets = Buckets()
        self._histories: dict[tuple[str, str], History] = {}
        self.lock = RLock()
        self.at_leisure = False
        """Neither throttles nor lag, for as long as a world is made."""

    def names_role(self, role: str) -> bool:
        """Whether a task definition of its account names it, by its ARN or by its name."""
        account, names = role.split(":")[4], (role, role.rpartition("/")[2])
        with self.lock:
            return any(
                revision.body.get(kind) in names
                for (owner, _), region in self._world.regions.items()
                for family in region.families.values()
                for revision in family.revisions.values()
                for kind in ("taskRoleArn", "executionRoleArn")
                if owner == account
            )

    def catch_up(self) -> None:
        """Let everything happen that is due by the clock."""
        with self.lock:
            self._world.timeline.run_until(self._clock.now())

    def throttles(self) -> list[dict[str, str | float]]:
        """The buckets that were drawn from."""
        with self.lock:
            return list(self._buckets.shown(self._clock.callers_now()))

    def answer(self, operation: str, body: bytes, principal: Principal, region: str) -> Answer:
        return answered(f"ecs:{operation}", lambda: self._perform(operation, body, principal, region))

    def _perform(self, operation: str, body: bytes, principal: Principal, region: str) -> bytes:
        self._throttle(operation, principal, region)
        request = wire.read(body)
        wire.check(operation, request)
        if operation not in OPERATIONS:
            raise InvalidActionError(f"The sandbox does not have the action {operation}.")
        with self.lock:
            self.catch_up()
            # Written out under the lock: the answer refers to the world's own objects.
            return orjson.dumps(self._lagging(operation, request, principal, region))

    def _lagging(self, operation: str, request: Json, principal: Principal, region: str) -> Json:
        place, now = self._world.region(principal.account, region), self._world.now
        key = (principal.account, region)
        history = self._histories.setdefault(key, History(self._world.settings.lag_seconds))
        if is_read(operation):
            return OPERATIONS[operation](Call(self._world, history.seen(place, now), principal, request))
        before = None if self.at_leisure else history.copy(place, now)
        answer = OPERATIONS[operation](Call(self._world, place, principal, request))
        if before is not None:
            history.remember(before, now)
        return answer

    def _throttle(self, operation: str, principal: Principal, region: str) -> None:
        if self.at_leisure or not self._world.settings.throttle:
            return
        with self.lock:
            if not self._buckets.allow(principal.account, region, operation, self._clock.callers_now()):
                raise ThrottlingError("Rate exceeded")
