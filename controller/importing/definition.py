"""The FireLens parts of a task definition, and the definition without them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from controller.importing.remarks import Remark, Unimportable, in_definition
from controller.taskdef.body import Body, container_names, is_fargate
from controller.taskdef.mark import PREFIX
from controller.taskdef.original import FIRELENS

EXTERNAL = "/fluent-bit/etc/external.conf"
"""Where the agent mounts a config of type s3 (amazon-ecs-agent, firelensconfig_unix.go)."""
_INIT = re.compile(r"aws_fluent_bit_init_(?:([sS])3|[fF]ile)")
"""Unanchored, as the init process looks for it (aws-for-fluent-bit, fluent_bit_init_process.go)."""


@dataclass(frozen=True, slots=True)
class ConfigRef:
    """A config file that the router loads. `value` is an ARN, or a path in the image."""

    kind: Literal["s3", "file"]
    value: str
    named_by: str


@dataclass(frozen=True, slots=True)
class FireLens:
    body: Body = field(repr=False)
    router: Body = field(repr=False)
    routed: tuple[Body, ...] = field(repr=False)
    custom: ConfigRef | None
    """The config that the agent includes."""
    init: tuple[ConfigRef, ...]
    """What the init process includes, by number."""

    @property
    def name(self) -> str:
        return str(self.router["name"])

    @property
    def options(self) -> dict[str, str]:
        return {key: str(value) for key, value in ((self.router["firelensConfiguration"]).get("options") or {}).items()}

    @property
    def fargate(self) -> bool:
        return is_fargate(self.body)

    @property
    def network_mode(self) -> str:
        return str(self.body.get("networkMode") or "bridge")


def examine(body: Body) -> FireLens:
    """Raises Unimportable where the definition has no FireLens router for Fluent Bit, or one of LogRoute's own."""
    _check_shapes(body)
    routers = [one for one in body["containerDefinitions"] if isinstance(one.get("firelensConfiguration"), dict)]
    if not routers:
        raise Unimportable("no container has a firelensConfiguration: there is no FireLens in it to import")
    router = routers[0]
    if router["firelensConfiguration"].get("type") != "fluentbit":
        raise Unimportable(
            f"the router {router.get('name')!r} is not of type fluentbit: LogRoute knows Fluent Bit alone"
        )
    if any(str(label).startswith(PREFIX) for label in router.get("dockerLabels") or {}):
        raise Unimportable("the router is LogRoute's own already: its route is in your specs")
    routed = tuple(one for one in body["containerDefinitions"] if one is not router and _driver(one) == FIRELENS)
    if not routed:
        raise Unimportable("no container has the log driver awsfirelens: nothing is routed")
    if not isinstance(router.get("image"), str):
        raise Unimportable("the router has no image")
    return FireLens(body, router, routed, _custom(router), _init(router))


_LISTS = ("environment", "secrets", "dependsOn", "mountPoints", "volumesFrom")


def _check_shapes(body: Body) -> None:
    """What ECS would refuse to register is told here, and need not be looked for later."""
    volumes = body.get("volumes") or []
    _check(volumes, list, "volumes", _all_are_maps(volumes))
    for container in body["containerDefinitions"]:
        name = container.get("name")
        _check(name, str, "the name of a container", bool(name))
        for key in _LISTS:
            some = container.get(key) or []
            _check(some, list, f"{key} of container {name}", _all_are_maps(some))
        for key in ("logConfiguration", "firelensConfiguration", "dockerLabels"):
            some = container.get(key) or {}
            _check(some, dict, f"{key} of container {name}", isinstance(some, dict))
            options = some.get("options") or {}
            _check(options, dict, f"options in {key} of container {name}", isinstance(options, dict))
        links = container.get("links") or []
        _check(links, list, f"links of container {name}", isinstance(links, list))
        secrets = (container.get("logConfiguration") or {}).get("secretOptions") or []
        named = _all_are_maps(secrets) and all(isinstance(one.get("name"), str) for one in secrets)
        _check(secrets, list, f"secretOptions of container {name}", named)


def _all_are_maps(some: Any) -> bool:
    return isinstance(some, list) and all(isinstance(one, dict) for one in some)


