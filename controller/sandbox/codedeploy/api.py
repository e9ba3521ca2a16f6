"""One CodeDeploy request from bytes to bytes."""

from __future__ import annotations

import orjson

from controller.sandbox.codedeploy import deployments, groups, revisions
from controller.sandbox.codedeploy.errors import CodeDeployError
from controller.sandbox.ecs import wire
from controller.sandbox.ecs.api import Answer, EcsApi, answered
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.errors import InvalidActionError
from controller.sandbox.model.world import World
from controller.sandbox.outside import Principal

TARGET_PREFIX = "CodeDeploy_20141006."

OPERATIONS: dict[str, Operation] = groups.OPERATIONS | deployments.OPERATIONS | revisions.OPERATIONS


class CodeDeployApi:
    """Acts on the world that `ecs` serves, one request at a time with it. It neither throttles nor lags."""

    def __init__(self, world: World, ecs: EcsApi) -> None:
        self._world = world
        self._ecs = ecs

    def answer(self, operation: str, body: bytes, principal: Principal, region: str) -> Answer:
        return answered(f"codedeploy:{operation}", lambda: self._perform(operation, body, principal, region))

    def _perform(self, operation: str, body: bytes, principal: Principal, region: str) -> bytes:
        request = wire.read(body)
        if problems := wire.problems("codedeploy", operation, request):
            raise CodeDeployError("ValidationException", "; ".join(problems))
        if "nextToken" in request:  # every list is one page here
            raise CodeDeployError("InvalidNextTokenException", "The next token is invalid.")
        if operation not in OPERATIONS:
            raise InvalidActionError(f"The sandbox does not have the action {operation}.")
        with self._ecs.lock:
            self._ecs.catch_up()
            place = self._world.region(principal.account, region)
            return orjson.dumps(OPERATIONS[operation](Call(self._world, place, principal, request)))
