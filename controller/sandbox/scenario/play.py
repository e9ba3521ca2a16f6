"""A scenario in a running sandbox: its world made, its steps planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from controller.sandbox.actors.desk import ActorFailed
from controller.sandbox.scenario.shapes import Scenario, Step

if TYPE_CHECKING:
    from controller.sandbox.sandbox import Sandbox

Path = tuple[str | int, ...]
Tell = Callable[[str], object]


class CannotBuild(Exception):
    """AWS refused what the scenario has at `path`."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


def play(sandbox: Sandbox, scenario: Scenario, tell: Tell) -> None:
    """Make the scenario's world, at once and by the API, and plan its steps from now.

    `tell` gets a line for each step as it happens. Raises CannotBuild.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    with sandbox.at_leisure():
        for path, make in _making(sandbox, scenario):
            try:
                make()
            except (ClientError, BotoCoreError) as error:
                raise CannotBuild(path, str(error)) from error
    for step in scenario.steps:
        sandbox.at(step.at, partial(_perform, sandbox, step, tell))


def _making(sandbox: Sandbox, scenario: Scenario) -> Iterator[tuple[Path, Callable[[], Any]]]:
    ecs, s3, logs = (sandbox.client(name) for name in ("ecs", "s3", "logs"))
    for index, name in enumerate(scenario.clusters):
        yield ("clusters", index), partial(ecs.create_cluster, clusterName=name)
    for index, body in enumerate(scenario.task_definitions):
        yield ("task_definitions", index), partial(ecs.register_task_definition, **body)
    for index, name in enumerate(scenario.buckets):
        yield ("buckets", index), partial(_make_bucket, s3, name, sandbox.default_region)
    for index, one in enumerate(scenario.objects):
        put = partial(s3.put_object, Bucket=one.bucket, Key=one.key, Body=one.content.encode())
        yield ("objects", index), put
    for index, group in enumerate(scenario.log_groups):
        yield ("log_groups", index), partial(_make_group, logs, group.log_group, group.days)
    for index, body in enumerate(scenario.services):
        yield ("services", index), partial(ecs.create_service, **body)


def _make_bucket(s3: Any, name: str, region: str) -> None:
    """S3 takes every location but its default one, us-east-1."""
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **place)


def _make_group(logs: Any, name: str, days: int) -> None:
    logs.create_log_group(logGroupName=name)
    if days:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)


def _perform(sandbox: Sandbox, step: Step, tell: Tell) -> None:
    """What fails is told, and stops nothing: the next step may well be about that."""
    try:
        done = _act(sandbox, step.action, getattr(step, step.action))
    except KeyError as error:
        done = {"error": f"there is no {error}"}
    except (ActorFailed, LookupError, ValueError) as error:
        done = {"error": str(error)}
    sandbox.happened.append({"at": step.at, "action": step.action, **done})
    words = ", ".join(f"{key} {value}" for key, value in done.items())
    tell(f"{step.at:g}s: {step.action}: {words}".removesuffix(": "))


def _act(sandbox: Sandbox, action: str, told: Any) -> dict[str, Any]:
    match action:
        case "advance":
            return {"now": sandbox.advance(told)}
        case "fail_next_rollout" | "break_container" | "mend":
            made = getattr(sandbox, action)(**told)
            return {} if made is None else {"id": made}
        case "fault":
            return {"id": sandbox.add_fault(**told.model_dump(exclude_unset=True))}
        case "remove_fault":
            sandbox.remove_fault(told)
        case _:
            return sandbox.act(told)
    return {}
