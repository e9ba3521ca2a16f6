"""The statuses that replicas keep in the config store, each of its places, read and put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from controller.api.conditions import Reason
from controller.api.errors import Explained
from controller.aws.ports import NotFound, ObjectStore
from controller.desired.model import ConfigStore
from controller.reconciling.board import FORMAT
from controller.reconciling.world import PLACES, STATE, STATUS


class StatusError(Explained):
    """There is no status, or none that this version can read."""


MAX_BYTES = 256 * 2**20
"""Ten thousand services take five megabytes."""


class _Row(BaseModel):
    """What commands read of a row; there may be more in it."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Told(_Row):
    reason: str
    message: str


class _Condition(_Told):
    condition: str
    status: str


class _Service(_Told):
    ready: bool
    drift: list[_Told] = []
    hints: list[_Told] = []


class _Suspended(_Row):
    message: str


class _Rollout(_Row):
    id: str
    begun: float
    state: str
    why: str


class _Problem(_Row):
    file: str
    line: int
    column: int
    code: str
    message: str


class _Status(_Row):
    revision: str
    sourceError: str  # noqa: N815 - its name there
    errors: dict[str, str]
    lostConfigs: list[str]  # noqa: N815 - its name there
    routes: dict[str, list[_Condition]]
    services: dict[str, _Service]
    suspended: dict[str, _Suspended]
    rollouts: list[_Rollout]
    problems: list[_Problem]


MERGED: tuple[str, ...] = ("errors", "routes", "services")


def read(objects: ObjectStore, store: ConfigStore) -> dict[str, Any]:
    """What all replicas told, as one. Raises StatusError, AwsError."""
    folder, home = store.key(STATE, PLACES) + "/", read_one(objects, store.key(STATE, STATUS))
    others = [info.key for info in objects.list(folder)]
    if home and isinstance(home.get("places"), list):  # a place that left the settings has left its status behind
        others = [key for key in others if key.removeprefix(folder).removesuffix(".json") in home["places"]]
    found = [one for one in (home, *(read_one(objects, key) for key in others)) if one]
    if not found:
        where = f"s3://{store.in_bucket(STATE)}/{STATUS}"
        raise StatusError(f"{where} is not there: no controller has finished a pass yet")
    return merged(found)


def merged(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statuses of several places as one; the first is that of the controller's own."""
    maps = {name: {key: value for one in found for key, value in one[name].items()} for name in MERGED}
    maps["routes"] = {route: _worst(one["routes"].get(route) for one in found) for route in maps["routes"]}
    maps = {name: dict(sorted(some.items())) for name, some in maps.items()}
    lists = {name: [row for one in found for row in one[name]] for name in ("lostConfigs", "rollouts")}
    lists["rollouts"].sort(key=lambda one: (one["begun"], one["id"]))
    unread = next((error for one in found if (error := one["sourceError"])), "")
    return {**found[0], **maps, **lists, "sourceError": unread}


def _worst(some: Iterable[Any]) -> Any:
    """A route may select services in several parts of a place: that it selects none in one of them is no news."""

    def rank(conditions: Any) -> int:
        ready: dict[str, Any] = next((one for one in conditions if one.get("condition") == "Ready"), {})
        if ready.get("reason") == Reason.NO_SERVICE:
            return 2
        return int(ready.get("status") == "True")

    return min((one for one in some if one is not None), key=rank)


def read_one(objects: ObjectStore, key: str) -> dict[str, Any] | None:
    """None where there is none. Raises StatusError, AwsError."""
    where = f"s3://{objects.bucket}/{key}"
    try:
        body = objects.get(key, max_bytes=MAX_BYTES).body
    except NotFound as error:
        if error.code == "NoSuchBucket":
            raise
        return None
    if len(body) > MAX_BYTES:
        raise StatusError(f"{where} is not readable: it is larger than {MAX_BYTES >> 20} MiB")
    try:
        return checked(orjson.loads(body), where)
    except orjson.JSONDecodeError as error:
        raise StatusError(f"{where} is not readable: {error}") from error


def checked(found: Any, where: str) -> dict[str, Any]:
    """Raises StatusError where it is no status, or one of another version."""
    if not isinstance(found, dict) or "format" not in found:
        raise StatusError(f"{where} is not readable: it is no status; the controller writes it anew when it changes")
    if found["format"] != FORMAT:
        raise StatusError(f"{where} is of format {found['format']}; update this logroute")
    status: dict[str, Any] = {"suspended": {}, "rollouts": [], **found}  # earlier versions did not tell these
    try:
        _Status.model_validate(status)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
        raise StatusError(f"{where} is not readable: `{place}` is missing or of another type") from error
    return status
