"""What an event of AWS says to look at. Pure: the event itself is never believed, only where to look is taken from it.

EventBridge's envelopes (S3 object events, ECS deployment, service and task events, CloudTrail's calls of ECS), S3's own
notifications, and either of them wrapped by SNS. Shapes: Amazon ECS developer guide, "Amazon ECS events"; Amazon S3
user guide, "Event message structure"; CloudTrail user guide, "Record contents".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

LARGEST = 1024 * 1024
"""Bytes of a message: SQS takes no more."""
DEFAULT_CLUSTER = "default"
_NAME = "([A-Za-z0-9_-]{1,255})"
_ECS = "arn:aws[a-z-]*:ecs:([a-z0-9-]+):([0-9]{12}):"
_PLAIN = re.compile(_NAME)
_SERVICE = re.compile(f"{_ECS}service/{_NAME}/{_NAME}")
_CLUSTER = re.compile(f"{_ECS}cluster/{_NAME}")
_FAMILY = re.compile(f"{_ECS}task-definition/{_NAME}(?::[0-9]+)?")
CALLS = ("UpdateService", "CreateService", "DeleteService", "RegisterTaskDefinition")


class NotAnEvent(ValueError):
    """Nothing that anybody here can read."""


@dataclass(frozen=True, slots=True)
class ObjectHint:
    """An object was made, altered or deleted."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class ServiceHint:
    """Something happened to a service: a deployment, a call of somebody."""

    account: str
    """Twelve digits."""
    region: str
    cluster: str
    service: str


@dataclass(frozen=True, slots=True)
class FamilyHint:
    """Somebody registered a revision."""

    account: str
    region: str
    family: str


Hint = ObjectHint | ServiceHint | FamilyHint


def read(body: str) -> tuple[Hint, ...]:
    """Empty for an event that says nothing to us. Raises NotAnEvent."""
    if len(body) > LARGEST:
        raise NotAnEvent(f"larger than {LARGEST} characters")
    found = _json(body)
    if found.get("Type") == "Notification" and isinstance(found.get("Message"), str):
        found = _json(found["Message"])
    if found.get("Event") == "s3:TestEvent":
        return ()
    try:
        return tuple(dict.fromkeys(_hints(found)))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotAnEvent(f"it lacks {error}" if isinstance(error, KeyError) else str(error)) from error


def _json(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotAnEvent(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotAnEvent("it is no JSON object")
    return found


def _hints(event: Mapping[str, Any]) -> Iterator[Hint]:
    if "Records" in event:
        for one in event["Records"]:
            yield _object(one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"]))
        return
    source, detail = event["source"], event["detail"]
    if source == "aws.s3":
        yield _object(detail["bucket"]["name"], detail["object"]["key"])
    elif source == "aws.ecs" and event["detail-type"] == "AWS API Call via CloudTrail":
        yield from _call(detail)
    elif source == "aws.ecs" and event["detail-type"] == "ECS Task State Change":
        yield from _task(detail)
    elif source == "aws.ecs":
        for arn in event["resources"]:
            yield from _service(arn)


def _object(bucket: Any, key: Any) -> ObjectHint:
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise TypeError("bucket or key is no text")
    return ObjectHint(bucket, key)


def _service(arn: str) -> Iterator[ServiceHint]:
    """An ARN in the old form has no cluster; which one was meant nobody can tell."""
    if found := _SERVICE.fullmatch(arn):
        yield ServiceHint(found[2], found[1], found[3], found[4])


def _task(detail: Mapping[str, Any]) -> Iterator[Hint]:
    """A task that stopped may be the router's doing. `group`: `service:NAME`, or `family:NAME` of a job."""
    kind, _, name = str(detail.get("group", "")).partition(":")
    cluster = _CLUSTER.fullmatch(detail["clusterArn"])
    if detail["lastStatus"] == "STOPPED" and kind == "service" and cluster and _PLAIN.fullmatch(name):
        yield ServiceHint(cluster[2], cluster[1], cluster[3], name)


def _call(detail: Mapping[str, Any]) -> Iterator[Hint]:
    """CloudTrail may cut what was asked short, so what was answered comes first."""
    if detail.get("errorCode") or detail["eventName"] not in CALLS:
        return
    answer, asked = detail.get("responseElements") or {}, detail.get("requestParameters") or {}
    if detail["eventName"] == "RegisterTaskDefinition":
        arn = (answer.get("taskDefinition") or {}).get("taskDefinitionArn", "")
        if found := _FAMILY.fullmatch(arn):
            yield FamilyHint(found[2], found[1], found[3])
        return
    if told := list(_service(str((answer.get("service") or {}).get("serviceArn", "")))):
        yield from told
        return
    service = str(asked.get("service") or asked.get("serviceName") or "").rsplit("/", 1)[-1]
    cluster = str(asked.get("cluster") or DEFAULT_CLUSTER).rsplit("/", 1)[-1]
    if _PLAIN.fullmatch(service) and _PLAIN.fullmatch(cluster):
        account = str(detail.get("recipientAccountId") or detail["userIdentity"]["accountId"])
        yield ServiceHint(account, str(detail["awsRegion"]), cluster, service)
