"""What ECS adds to a definition: DescribeTaskDefinition never shows just what was registered.

Amazon ECS API reference, ContainerDefinition, PortMapping and HealthCheck, for the documented defaults; the
empty lists are in every described definition of 2024 and later. ECS makes a FireLens container root unless
told otherwise (hashicorp/terraform-provider-aws pull request 41394).
"""

from __future__ import annotations

import copy

from controller.sandbox.ids import Ids
from controller.sandbox.model import Json
from controller.sandbox.registration.task_size import cpu_units, memory_mib

_EMPTY_LISTS = ("environment", "mountPoints", "volumesFrom", "portMappings", "systemControls")
_HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
_ROOT = "0"


def described(request: Json, ids: Ids) -> Json:
    """The definition as ECS keeps it, without what belongs to the revision (ARN, number, status)."""
    body = copy.deepcopy({key: value for key, value in request.items() if key != "tags"})
    body.setdefault("networkMode", "bridge")
    body.setdefault("volumes", [])
    body.setdefault("placementConstraints", [])
    body.setdefault("enableFaultInjection", False)
    for key, read in (("cpu", cpu_units), ("memory", memory_mib)):
        if key in body:
            body[key] = str(read(body[key]))
    if "proxyConfiguration" in body:
        body["proxyConfiguration"].setdefault("type", "APPMESH")
    for volume in body["volumes"]:
        if "efsVolumeConfiguration" in volume:
            volume["efsVolumeConfiguration"].setdefault("rootDirectory", "/")
    for container in body["containerDefinitions"]:
        _fill(container, body["networkMode"], ids)
    return body


def _fill(container: Json, network_mode: str, ids: Ids) -> None:
    container.setdefault("cpu", 0)
    container.setdefault("essential", True)
    for key in _EMPTY_LISTS:
        container.setdefault(key, [])
    for mapping in container["portMappings"]:
        _fill_port(mapping, network_mode)
    if "healthCheck" in container:
        container["healthCheck"] = _HEALTH_CHECK | container["healthCheck"]
    if "logConfiguration" in container:
        container["logConfiguration"].setdefault("secretOptions", [])
    if "firelensConfiguration" in container:
        container.setdefault("user", _ROOT)
    _shuffle(container, ids)


def _fill_port(mapping: Json, network_mode: str) -> None:
    mapping.setdefault("protocol", "tcp")
    if "containerPort" not in mapping:
        return
    if network_mode in {"awsvpc", "host"}:
        mapping["hostPort"] = mapping["containerPort"]
    else:
        mapping.setdefault("hostPort", 0)


def _shuffle(container: Json, ids: Ids) -> None:
    """ECS keeps no order of environment and secrets; who compares them in order must fail here."""
    for key in ("environment", "secrets"):
        if key in container:
            container[key] = ids.shuffled(container[key])
