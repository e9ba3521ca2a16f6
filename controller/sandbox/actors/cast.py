"""All actors of one sandbox."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from typing import Any

from controller.sandbox.actors import deploys, person
from controller.sandbox.actors.desk import ActorFailed, Clients, Desk
from controller.sandbox.actors.shapes import Ci, CiCopy, Person, Shape, Terraform
from controller.sandbox.model import Json


class Cast:
    def __init__(self, clients_of: Callable[[str], Clients]) -> None:
        """`clients_of`: the clients of the actor with that role."""
        self._clients_of = clients_of
        self._terraform = deploys.TerraformState()

    def perform(self, told: Shape) -> Json:
        """What the actor did. Raises ActorFailed, with what AWS said, where it could not."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return self._act(told)
        except (ClientError, BotoCoreError) as error:
            raise ActorFailed(str(error)) from error
        except (ResponseParserError, LookupError, ValueError) as error:  # a page of somebody else, say
            raise ActorFailed(f"an answer made no sense: {type(error).__name__}: {error}") from error

    def _desk(self, role: str) -> Desk:
        return Desk(self._clients_of(role))

    @singledispatchmethod
    def _act(self, told: Any) -> Json:
        raise NotImplementedError(f"nobody does {told!r}")

    @_act.register
    def _(self, told: Ci) -> Json:
        return deploys.ci(self._desk("ci"), told)

    @_act.register
    def _(self, told: CiCopy) -> Json:
        return deploys.ci_copy(self._desk("ci-copy"), told)

    @_act.register
    def _(self, told: Terraform) -> Json:
        return self._terraform.apply(self._desk("terraform"), told)

    @_act.register
    def _(self, told: Person) -> Json:
        return person.act(told.deed, self._desk("person"))
