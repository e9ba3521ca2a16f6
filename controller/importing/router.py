"""The LogRouterClass document: the router container and [SERVICE] as they are, under the class's own names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controller.api.container import OWN_LABEL_PREFIX, RouterContainer
from controller.api.kinds import API_VERSION
from controller.fluentbit.classic import Entry, Place
from controller.fluentbit.types import is_true
from controller.importing.definition import FireLens, is_init_variable, own_volumes
from controller.importing.gather import Gathered
from controller.importing.image import Image
from controller.importing.remarks import Remark, in_definition
from controller.importing.sections import Sorted
from controller.importing.tree import Element, Field, List, Map, Quoted, Value, from_plain
from controller.importing.values import Names, with_sets, without_secrets
from controller.taskdef.original import BUFFER_LIMIT

_ALIASES = {info.alias: name for name, info in RouterContainer.model_fields.items() if info.alias}
_ELSEWHERE = frozenset({"image", "firelensConfiguration", "environment", "secrets", "dockerLabels"})
_NOT_OURS = {
    "command": "LogRoute's router runs what the init image runs",
    "entryPoint": "LogRoute's router starts as the init image starts",
    "dependsOn": "LogRoute's router starts first: routed containers wait for it",
}
_DEFAULT_RESERVATION = 128
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
"""strconv.ParseBool, by which the agent reads enable-ecs-log-metadata."""
_SIZES = range(1, 536870913)
DEFAULT_PATH = "/var/log/flb"
CHUNKS = "128"
"""Fluent Bit's own storage.max_chunks_up (flb_config.h); the class's default is lower."""


@dataclass(slots=True)
class _Class:
    firelens: FireLens
    names: Names
    remarks: list[Remark]
    told: set[Place]
    service: dict[str, Entry] = field(default_factory=dict)
    """By name in lower case, in the order of first mention."""

    @property
    def place(self) -> Place:
        return in_definition(self.firelens.name)


def router_class(
    name: str, firelens: FireLens, image: Image, gathered: Gathered, found: Sorted, names: Names
) -> tuple[Map, list[Remark]]:
    """The document, after the route's own: which names its values use is known then."""
    work = _Class(firelens, names, [*image.remarks], found.told)
    work.service = _service(found.service, gathered.image_parsers, work)
    buffer = _buffer(found, image, work)
    health = _health(work)
    spec = [Field("image", image.image), *_stated("engine", image.engine), *_stated("delivery", image.delivery)]
    spec.append(Field("container", _container(work, stated_check=health is None)))
    if volumes := own_volumes(firelens):
        spec.append(Field("volumes", from_plain([_pruned(one) for one in volumes], in_definition())))
    spec.append(Field("health", health or _OFF))
    spec += _task_wide(work)
    if buffer:
        spec.append(Field("buffer", buffer))
    if work.service:
        spec.append(Field("service", _service_map(work)))
    return Map(
        (
            Field("apiVersion", API_VERSION),
            Field("kind", "LogRouterClass"),
            Field("metadata", Map((Field("name", name),))),
            Field("spec", Map(tuple(spec))),
        )
    ), work.remarks


def _stated(key: str, value: str | None) -> list[Field]:
    return [Field(key, value)] if value else []


def _service(entries: Iterable[Entry], image_parsers: Sequence[str], work: _Class) -> dict[str, Entry]:
    """All [SERVICE] sections as one: the last of a name counts, and is said."""
    found: dict[str, Entry] = {}
    place = Place("the init image")
    for entry in (*entries, *(Entry("parsers_file", path, place) for path in image_parsers)):
        key = entry.key.lower()
        if (held := found.get(key)) and held.value != entry.value:
            why = f"{entry.value} at {entry.place} comes later, and the last counts"
            lost = key == "parsers_file"
            work.remarks.append(Remark(held.place, f"{held.key} {held.value}", why, lost=lost))
        comments = (*(held.comments if held else ()), *entry.comments)
        if held and held.value != entry.value:
            comments = (*comments, f"not imported: {held.key} {held.value}, which stood before this")
        value = with_sets(entry.value, {**work.names.environment, **work.names.sets})
        if value != entry.value and not set(work.names.sets):
            why = "a variable of the router stands there; its value is written"
            work.remarks.append(Remark(entry.place, entry.key, why))
        found[key] = replace(entry, key=key, value=value, comments=comments)
    return found


