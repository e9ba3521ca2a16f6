"""JSON Schema (draft 2020-12) of the kinds, for editors: completion and red lines while a spec is written.

Editors read YAML with types, LogRoute takes every scalar as its source text; so where LogRoute wants text that
people write without quotes, numbers and booleans are let through here. `logroute validate` has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from controller.api.descriptions import DESCRIPTIONS, KINDS
from controller.api.kinds import MODELS, Kind
from controller.api.values import Model

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_MODELS = {model.__name__: model for model in Model.__subclasses__()}

_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_OPTION: Schema = {
    "description": "An option's value; a repeatable option takes a list.",
    "anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}],
}
_SERVICE: Schema = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Option"}}
_PLUGIN: Schema = {**_SERVICE, "required": ["name"], "properties": {"name": {"type": "string"}}}
_RULE: Schema = {
    "type": "object",
    "required": ["state", "regex", "next_state"],
    "properties": {key: {"type": "string"} for key in ("state", "regex", "next_state")},
    "additionalProperties": False,
}
_MULTILINE: Schema = {
    **_PLUGIN,
    "properties": {"name": {"type": "string"}, "rules": {"type": "array", "items": _RULE}},
}
_REFERENCE: Schema = {
    "type": "object",
    "required": ["ref"],
    "properties": {
        "ref": {"type": "string", "description": "A LogOutput: its name, or namespace/name."},
        "match": {"type": "string"},
        "match_regex": {"type": "string"},
        "alias": {"type": "string"},
    },
    "additionalProperties": False,
}
_PIPELINE: dict[str, Schema] = {
    "service": _SERVICE,
    "parsers": _PLUGIN,
    "multiline_parsers": _MULTILINE,
    "inputs": _PLUGIN,
    "filters": _PLUGIN,
    "outputs": {"anyOf": [_PLUGIN, _REFERENCE]},
}


def schema(kind: Kind | None = None) -> Schema:
    """The schema of one kind, or one for files that may hold any of the three."""
    models = [MODELS[kind]] if kind else list(MODELS.values())
    definitions = _definitions(models)
    name = kind.value if kind else "any"
    head: Schema = {"$schema": DIALECT, "$id": f"urn:logroute:v1alpha1:{name}", "title": name}
    if kind:
        body = definitions.pop(kind.value)
        return {**head, **body, "title": name, "$defs": definitions}
    return {
        **head,
        "title": "LogRoute specs",
        "oneOf": [{"$ref": f"#/$defs/{one.value}"} for one in MODELS],
        "$defs": definitions,
    }


def _definitions(models: Sequence[type[BaseModel]]) -> Schema:
    _, found = models_json_schema(
        [(model, "validation") for model in models],
        by_alias=True,
        schema_generator=GenerateJsonSchema,
    )
    definitions: Schema = found["$defs"]
    for name, definition in definitions.items():
        _describe(name, definition)
    _with_options(definitions)
    return {"Option": _OPTION, **definitions}


def _describe(name: str, definition: Schema) -> None:
    """Titles that repeat the key, and docstrings that are for programmers, make way for what helps a writer."""
    definition.pop("description", None)
    definition.pop("title", None)
    if name in KINDS:
        definition["description"] = KINDS[name]
    model = _MODELS.get(name)
    fields = {field.alias or key: field for key, field in model.model_fields.items()} if model else {}
    for key, property_ in definition.get("properties", {}).items():
        _untitled(property_)
        _simplified(property_)
        _bounded(property_, fields.get(key))
        if text := DESCRIPTIONS.get(name, {}).get(key):
            property_["description"] = text


def _untitled(node: Any) -> None:
    if isinstance(node, list):
        for one in node:
            _untitled(one)
    elif isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for one in node.values():
            _untitled(one)


def _simplified(property_: Schema) -> None:
    """Keys may be left out, but null is an error; and a default that is no scalar says little."""
    choices = [one for one in property_.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del property_["anyOf"]
        property_.update(choices[0])
    if not isinstance(property_.get("default"), str | int | float):
        property_.pop("default", None)


def _bounded(property_: Schema, field: FieldInfo | None) -> None:
    """Bounds on a type with a validator of its own get lost, or come out under Python's names."""
    for name, ours in (("ge", "minimum"), ("le", "maximum")):
        property_.pop(name, None)
        for one in field.metadata if field else ():
            if (bound := getattr(one, name, None)) is not None:
                property_[ours] = bound


def _with_options(definitions: Schema) -> None:
    """What the models leave open, for the catalogue to check, gets the shape of Fluent Bit's sections."""
    if pipeline := definitions.get("Pipeline"):
        for key, shape in _PIPELINE.items():
            _reshape(pipeline["properties"][key], shape)
    for name in ("RouterOverrides", "ClassSpec"):
        if name in definitions:
            _reshape(definitions[name]["properties"]["service"], _SERVICE)
    if output := definitions.get("OutputSpec"):
        output["additionalProperties"] = {"$ref": "#/$defs/Option"}
    if class_spec := definitions.get("ClassSpec"):
        _admit(class_spec, "engine", 5.1)
    if health := definitions.get("Health"):
        _admit(health, "mode", value=False)
    for name, key in (("RouterContainer", "user"), ("Buffer", "totalLimitSize")):
        if name in definitions:
            definitions[name]["properties"][key]["type"] = ["string", "integer"]


def _admit(definition: Schema, key: str, value: Any) -> None:
    """What YAML makes of a word without quotes: 5.1 a number, off (in YAML 1.1) a boolean."""
    property_ = definition["properties"][key]
    property_.pop("type", None)
    property_["enum"] = [*property_["enum"], value]


def _reshape(property_: Schema, shape: Mapping[str, Any]) -> None:
    if property_.get("type") == "array":
        property_["items"] = dict(shape)
    else:
        property_.update(shape)
