"""What the API answers. Times are RFC 3339 in UTC; keys of services are `account/region/cluster/service`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from controller.api import events
from controller.api.keys import ServiceKey

SERVICE = "main/ap-northeast-1/example-poc-app/example"
AT = "2026-11-23T10:00:00Z"


class Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Because(Answer):
    reason: str = Field(examples=["RouterMissing"])
    message: str = Field(examples=["example:7 came without the router"])


class Condition(Answer):
    condition: str = Field(examples=["Ready"])
    status: Literal["True", "False", "Unknown"]
    reason: str = Field(examples=["InSync"])
    message: str


class Route(Answer):
    key: str = Field(examples=["web/httpd"])
    namespace: str = Field(examples=["web"])
    name: str = Field(examples=["httpd"])
    ready: bool
    reason: str = Field(description="Of the condition Ready.", examples=["InSync"])
    message: str
    suspended: bool
    conditions: list[Condition]
    services: list[str] = Field(description="Those that it selects.", examples=[[SERVICE]])


class Service(Answer):
    key: str = Field(examples=[SERVICE])
    account: str = Field(examples=["main"])
    region: str = Field(examples=["ap-northeast-1"])
    cluster: str = Field(description="Empty for a task family.", examples=["example-poc-app"])
    name: str = Field(examples=["example"])
    kind: Literal["service", "family"]
    ready: bool
    reason: str = Field(examples=["InSync"])
    message: str
    suspended: bool
    drift: list[Because] = []
    hints: list[Because] = []
    routes: list[str] = Field(default=[], examples=[["web/httpd"]])


class PlannedService(Answer):
    service: str = Field(examples=[SERVICE])
    action: str = Field(examples=["route"])
    reasons: list[Because]
    hold: Because | None = None
    diff: str = Field(default="", description="Unified; of the first fifty services of a plan.")


class Plan(Answer):
    digest: str = Field(examples=["3f1c9a2b7d04"])
    place: str = Field(description="Empty for a blocked plan, which counts all places.", examples=["main/eu-west-1"])
    state: Literal["Blocked", "Pending", "Done"]
    revision: str = Field(description="Of the specs.")
    at: datetime = Field(examples=[AT])
    why: str
    total: int = Field(description="Services; not all need be listed.")
    services: list[PlannedService]


class Event(Answer):
    at: datetime = Field(examples=[AT])
    kind: events.EventKind
    level: Literal["info", "warning", "error"]
    about: str = Field(description="A service, a route, a place, a spec's file, or nothing.", examples=[SERVICE])
    message: str
    reason: str = ""
    routes: list[str] = []
    source: str = Field(default="", description="Revision of the specs that were in force.")
    revision: str = Field(default="", description="ARN of the task definition.")
    base: str = ""
    digest: str = ""
    by: str = Field(default="", description="Who did it, where it was not LogRoute.")
    diff: str = ""


class Problem(Answer):
    file: str = Field(examples=["web/httpd.yaml"])
    line: int
    column: int
    code: str = Field(examples=["UNKNOWN_OPTION"])
    severity: Literal["error", "warning", "hint"]
    message: str
    hint: str = ""


class Rollout(Answer):
    """A change that goes over services in waves."""

    id: str
    place: str
    state: str
    why: str = ""
    begun: datetime
    batch: int
    batches: int
    services: dict[str, int] = Field(examples=[{"done": 7, "waiting": 3}])


class Summary(Answer):
    """The whole on one page."""

    revision: str = Field(description="Of the specs in force.")
    source_error: str = ""
    places: list[str]
    errors: dict[str, str] = Field(description="What could not be read, and why.")
    lost_configs: list[str]
    routes: dict[str, int] = Field(description="By readiness.", examples=[{"ready": 3, "notReady": 1}])
    services: dict[str, int] = Field(description="By reason.", examples=[{"InSync": 40, "RollingOut": 2}])
    problems: int
    rollouts: list[Rollout]
    suspended: dict[str, str]
    version: str = Field(description="Of LogRoute.")


T = TypeVar("T")


class Page(Answer, Generic[T]):
    items: list[T]
    total: int = Field(description="Of all pages.")
    offset: int
    limit: int


class Asked(Answer):
    """Of an action. Both are kept, and shown to others."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")] = (
        Field("", examples=["looking into it"])
    )
    by: Annotated[str, StringConstraints(max_length=100, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")] = (
        Field("", description="Who asks; the token tells no name.", examples=["jane"])
    )


class Said(Answer):
    detail: str


def service(key: str, row: Mapping[str, Any]) -> Service:
    parsed = ServiceKey.parse(key)
    return Service(
        key=key,
        account=parsed.place.account,
        region=parsed.place.region,
        cluster="" if parsed.is_family else parsed.cluster,
        name=parsed.service,
        kind="family" if parsed.is_family else "service",
        **row,
    )


def route(key: str, conditions: list[Mapping[str, str]], services: list[str]) -> Route:
    namespace, _, name = key.partition("/")
    by_name = {one["condition"]: one for one in conditions}
    ready = by_name.get("Ready", {})
    return Route(
        key=key,
        namespace=namespace,
        name=name,
        ready=ready.get("status") == "True",
        reason=ready.get("reason", ""),
        message=ready.get("message", ""),
        suspended=by_name.get("Suspended", {}).get("status") == "True",
        conditions=[Condition(**one) for one in conditions],
        services=services,
    )


def rollout(one: Mapping[str, Any]) -> Rollout:
    known = {name: one[name] for name in Rollout.model_fields if name in one}
    return Rollout(**{"batch": 0, "batches": 0, **known, "begun": moment(one["begun"])})


def plan(one: Mapping[str, Any]) -> Plan:
    return Plan(**{**one, "at": moment(one["at"])})


def event(one: events.Event) -> Event:
    return Event(**{**one.as_plain(), "about": one.about, "at": datetime.fromtimestamp(one.at, UTC)})


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