def _service_map(work: _Class) -> Map:
    return Map(
        tuple(
            Field(key, one.value, without_secrets(one.comments, work.names), one.place)
            for key, one in work.service.items()
        )
    )


def _buffer(found: Sorted, image: Image, work: _Class) -> Map | None:
    """What the inputs that FireLens makes were told about storage, where they were told by hand."""
    wants = [one for one in found.own_inputs if (one.last("storage.type") or "").lower() == "filesystem"]
    usable = bool(wants) and image.runs != "1.9.10"
    for section in found.own_inputs:
        kept = {"name", "unix_path", "listen", "port", "tag", *(["storage.type"] if usable else [])}
        rest = sorted({entry.key.lower() for entry in section.entries} - kept)
        why = "FireLens makes this input itself" + (f"; with it go {', '.join(rest)}" if rest else "")
        advice = (
            "Fluent Bit 1.9.10 cannot give it a filesystem buffer: take an image from 3.4.9 on, and set class.buffer"
        )
        lost = bool(wants) and not usable
        work.remarks.append(
            Remark(section.place, f"[INPUT] {section.last('name')}", why, advice if lost else "", lost=lost)
        )
    if not usable:
        return None
    path, most = work.service.pop("storage.path", None), work.service.pop("storage.max_chunks_up", None)
    for key in ("storage.type", "storage.inherit"):
        work.service.pop(key, None)
    return Map(
        (
            Field("type", "filesystem"),
            _moved("path", path, DEFAULT_PATH, work),
            _moved("maxChunksUp", most, CHUNKS, work),
        )
    )


def _moved(key: str, entry: Entry | None, absent: str, work: _Class) -> Field:
    """An entry of [SERVICE] under the class's own name."""
    if entry is None:
        return Field(key, absent)
    return Field(key, entry.value, without_secrets(entry.comments, work.names), entry.place)


_OFF = Map((Field("mode", Quoted("off")),))


def _health(work: _Class) -> Map | None:
    """The class's own check where it writes the very same; None where the original's is to be written out."""
    check = work.firelens.router.get("healthCheck")
    if not check:
        return _OFF
    if work.firelens.network_mode == "host":  # there LogRoute has no check of its own
        return None
    said = {key: one.value for key, one in work.service.items()}
    port = said.get("http_port", "2020")
    for mode, path in (("uptime", "uptime"), ("deep", "health")):
        command = ["CMD-SHELL", f"curl -f http://127.0.0.1:{port}/api/v1/{path} || exit 1"]
        same = {"command": command, "interval": 10, "timeout": 5, "retries": 2, "startPeriod": 30} == check
        if same and _serves(said, deep=mode == "deep") and _is_inside(work):
            server = [work.service.pop(key, None) for key in ("http_server", "http_listen", "http_port")]
            comments = tuple(text for one in server if one for text in one.comments)
            return Map((Field("mode", mode), Field("port", port, without_secrets(comments, work.names))))
    return None


def _serves(said: Mapping[str, str], *, deep: bool) -> bool:
    return is_true(said.get("http_server", "off")) and (not deep or is_true(said.get("health_check", "off")))


def _is_inside(work: _Class) -> bool:
    """Whether nobody outside the task needs the HTTP server: the class's listens on loopback alone."""
    listen = work.service.get("http_listen")
    if listen and listen.value == "127.0.0.1":
        return True
    if work.firelens.router.get("portMappings"):
        return False
    place, said = (listen.place, listen.value) if listen else (work.place, "0.0.0.0")  # noqa: S104 - Fluent Bit's own
    why = f"the check's server listens on 127.0.0.1 instead of {said}: the router maps no port"
    advice = "if something outside the task asks it, take health out and say http_server and healthCheck by hand"
    work.remarks.append(Remark(place, "http_listen", why, advice))
    work.told.add(place)
    return True