def _check(value: Any, kind: type, what: str, good: bool) -> None:
    if not isinstance(value, kind) or not good:
        raise Unimportable(f"{what} is not as ECS has it")


def _driver(container: Body) -> Any:
    return (container.get("logConfiguration") or {}).get("logDriver")


def _custom(router: Body) -> ConfigRef | None:
    options = router["firelensConfiguration"].get("options") or {}
    kind, value = options.get("config-file-type"), options.get("config-file-value")
    if kind is None and value is None:
        return None
    if kind not in ("s3", "file") or not value:
        raise Unimportable("config-file-type must be s3 or file and have a config-file-value, or ECS starts no task")
    return ConfigRef("s3" if kind == "s3" else "file", str(value), "config-file-value")


def _init(router: Body) -> tuple[ConfigRef, ...]:
    found = []
    for pair in router.get("environment") or ():
        name = str(pair.get("name", ""))
        if match := _INIT.search(name):
            found.append(ConfigRef("s3" if match[1] else "file", str(pair.get("value", "")), name))
    return tuple(sorted(found, key=lambda ref: _number(ref.named_by)))


def _number(variable: str) -> tuple[int, str]:
    digits = re.search(r"(\d+)\D*$", variable.rpartition("_")[2])
    return (int(digits[1]) if digits else 0, variable)


def is_init_variable(name: str) -> bool:
    return _INIT.search(name) is not None


def without_firelens(firelens: FireLens) -> Body:
    """The definition as it would be without any log routing: what LogRoute injects into."""
    router = firelens.name
    others = [one for one in firelens.body["containerDefinitions"] if one is not firelens.router]
    body = {**firelens.body, "containerDefinitions": [_freed(one, router) for one in others]}
    own = {volume.get("name") for volume in own_volumes(firelens)}
    if kept := [one for one in body.get("volumes") or () if one.get("name") not in own]:
        body["volumes"] = kept
    else:
        body.pop("volumes", None)
    return body


def own_volumes(firelens: FireLens) -> tuple[Body, ...]:
    """Task volumes that the router mounts and nobody else does."""
    mounted = _mounts([firelens.router])
    shared = _mounts(one for one in firelens.body["containerDefinitions"] if one is not firelens.router)
    return tuple(one for one in firelens.body.get("volumes") or () if one.get("name") in mounted - shared)


def _mounts(containers: Iterable[Body]) -> set[str]:
    return {str(mount.get("sourceVolume")) for one in containers for mount in one.get("mountPoints") or ()}


def _freed(container: Body, router: str) -> Body:
    kept = {key: value for key, value in container.items() if key not in ("logConfiguration", "dependsOn")}
    if "logConfiguration" in container and _driver(container) != FIRELENS:
        kept["logConfiguration"] = container["logConfiguration"]
    if rest := [one for one in container.get("dependsOn") or () if one.get("containerName") != router]:
        kept["dependsOn"] = rest
    return kept


def bound_to_router(firelens: FireLens) -> list[Remark]:
    """What other containers ask of the router and a plain definition cannot keep."""
    routed = {one["name"] for one in firelens.routed}
    found = []
    for container in firelens.body["containerDefinitions"]:
        name, place = str(container.get("name")), in_definition(str(container.get("name")))
        waits = [one for one in container.get("dependsOn") or () if one.get("containerName") == firelens.name]
        if waits and name not in routed:
            why = "the container is not routed, and LogRoute makes only routed containers wait for the router"
            found.append(Remark(place, "its dependsOn on the router", why, "leave it out, or route it", lost=True))
        volumes = [one for one in container.get("volumesFrom") or () if one.get("sourceContainer") == firelens.name]
        links = [one for one in container.get("links") or () if str(one).split(":")[0] == firelens.name]
        for what in (*(["volumesFrom"] if volumes else []), *(["links"] if links else [])):
            why = "the plain definition still names the router there, and has no such container"
            found.append(Remark(place, f"its {what} on the router", why, "delete it by hand", lost=True))
    return found


def names(firelens: FireLens) -> tuple[str, ...]:
    """The routed containers."""
    return tuple(container_names({"containerDefinitions": list(firelens.routed)}))
