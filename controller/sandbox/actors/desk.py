"""What every actor works with: its clients, and the moves that deploy tools have in common."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller.sandbox.actors.shapes import OfService
from controller.sandbox.model import Json

Clients = Callable[[str, str | None], Any]
"""A client of a service in a region (None: the sandbox's own), signed as the actor."""


class ActorFailed(Exception):
    """AWS, or the state of things, did not let an actor do what it was told."""


@dataclass(frozen=True, slots=True)
class Desk:
    clients: Clients

    def ecs(self, at: OfService) -> Any:
        return self.clients("ecs", at.region)

    def live(self, at: OfService) -> Json:
        """The service as DescribeServices shows it. Raises ActorFailed where there is none."""
        found = self.ecs(at).describe_services(cluster=at.cluster, services=[at.service])["services"]
        if not found:
            raise ActorFailed(f"the cluster {at.cluster} has no service {at.service}")
        service: Json = found[0]
        return service

    def described(self, at: OfService, name: str) -> Json:
        body: Json = self.ecs(at).describe_task_definition(taskDefinition=name)["taskDefinition"]
        return body

    def register(self, at: OfService, body: Json) -> str:
        """The new revision's ARN. What only describing shows is left out, and nothing else."""
        ecs = self.ecs(at)
        known = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
        request = {key: value for key, value in body.items() if key in known}
        return str(ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, at: OfService, arn: str) -> Json:
        self.ecs(at).update_service(cluster=at.cluster, service=at.service, taskDefinition=arn)
        return {"service": at.service, "task_definition": arn}


def with_image(body: Json, image: str | None, container: str | None) -> Json:
    """A copy with another image. Raises ActorFailed where no container has that name."""
    changed = copy.deepcopy(body)
    if image is None:
        return changed
    for one in changed["containerDefinitions"]:
        if container in {None, one["name"]}:
            one["image"] = image
            return changed
    raise ActorFailed(f"{changed.get('family', 'the definition')} has no container {container}")
