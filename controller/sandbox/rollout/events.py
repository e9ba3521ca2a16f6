"""The `events` of a service, in ECS's words (developer guide, "Amazon ECS service event messages")."""

from __future__ import annotations

from collections.abc import Sequence

from controller.sandbox.model.services import Service
from controller.sandbox.model.tasks import Task
from controller.sandbox.model.world import World


def tell(world: World, service: Service, text: str) -> None:
    message = f"(service {service.name}) {text}"
    service.events.appendleft({"id": world.ids.uuid(), "createdAt": world.now, "message": message})


def tell_started(world: World, service: Service, tasks: Sequence[Task]) -> None:
    tell(world, service, f"has started {len(tasks)} tasks: {_names(tasks)}.")


def tell_stopped(world: World, service: Service, tasks: Sequence[Task]) -> None:
    tell(world, service, f"has stopped {len(tasks)} running tasks: {_names(tasks)}.")


def _names(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
