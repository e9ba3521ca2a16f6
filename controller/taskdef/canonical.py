"""One form for all spellings of the same task definition, so that `==` finds true differences only.

ECS fills defaults, reorders lists and adds empty ones on describe (Terraform's
`containerDefinitionsAreEquivalent` and ecspresso's `diff.go` list what they met). Here defaults go out,
empty lists and maps go out, set-like lists are sorted. Scalars `""`, `0` and `false` that a person may have
meant (an env value, an option) stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from controller.taskdef.body import READ_ONLY, Body

CONTAINER_DEFAULTS: Body = {"cpu": 0, "essential": True}
HEALTH_DEFAULTS: Body = {"interval": 30, "timeout": 5, "retries": 3}
VOLUME_DEFAULTS: dict[str, Body] = {
    "efsVolumeConfiguration": {"rootDirectory": "/"},
    "dockerVolumeConfiguration": {"scope": "task", "autoprovision": False, "driver": "local"},
}
TASK_DEFAULTS: Body = {"networkMode": "bridge", "enableFaultInjection": False}


def canonical(body: Body) -> Body:
    """The canonical form of a register or describe body; that of a canonical form is itself."""
    kept = {key: value for key, value in body.items() if key not in READ_ONLY}
    mode = kept.get("networkMode") or "bridge"
    kept["containerDefinitions"] = [_container(one, mode) for one in kept.get("containerDefinitions") or ()]
    for size, unit in (("cpu", "vCPU"), ("memory", "GB")):
        if size in kept:
            kept[size] = _task_size(kept[size], unit)
    if "volumes" in kept:
        kept["volumes"] = [_volume(volume) for volume in kept["volumes"] or ()]
    if proxy := kept.get("proxyConfiguration"):
        kept["proxyConfiguration"] = _without(proxy, {"type": "APPMESH"})
    slim = _pruned(_without(kept, TASK_DEFAULTS))
    assert isinstance(slim, dict)  # noqa: S101 - family is never empty
    return slim


def text(body: Any) -> bytes:
    """Canonical bytes: sorted keys, no spaces. What digests are taken of."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def container(body: Body, network_mode: str) -> Body:
    """The canonical form of one container alone."""
    slim = _pruned(_container(body, network_mode))
    return slim if isinstance(slim, dict) else {}


def _container(body: Body, network_mode: str) -> Body:
    kept = dict(body)
    if "portMappings" in kept:
        kept["portMappings"] = [_port(port, network_mode) for port in kept["portMappings"] or ()]
    if kept.get("healthCheck"):
        kept["healthCheck"] = health_check(kept["healthCheck"])
    if kept.get("firelensConfiguration") and str(kept.get("user") or "0") == "0":
        kept.pop("user", None)  # ECS writes "0" where a router says nothing (terraform-provider-aws#41394)
    for mounts in ("mountPoints", "volumesFrom"):
        kept[mounts] = [_without(mount, {"readOnly": False}) for mount in kept.get(mounts) or ()]
    return _without(kept, CONTAINER_DEFAULTS)


def health_check(body: Body) -> Body:
    return _without(body, HEALTH_DEFAULTS)


def _port(port: Body, network_mode: str) -> Body:
    kept = _without(port, {"protocol": "tcp", "hostPort": 0})
    if network_mode in ("awsvpc", "host") and kept.get("hostPort") == kept.get("containerPort"):
        kept.pop("hostPort", None)
    return kept


def _volume(volume: Body) -> Body:
    return {
        key: _without(value, VOLUME_DEFAULTS[key]) if key in VOLUME_DEFAULTS else value for key, value in volume.items()
    }


def _task_size(value: Any, unit: str) -> str:
    """`.5 vCPU`, `1 vCPU`, `2 GB` and plain numbers, as the plain number (1,024 units to one)."""
    words = str(value).strip()
    if words.lower().endswith(unit.lower()):
        try:
            return str(int(float(words[: -len(unit)]) * 1024))
        except (ValueError, OverflowError):
            return words
    return words


def _without(body: Body, defaults: Body) -> Body:
    return {
        key: value
        for key, value in (body or {}).items()
        if key not in defaults or value != defaults[key] or type(value) is not type(defaults[key])
    }


def _key(*names: str) -> Callable[[Any], tuple[str, ...]]:
    return lambda item: (
        tuple(f"{item.get(name, '')!s:>12}" for name in names) if isinstance(item, dict) else (str(item),)
    )


SETS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "containerDefinitions": _key("name"),
    "environment": _key("name"),
    "secrets": _key("name"),
    "secretOptions": _key("name"),
    "mountPoints": _key("containerPath", "sourceVolume"),
    "volumesFrom": _key("sourceContainer"),
    "portMappings": _key("containerPort", "protocol", "hostPort", "containerPortRange"),
    "ulimits": _key("name"),
    "dependsOn": _key("containerName"),
    "systemControls": _key("namespace"),
    "resourceRequirements": _key("type"),
    "volumes": _key("name"),
    "placementConstraints": _key("type", "expression"),
    "requiresCompatibilities": _key(),
    "inferenceAccelerators": _key("deviceName"),
    "properties": _key("name"),
    "tags": _key("key"),
    "add": _key(),
    "drop": _key(),
}
"""Lists whose order means nothing, by the name of the member, with what to sort by. `environmentFiles`,
`command`, `entryPoint`, `links` and the DNS lists keep their order: it is meaning."""


def _pruned(value: Any, name: str = "") -> Any:
    """`value` without None, empty lists and empty maps, set-like lists sorted; scalars untouched."""
    if isinstance(value, dict):
        pruned = {}
        for key, one in value.items():
            if type(one) in _PLAIN:
                pruned[key] = one
            elif isinstance(one, _NESTED):
                if kept := _pruned(one, key):
                    pruned[key] = kept
            elif one is not None:
                pruned[key] = one
        return pruned
    if isinstance(value, list | tuple):
        items = [one if type(one) in _PLAIN else _pruned(one) for one in value]
        items = [one for one in items if one or not (one is None or isinstance(one, _NESTED))]
        return sorted(items, key=SETS[name]) if len(items) > 1 and name in SETS else items
    return value


_PLAIN = frozenset({str, int, bool})
_NESTED = (dict, list, tuple)
