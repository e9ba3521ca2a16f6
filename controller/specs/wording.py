"""What pydantic refuses, in words for people: own code, message and hint for each kind of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from controller.api.kinds import API_VERSION
from controller.fluentbit.words import listed, nearest, shown
from controller.specs.places import KEY_MARK, Path
from controller.specs.plain import Blank

_REFUSED: dict[Path, dict[str, tuple[str, str]]] = {
    ("spec", "pipeline"): {
        "processors": ("classic config, which FireLens loads, has no processors", "use filters instead"),
        "env": ("the environment of the router belongs to its class", "set container.environment there"),
        "includes": ("a route is whole in itself, so that its digest covers all of it", "write it out here"),
        "customs": ("classic config, which FireLens loads, has no customs", "delete it"),
        "pipeline": (
            "the pipeline is written flat here",
            "put inputs, filters and outputs one level up, beside parsers",
        ),
        "plugins": ("plugins are part of the router's image", "build an image of your own, with its engine"),
        "stream_processor": ("stream tasks cannot be loaded by the init image", "use filters instead"),
        "upstream_servers": ("upstream files cannot be loaded by the init image", "name the hosts in outputs"),
    },
    ("spec", "container"): {
        "image": ("the image stands beside the container", "move it up to spec.image"),
        "command": ("the init process of the image must run", "delete it"),
        "entryPoint": ("the init process of the image must run", "delete it"),
        "firelensConfiguration": ("LogRoute writes it", "delete it"),
        "dependsOn": ("ECS starts the router first only where it depends on nothing", "delete it"),
    },
}
_PATTERNS: dict[str, tuple[str, str]] = {
    "[a-z0-9]([-a-z0-9]": ("no valid name", "1 to 63 of a-z, 0-9 and -, with no - at either end"),
    "!?[A-Za-z0-9_*?-]": ("no valid name or glob", "letters, digits, _ and -; * and ? match, ! in front excludes"),
    "[A-Za-z0-9_*?-]": ("no valid name or glob", "letters, digits, _ and -; * and ? match"),
    "arn:aws": ("no ARN", "give the ARN of a secret or parameter, not its value"),
    "[A-Za-z_][A-Za-z0-9_]*": ("no valid environment name", "letters, digits and _, not starting with a digit"),
    "[a-z]{2}(-[a-z]+)+-[0-9]": ("no region", "write it like eu-central-1"),
    "[A-Za-z0-9._/#-]{1,512}": ("no log group name", "letters, digits and . _ / # -"),
    "(/([^~/]|~[01])*)+": ("no JSON pointer", "write it like /container/memoryReservation"),
    "/[A-Za-z0-9._/-]+": ("no absolute path", "write it like /var/log/flb"),
    "[0-9]+[kKmMgG]?": ("no size", "write it like 512M or 1G"),
    "[A-Za-z0-9_-]{1,255}": ("no container name", "letters, digits, _ and -"),
    "[0-9]+(:": ("no user that ECS takes for a router", 'a number, or "uid:group"'),
}


_LONG = 40


@dataclass(frozen=True, slots=True)
class Said:
    path: Path
    code: str
    message: str
    hint: str
    key: bool = False
    """The key is the problem, not its value."""


MOST = 150
"""Errors of one document that are put into words: far more than are shown, each with a search for what was meant."""


def words_for(error: ValidationError, data: Mapping[str, Any], model: type[BaseModel]) -> list[Said]:
    """Every error, up to MOST, but those about values that were a problem already. Values of secrets are never
    repeated.
    """
    said = []
    for detail in error.errors(include_url=False, include_context=True)[:MOST]:
        path: Path = detail["loc"]
        if not isinstance(_at(data, path), Blank):
            said.append(_say(detail, path, model))
    return said


def _at(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data


def _say(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> Said:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return _missing(path)
    if path == ("apiVersion",):
        known = f'this version of LogRoute knows "{API_VERSION}"'
        return Said(path, "UNKNOWN_API_VERSION", f"unknown apiVersion {shown(detail['input'])}", known)
    if kind in _TYPES:
        return Said(
            path,
            "WRONG_TYPE",
            f"{_name(path)} must be {_TYPES[kind]}, not {_type(detail['input'])}",
            _FORMS[_TYPES[kind]],
        )
    return Said(path, "INVALID_VALUE", *_value(detail, path), key=KEY_MARK in path[-1:])


_TYPES = {
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
}


_FORMS = {
    "text": "write one value",
    "a list": "write it in [ ], or each entry on a line with a dash",
    "a mapping": "write it in { }, or each key on a line of its own",
}


def _type(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else "text"


def _unknown_key(path: Path, model: type[BaseModel]) -> Said:
    key, parent = str(path[-1]), path[:-1]
    if reason := _REFUSED.get(parent, {}).get(key):
        return Said(path, "REFUSED_KEY", f"{shown(key)} cannot stand here: {reason[0]}", reason[1], key=True)
    if key == "<<":
        return Said(path, "UNKNOWN_KEY", "<< merges nothing here: it is a key like any other", _MERGE, key=True)
    known = keys_at(model, parent)
    near = nearest(key, known)
    hint = f'did you mean "{near}"?' if near else f"known here: {listed(sorted(known), 40)}"
    return Said(path, "UNKNOWN_KEY", f"unknown key {shown(key)}{_inside(parent)}", hint, key=True)


_MERGE = "write the keys out, or use an alias for a whole value"


def _missing(path: Path) -> Said:
    code = "MISSING_API_VERSION" if path == ("apiVersion",) else "MISSING_KEY"
    hint = f'add "apiVersion: {API_VERSION}"' if path == ("apiVersion",) else f"add {path[-1]}"
    return Said(path, code, f"the key {path[-1]} is missing{_inside(path[:-1])}", hint)


def _value(detail: ErrorDetails, path: Path) -> tuple[str, str]:
    """Message and hint for a value of the right shape."""
    kind, context = detail["type"], detail.get("ctx", {})
    name, given = _name(path), _given(detail["input"], path)
    if kind == "string_pattern_mismatch":
        what, hint = _pattern(str(context.get("pattern", "")))
        return f"{name}{given} is {what}", hint
    if kind in ("literal_error", "enum"):
        known = [word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        near = nearest(str(detail["input"]), known)
        start = f'did you mean "{near}"? ' if near else ""
        return f"{name}{given} is not one of the values it can have", f"{start}known: {', '.join(known)}"
    if wording := _BOUNDS.get(kind):
        return wording(name, given, context), "choose a value within the bounds"
    return f"{name}{given}: {detail['msg']}", _HINTS.get(kind, "write it as the message says")


_HINTS = {
    "whole": "write it like 10",
    "truth": "write true or false",
    "duration": "write it like 15m",
    "share": "write it like 10% or 5",
    "owned_env": "delete it, or choose another name",
    "owned_label": "delete it",
    "router_loop": "use awslogs, or another log driver",
}
_BOUNDS: dict[str, Callable[[str, str, Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda name, given, ctx: f"{name}{given} must be at least {ctx['ge']}",
    "less_than_equal": lambda name, given, ctx: f"{name}{given} must be at most {ctx['le']}",
    "string_too_short": lambda name, given, ctx: f"{name} is empty",  # noqa: ARG005
    "too_short": lambda name, given, ctx: f"{name} must have at least {ctx['min_length']} entry",  # noqa: ARG005
}


def _pattern(pattern: str) -> tuple[str, str]:
    body = pattern.removeprefix("^")
    return next(
        (words for start, words in _PATTERNS.items() if body.startswith(start)), ("not valid", "see the spec API")
    )


def _given(value: Any, path: Path) -> str:
    """The value itself, unless it may be a secret that stands in the wrong place."""
    if not isinstance(value, str) or any(step in _NEVER_REPEATED for step in path):
        return ""
    return f" {shown(value)}"


_NEVER_REPEATED = frozenset({"secrets", "environment", "secretOptions", "options", "pipeline"})


def _name(path: Path) -> str:
    if not path:
        return "the document"
    steps = [step for step in path if step != KEY_MARK]
    named = next((_plain(step) for step in reversed(steps) if isinstance(step, str)), "the entry")
    return f"the key {shown(steps[-1])}" if path[-1] == KEY_MARK else named


def _plain(step: str | int) -> str:
    """A step of a path: as it is where it is a key of ours, else made fit to print."""
    text = str(step)
    return text if text.isascii() and text.isidentifier() and len(text) < _LONG else shown(text)


def _inside(path: Path) -> str:
    return f" in {'.'.join(map(_plain, path))}" if path else ""


def keys_at(model: type[BaseModel], path: Path) -> frozenset[str]:
    """The keys that `model` knows at `path`; empty where anything goes."""
    current: type[BaseModel] | None = model
    for step in path:
        if current is None:
            return frozenset()
        if isinstance(step, str):
            current = next(
                (
                    _model_in(field.annotation)
                    for name, field in current.model_fields.items()
                    if (field.alias or name) == step
                ),
                None,
            )
    if current is None:
        return frozenset()
    return frozenset(field.alias or name for name, field in current.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
