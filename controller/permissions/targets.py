"""What a route's outputs write to, and its secrets: where it says so for all tasks and records alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from controller.fluentbit.types import is_true
from controller.permissions.destinations import fixed, role_of
from controller.permissions.tasks import SECRET
from controller.specs.model import Route

Kind = Literal["bucket", "delivery stream", "stream", "log group", "secret"]


@dataclass(frozen=True, slots=True)
class Place:
    """`name`: of a secret its ARN. `region`: where it must be; "" for anywhere."""

    kind: Kind
    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Target:
    place: Place
    part: str
    route: str

    def __str__(self) -> str:
        return f"the {self.place.kind} {self.place.name} of {self.part} of {self.route}"


_OPTIONS: dict[str, tuple[Kind, str]] = {
    "s3": ("bucket", "bucket"),
    "kinesis_firehose": ("delivery stream", "delivery_stream"),
    "kinesis_streams": ("stream", "stream"),
    "cloudwatch_logs": ("log group", "log_group_name"),
}


def targets(route: Route, region: str) -> Iterator[Target]:
    """`region`: of the task. Log groups that the controller or the output itself makes are none."""
    kept = {group.name for group in route.log_groups}
    for output in route.outputs:
        place = _place(output, region)
        if place and not (place.kind == "log group" and (place.name in kept or _makes_it(output))):
            yield Target(place, f"output {output.get('alias') or output.get('name')}", route.key)
    named = (*route.secrets.values(), *(one.value_from for one in route.router.container.secrets))
    for arn in dict.fromkeys(named):
        if found := SECRET.fullmatch(arn):
            yield Target(Place("secret", found[1], arn.split(":")[3]), "a secret", route.key)


def _place(output: Mapping[str, Any], region: str) -> Place | None:
    """What an assumed role writes to may be another account's. Buckets are known everywhere."""
    kind, option = _OPTIONS.get(str(output.get("name", "")).lower(), (None, ""))
    name, there = fixed(output.get(option, "*")), fixed(output.get("region") or region)
    if kind is None or "*" in name or "*" in there or output.get("endpoint") or (role_of(output) and kind != "bucket"):
        return None
    return Place(kind, name, there)


def _makes_it(output: Mapping[str, Any]) -> bool:
    return is_true(str(output.get("auto_create_group", "off")))
