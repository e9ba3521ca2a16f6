"""CI of two kinds, and Terraform."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from controller.sandbox.actors.desk import Desk, with_image
from controller.sandbox.actors.shapes import Ci, CiCopy, Terraform
from controller.sandbox.arns import short_name
from controller.sandbox.model import Json


def ci(desk: Desk, told: Ci) -> Json:
    """As the GitHub action amazon-ecs-deploy-task-definition: the file in the repository is the truth."""
    arn = desk.register(told, with_image(told.definition, told.image, told.container))
    return desk.deploy(told, arn) if told.deploy else {"task_definition": arn}


def ci_copy(desk: Desk, told: CiCopy) -> Json:
    """As ecs-deploy and its like: containers and labels that it does not know survive, tags are lost."""
    live = desk.live(told)["taskDefinition"]
    name = live if told.of == "live" else short_name(live).partition(":")[0]
    body = with_image(desk.described(told, name), told.image, told.container)
    return desk.deploy(told, desk.register(told, body))


@dataclass(slots=True)
class _Applied:
    arn: str
    body: Json


Place = tuple[str | None, str, str]


@dataclass(slots=True)
class TerraformState:
    """`aws_ecs_task_definition` and the `task_definition` of `aws_ecs_service`, of each service it was applied to."""

    applied: dict[Place, _Applied] = field(default_factory=dict)

    def apply(self, desk: Desk, told: Terraform) -> Json:
        """Any change of the body is a replacement: the old revision is deregistered before the new one is
        registered. A revision that somebody deregistered is gone from the state, and registered anew.
        """
        place = (told.region, told.cluster, short_name(told.service))
        live = desk.live(told)["taskDefinition"]
        had = self.applied.get(place) or _Applied(live, desk.described(told, live))
        body = copy.deepcopy(told.definition) if told.definition is not None else had.body
        known = place in self.applied or told.definition is None
        if not (known and body == had.body and _is_active(desk, told, had.arn)):
            if known and not told.skip_destroy and _is_active(desk, told, had.arn):
                desk.ecs(told).deregister_task_definition(taskDefinition=had.arn)
            had = _Applied(desk.register(told, body), body)
        self.applied[place] = had
        if live == had.arn:
            return {"service": told.service, "task_definition": live, "changed": False}
        return desk.deploy(told, had.arn) | {"changed": True}


def _is_active(desk: Desk, told: Terraform, arn: str) -> bool:
    return bool(desk.described(told, arn)["status"] == "ACTIVE")