def _container(work: _Class, *, stated_check: bool) -> Map:
    router, place, fields, words = work.firelens.router, work.place, [], list[str]()
    for key, value in router.items():
        if key in _ELSEWHERE or (key == "healthCheck" and not stated_check) or _empty(value):
            continue
        if why := _NOT_OURS.get(key):
            work.remarks.append(Remark(place, key, why, "see whether it is needed", lost=True))
            words += [f"not imported: {why}", f"  {key}: {json.dumps(value)}"]
        else:
            fields.append(Field(key, from_plain(_pruned(value), place), origin=place))
    if reservation := _reservation(router):
        fields.append(Field("memoryReservation", reservation, origin=place))
    fields += _named_lists(work)
    labels = {
        key: one for key, one in (router.get("dockerLabels") or {}).items() if not key.startswith(OWN_LABEL_PREFIX)
    }
    if labels:
        fields.append(Field("dockerLabels", from_plain(labels), origin=place))
    order = list(_ALIASES)
    ordered = sorted(fields, key=lambda one: order.index(one.key) if one.key in order else len(order))
    return Map(tuple(ordered), tail=without_secrets(words, work.names))


def _empty(value: Any) -> bool:
    return value is None or value in ([], {})


def _pruned(value: Any) -> Any:
    """Without what describe answers add: nothing, in many shapes."""
    if isinstance(value, dict):
        return {key: _pruned(one) for key, one in value.items() if not _empty(one)}
    return [_pruned(one) for one in value] if isinstance(value, list) else value


def _reservation(router: Mapping[str, Any]) -> str | None:
    """The class reserves 128 MiB unless told; a smaller hard limit must stay above what is reserved."""
    memory = router.get("memory")
    if router.get("memoryReservation") or not isinstance(memory, int) or memory > _DEFAULT_RESERVATION:
        return None
    return str(memory - 1)


def _named_lists(work: _Class) -> list[Field]:
    """The environment without what left it, and the secrets that the route has not taken."""
    names, place = work.names, work.place
    pairs = [{"name": name, "value": value} for name, value in names.environment.items() if not is_init_variable(name)]
    secrets = [
        {"name": name, "valueFrom": arn} for name, arn in names.router_secrets.items() if name not in names.secrets
    ]
    found = []
    if pairs:
        found.append(Field("environment", _listed(pairs, place), origin=place))
    if secrets:
        found.append(Field("secrets", _listed(secrets, place), origin=place))
    return found


def _listed(some: Iterable[Mapping[str, str]], place: Place) -> Value:
    return List(tuple(Element(from_plain(one, place), origin=place) for one in some))


def _task_wide(work: _Class) -> list[Field]:
    waits = {
        str(one.get("condition"))
        for container in work.firelens.routed
        for one in container.get("dependsOn") or ()
        if one.get("containerName") == work.firelens.name
    }
    found = [Field("waitForRouter", "HEALTHY" if "HEALTHY" in waits else "START")]
    if odd := waits - {"START", "HEALTHY"} or (waits if len(waits) > 1 else set()):
        why = f"{found[0].value} is written: all routed containers wait alike, for START or HEALTHY"
        work.remarks.append(Remark(in_definition(), f"dependsOn on the router: {', '.join(sorted(odd))}", why))
    found.append(Field("ecsMetadata", _metadata(work)))
    return found + _driver_limit(work)


def _metadata(work: _Class) -> str:
    said = work.firelens.options.get("enable-ecs-log-metadata")
    if said is None or said in _TRUE:
        return "true"
    if said not in _FALSE:
        why = "the agent takes it for false, as it is neither true nor false"
        work.remarks.append(Remark(work.place, "enable-ecs-log-metadata", why))
    return "false"


def _driver_limit(work: _Class) -> list[Field]:
    limits: dict[str, str] = {}
    for container in work.firelens.routed:
        options = (container.get("logConfiguration") or {}).get("options") or {}
        if BUFFER_LIMIT in options:
            limits[container["name"]] = str(options[BUFFER_LIMIT])
    good = [int(limit) for limit in limits.values() if limit.isdecimal() and int(limit) in _SIZES]
    if bad := [name for name, limit in limits.items() if not (limit.isdecimal() and int(limit) in _SIZES)]:
        why = f"{BUFFER_LIMIT} is a number of bytes from 1 to 536870912"
        work.remarks.append(Remark(in_definition(bad[0]), limits[bad[0]][:40], why, lost=True))
    if len(set(limits.values())) > 1 or (good and len(limits) < len(work.firelens.routed)):
        why = f"one limit holds for all routed containers: {max(good, default=0)} is written"
        work.remarks.append(Remark(in_definition(), BUFFER_LIMIT, why))
    return [Field("driverBufferLimit", str(max(good)))] if good else []
