"""Bodies of ECS requests that people write, and what a function's keyword arguments are when they do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from controller.sandbox.ecs import wire
from controller.sandbox.errors import EcsError
from controller.sandbox.model import Json

_TRUTHS = {"true": True, "false": False}


def typed(value: Any, shape: Any) -> Any:
    """`value` with numbers and booleans where ECS's model has them: scalars of a YAML file arrive as text."""
    if shape is None:
        return value
    kind = shape.type_name
    if isinstance(value, dict) and kind == "structure":
        return {key: typed(member, shape.members.get(key)) for key, member in value.items()}
    if isinstance(value, dict) and kind == "map":
        return {key: typed(member, shape.value) for key, member in value.items()}
    if isinstance(value, list) and kind == "list":
        return [typed(member, shape.member) for member in value]
    return _scalar(value, kind) if isinstance(value, str) else value


def _scalar(text: str, kind: str) -> Any:
    if kind == "boolean":
        return _TRUTHS.get(text.lower(), text)
    try:
        if kind in {"integer", "long"}:
            return int(text)
        return float(text) if kind in {"double", "float"} else text
    except ValueError:
        return text


def _body_of(operation: str) -> Callable[[Any], Any]:
    def body(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        shape = wire.service_model().operation_model(operation).input_shape
        request: Json = typed(value, shape)
        if odd := list(_odd(request, shape, ())):
            raise ValidationError.from_exception_data(operation, odd)
        try:
            wire.check(operation, request)
        except EcsError as error:
            raise PydanticCustomError("body", "{why}", {"why": error.message}) from error
        return request

    return body


_FORMS: dict[str, tuple[type, str]] = {
    "structure": (dict, "a mapping"),
    "map": (dict, "a mapping"),
    "list": (list, "a list"),
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "long": (int, "a whole number"),
    "boolean": (bool, "true or false"),
}


def _odd(value: Any, shape: Any, path: tuple[str | int, ...]) -> Iterator[InitErrorDetails]:
    """What has the wrong form or a name that ECS does not know, each with its path."""
    kind = shape.type_name
    form, words = _FORMS.get(kind, (object, ""))
    fits = isinstance(value, form) and not (isinstance(value, bool) and kind != "boolean")
    if not fits:
        yield _error(f"must be {words}", path, value)
    elif kind == "structure":
        for key, member in value.items():
            if key in shape.members:
                yield from _odd(member, shape.members[key], (*path, key))
            else:
                near = ", ".join(get_close_matches(key, shape.members, 1))
                yield _error(f"ECS knows no such key here{near and f'; it knows {near}'}", (*path, key), member)
    elif kind in {"list", "map"}:
        entries = enumerate(value) if kind == "list" else value.items()
        inner = shape.member if kind == "list" else shape.value
        for key, member in entries:
            yield from _odd(member, inner, (*path, key))


def _error(message: str, path: tuple[str | int, ...], value: Any) -> InitErrorDetails:
    why = PydanticCustomError("body", "{why}", {"why": message})
    return InitErrorDetails(type=why, loc=path, input=value)


Definition = Annotated[dict[str, Any], BeforeValidator(_body_of("RegisterTaskDefinition"))]
"""What RegisterTaskDefinition takes: unknown members and wrong types are refused, the rest is ECS's to judge."""
ServiceBody = Annotated[dict[str, Any], BeforeValidator(_body_of("CreateService"))]


def keywords(function: Callable[..., Any], stated: dict[str, Any]) -> dict[str, Any]:
    """`stated` as the keyword arguments of `function`, by its annotations. Raises ValidationError."""
    model = _keywords_of(function)
    found = model.model_validate(stated)
    return {name: getattr(found, name) for name in found.model_fields_set}


@cache
def _keywords_of(function: Callable[..., Any]) -> type[BaseModel]:
    hints = get_type_hints(function)
    fields: dict[str, Any] = {
        name: (hints[name], ... if one.default is one.empty else one.default)
        for name, one in inspect.signature(function).parameters.items()
        if name != "self"
    }
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _keywords_of_sandbox(name: str) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        from controller.sandbox.sandbox import Sandbox

        return keywords(getattr(Sandbox, name), value) if isinstance(value, dict) else value

    return checked


RolloutFault = Annotated[dict[str, Any], BeforeValidator(_keywords_of_sandbox("fail_next_rollout"))]
ContainerFault = Annotated[dict[str, Any], BeforeValidator(_keywords_of_sandbox("break_container"))]
Mending = Annotated[dict[str, Any], BeforeValidator(_keywords_of_sandbox("mend"))]
"""Keyword arguments of the sandbox's method."""
