"""The AppSpec of an ECS deployment: which task definition, and which of its containers gets the traffic.

CodeDeploy user guide, "AppSpec File example for an Amazon ECS deployment" and "AppSpec 'resources' section".
It is YAML or JSON. What the guide calls required is; the words of the errors are ours.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import orjson
import yaml

from controller.sandbox.codedeploy.errors import CodeDeployError

_VERSION = "0.0"


@dataclass(frozen=True, slots=True)
class AppSpec:
    definition: str
    container: str


def read(content: str) -> AppSpec:
    """Raise InvalidRevisionException for anything but the one resource that an ECS deployment has."""
    document = _parsed(content)
    if str(_member(document, "version")) != _VERSION:
        raise invalid(f"The version of the AppSpec must be {_VERSION}.")
    resources = _listed(_member(document, "Resources"))
    if len(resources) != 1 or not isinstance(resources[0], dict) or len(resources[0]) != 1:
        raise invalid("Resources of the AppSpec must list one ECS service.")
    (service,) = resources[0].values()
    if _member(service, "Type") != "AWS::ECS::Service":
        raise invalid("The resource of the AppSpec must have the type AWS::ECS::Service.")
    properties = _member(service, "Properties")
    balancer = _member(properties, "LoadBalancerInfo")
    _port(_member(balancer, "ContainerPort"))
    return AppSpec(_text(properties, "TaskDefinition"), _text(balancer, "ContainerName"))


def _parsed(content: str) -> Any:
    """JSON first: an escaped surrogate pair is one character there, and two in YAML."""
    with contextlib.suppress(orjson.JSONDecodeError):
        return orjson.loads(content)
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise invalid("The AppSpec is neither YAML nor JSON.") from error


def _member(value: Any, name: str) -> Any:
    """Names are read in either case: AWS's own examples differ (`Resources`, `resources`)."""
    found = {str(key).lower(): one for key, one in value.items()} if isinstance(value, dict) else {}
    if (member := found.get(name.lower())) is None:
        raise invalid(f"The AppSpec has no {name}.")
    return member


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, name: str) -> str:
    text = _member(value, name)
    if not isinstance(text, str) or not text or not text.isprintable():
        raise invalid(f"{name} of the AppSpec must be printable text.")
    return text


def _port(value: Any) -> None:
    if not str(value).isdecimal():
        raise invalid("ContainerPort of the AppSpec must be a number.")


def invalid(problem: str) -> CodeDeployError:
    return CodeDeployError("InvalidRevisionException", problem)
