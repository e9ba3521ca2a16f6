"""The AppSpec that tells CodeDeploy what to bring out: read, made, and given another task definition.

CodeDeploy user guide, "AppSpec 'resources' section for Amazon ECS deployments". Everything but the task definition
(hooks, load balancer, platform version, network) is the owner's and stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from controller.api import yamls
from controller.api.errors import Explained

SERVICE = "AWS::ECS::Service"
VERSION = 0.0


class AppSpecUnusable(Explained):
    """An AppSpec that does not say plainly which one service it deploys, or cannot be changed in one place."""


def definition_of(text: str) -> str:
    """The task definition that it deploys, as it is written there."""
    return str(_properties(_loaded(text))["TaskDefinition"])


def with_definition(text: str, arn: str) -> str:
    """JSON keeps its structure, YAML every other character. Raises AppSpecUnusable."""
    wanted = _loaded(text)
    properties = _properties(wanted)
    if properties["TaskDefinition"] == arn:
        return text
    properties["TaskDefinition"] = arn
    if _as_json(text) is not None:
        return json.dumps(wanted)
    changed = _spliced(text, arn)
    if repr(_loaded(changed)) != repr(wanted):  # an alias, an anchor or a block of text: more than one place depends
        raise AppSpecUnusable(
            "the TaskDefinition of the AppSpec cannot be replaced alone; write it as plain text there, without "
            "an anchor or an alias"
        )
    return changed


def made(arn: str, service: Mapping[str, Any]) -> str:
    """From the service as described, where no deployment left an AppSpec. Raises AppSpecUnusable."""
    balancers = service.get("loadBalancers") or ()
    ends = {(one.get("containerName"), one.get("containerPort")) for one in balancers}
    if len(ends) != 1:
        raise AppSpecUnusable(
            f"there is no AppSpec to begin with, and the service has {len(ends)} load-balanced containers, not one; "
            "deploy it once with an AppSpec of your own"
        )
    ((container, port),) = ends
    properties = {"TaskDefinition": arn, "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port}}
    if platform := service.get("platformVersion"):
        properties["PlatformVersion"] = platform
    resource = {"TargetService": {"Type": SERVICE, "Properties": properties}}
    return json.dumps({"version": VERSION, "Resources": [resource]})


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _loaded(text: str) -> Any:
    """JSON first: it may have tabs, which YAML refuses."""
    try:
        if len(text) <= yamls.MAX_BYTES and (document := _as_json(text)) is not None:
            yamls.check_size(document)
            return document
        return yamls.load(text)
    except yamls.NotYaml as error:
        raise AppSpecUnusable(f"the AppSpec is neither YAML nor JSON: {error}") from error


def _properties(document: Any) -> dict[str, Any]:
    """Those of its one service, the key of the task definition as AWS writes it."""
    resources = _member(document, "Resources")
    if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], dict):
        raise AppSpecUnusable("the AppSpec must have exactly one resource, the service")
    if len(resources[0]) != 1:
        raise AppSpecUnusable("the AppSpec must have exactly one resource, the service")
    (service,) = resources[0].values()
    if _member(service, "Type") != SERVICE:
        raise AppSpecUnusable(f"the resource of the AppSpec must have the type {SERVICE}")
    properties = _member(service, "Properties")
    definition = _member(properties, "TaskDefinition")
    if not isinstance(definition, str) or "TaskDefinition" not in properties:
        raise AppSpecUnusable("the TaskDefinition of the AppSpec must be text under exactly that name")
    found: dict[str, Any] = properties
    return found


def _member(value: Any, name: str) -> Any:
    """In either case: AWS's own examples differ (`Resources`, `resources`)."""
    found = [one for key, one in value.items() if str(key).lower() == name.lower()] if isinstance(value, dict) else []
    if len(found) != 1:
        raise AppSpecUnusable(f"the AppSpec must have {name} exactly once where it belongs")
    return found[0]


def _spliced(text: str, arn: str) -> str:
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for name in ("resources", 0, None, "properties", "taskdefinition"):
        node = _below(node, name)
    return text[: node.start_mark.index] + json.dumps(arn) + text[node.end_mark.index :]


def _below(node: Any, name: str | int | None) -> Any:
    """The node under a key (in lower case), at a place in a list, or of the only key of a mapping (None)."""
    if isinstance(name, int):
        return node.value[name]
    for key, value in reversed(node.value):  # of a key that stands twice, the last counts
        if name is None or str(key.value).lower() == name:
            return value
    raise AppSpecUnusable("the AppSpec takes its parts from a merge (<<); write them out")
