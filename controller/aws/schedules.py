"""What starts tasks on a schedule, through botocore, as ports.Schedules: EventBridge rules and Scheduler schedules.

Rules of the default event bus only: no other bus has rules with a schedule (Amazon EventBridge user guide).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from controller.api.starters import Starter
from controller.aws.calls import Caller
from controller.aws.ecs import unknown_members
from controller.aws.ports import AwsError, NotFound, SdkTooOld

BUS = "default"


class BotoSchedules:
    def __init__(self, events: Caller, scheduler: Caller) -> None:
        self._events, self._scheduler = events, scheduler
        self._raw = threading.local()
        for call, operation in ((events, "ListTargetsByRule"), (scheduler, "GetSchedule")):
            hooks = call.client.meta.events
            hooks.register(
                f"before-parse.{call.client.meta.service_model.service_id.hyphenize()}.{operation}", self._keep
            )

    def rules(self) -> list[Starter]:
        """Those that AWS manages for another service are left out."""
        names = [one["Name"] for one in self._rows("ListRules", "rules", "Rules") if not one.get("ManagedBy")]
        return [
            Starter("rule", BUS, name, target["Id"], target["EcsParameters"]["TaskDefinitionArn"])
            for name in names
            for target in self._targets(name)
            if "EcsParameters" in target
        ]

    def schedules(self) -> list[Starter]:
        found: list[Starter] = []
        for row in self._scheduled():
            if ":ecs:" not in row.get("Target", {}).get("Arn", ""):
                continue
            try:
                said = self._schedule(row["GroupName"], row["Name"])["Target"].get("EcsParameters")
            except NotFound:
                continue  # deleted since the listing
            if said:
                found.append(Starter("schedule", row["GroupName"], row["Name"], "", said["TaskDefinitionArn"]))
        return found

    def move(self, starter: Starter, task_definition: str) -> bool:
        return (self._move_rule if starter.kind == "rule" else self._move_schedule)(starter, task_definition)

    def _move_rule(self, starter: Starter, task_definition: str) -> bool:
        target = next((one for one in self._targets(starter.name) if one["Id"] == starter.target), {})
        if not _still_there(target, starter):
            return False
        self._refuse_unknown(self._events, "ListTargetsByRule", starter)
        target["EcsParameters"]["TaskDefinitionArn"] = task_definition
        answer = self._events(
            "PutTargets",
            str(starter),
            expects="FailedEntryCount",
            Rule=starter.name,
            EventBusName=BUS,
            Targets=[target],
        )
        for failed in answer.get("FailedEntries", ()):
            code, why = failed.get("ErrorCode", "Failed"), failed.get("ErrorMessage", "no reason given")
            raise AwsError("events:PutTargets", str(starter), code, why)
        return True

    def _move_schedule(self, starter: Starter, task_definition: str) -> bool:
        try:
            there = self._schedule(starter.group, starter.name)
        except NotFound:
            return False
        if not _still_there(there["Target"], starter):
            return False
        self._refuse_unknown(self._scheduler, "GetSchedule", starter)
        there["Target"]["EcsParameters"]["TaskDefinitionArn"] = task_definition
        members = self._scheduler.client.meta.service_model.operation_model("UpdateSchedule").input_shape.members
        whole = {name: value for name, value in there.items() if name in members}
        self._scheduler("UpdateSchedule", str(starter), expects="ScheduleArn", **whole)
        return True

    def _targets(self, rule: str) -> list[dict[str, Any]]:
        try:
            return list(self._rows("ListTargetsByRule", f"rule {rule}", "Targets", Rule=rule))
        except NotFound:
            return []  # deleted since the listing

    def _rows(self, operation: str, resource: str, field: str, **more: Any) -> Iterator[dict[str, Any]]:
        def ask(**token: Any) -> Any:
            return self._events(operation, resource, expects=field, EventBusName=BUS, **more, **token)

        return _pages(ask, field)

    def _scheduled(self) -> Iterator[dict[str, Any]]:
        def ask(**token: Any) -> Any:
            return self._scheduler("ListSchedules", "schedules", expects="Schedules", MaxResults=100, **token)

        return _pages(ask, "Schedules")

    def _schedule(self, group: str, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._scheduler(
            "GetSchedule", f"schedule {group}/{name}", expects="Target", GroupName=group, Name=name
        )
        return answer

    def _keep(self, response_dict: dict[str, Any], **_: Any) -> None:
        self._raw.body = response_dict.get("body", b"")

    def _refuse_unknown(self, call: Caller, operation: str, starter: Starter) -> None:
        """The whole is written back, and botocore would lose what it does not know."""
        try:
            raw = orjson.loads(self._raw.body)
        except (AttributeError, orjson.JSONDecodeError):
            return
        shape = call.client.meta.service_model.operation_model(operation).output_shape
        if unknown := sorted(set(unknown_members(raw, shape))):
            raise SdkTooOld(
                operation,
                str(starter),
                "SdkTooOld",
                f"AWS answered fields that this botocore does not know: {', '.join(unknown)}",
                "Update boto3 and botocore: written back without them, they would be lost",
            )


def _pages(ask: Callable[..., Any], field: str) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    while True:
        answer = ask(**token)
        yield from answer[field]
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def _still_there(target: dict[str, Any], starter: Starter) -> bool:
    said = target.get("EcsParameters", {}).get("TaskDefinitionArn")
    return bool(said) and said == starter.task_definition
