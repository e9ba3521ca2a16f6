"""docs/spec.md from the JSON Schema of the kinds: `python -m tests.support.spec_page` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.api.kinds import Kind
from controller.api.schema import schema

PAGE = Path(__file__).parent.parent.parent / "docs" / "spec.md"
HEAD = """\
# Specs

Three kinds, `apiVersion: logroute.dev/v1alpha1`, in YAML: one or more documents a file, `.yaml` or `.yml`. Unknown keys are
errors, so are duplicate keys; `<<` is an ordinary key. `logroute validate` names file, line and column of what is wrong,
`logroute schema KIND` prints a JSON Schema for editors, from which this page is made.

How the keys work together is in [concepts.md](concepts.md), what becomes of a pipeline in [config.md](config.md), an
example of each destination in [outputs.md](outputs.md).

**Values of options.** An option's value is the source text of its scalar (`1.10`, `012345` and `On` stay what they are);
a repeatable option takes a list. Option names are Fluent Bit's own, whatever their case; one that the engine of the
router's image does not know is an error that names the nearest known one.
"""
ECS_OWN = {"RouterContainer": "ContainerDefinition", "Volume": "Volume"}
"""Models whose keys are those of a type of the ECS API."""
_WORDS: dict[str, str] = {"string": "text", "boolean": "`true`, `false`"}


def page() -> str:
    parts = [HEAD]
    told: set[str] = set()
    for kind in Kind:
        found = schema(kind)
        parts.append(f"\n## {kind}\n\n{found['description']}\n")
        parts.extend(_models(kind, found, told))
    return "".join(parts)


def _models(kind: Kind, found: Mapping[str, Any], told: set[str]) -> Iterator[str]:
    """Those that a kind is made of, as they are come upon; what an earlier kind has told is linked to."""
    waiting = [(_ref(found["properties"][name]), name) for name in ("metadata", "spec")]
    while waiting:
        model, path = waiting.pop(0)
        if model in told:
            continue
        told.add(model)
        body = found["$defs"][model]
        yield f'\n### <a id="{model.lower()}"></a>{kind}: `{path}`\n\n'
        if model in ECS_OWN:
            yield f"As `{ECS_OWN[model]}` in the Amazon ECS API reference.\n\n"
        yield "| key | type | default | |\n|---|---|---|---|\n"
        for key, value in body.get("properties", {}).items():
            yield _row(key, value, required=key in body.get("required", ()), ours=model not in ECS_OWN)
        if body.get("additionalProperties") and model not in ECS_OWN:
            yield "| any other | option | | An option of the plugin. |\n"
        inner = [(name, f"{path}.{key}") for key, value in body["properties"].items() for name in _models_in(value)]
        waiting = [*(() if model in ECS_OWN else inner), *waiting]


def _row(key: str, value: Mapping[str, Any], *, required: bool, ours: bool) -> str:
    default = "required" if required else _shown(value["default"]) if "default" in value else ""
    told = str(value.get("description", "")).replace("|", "\\|")
    kind = _type(value) if ours or not list(_models_in(value)) else "as in ECS"
    return f"| `{key}` | {kind} | {default} | {told} |\n"


def _shown(value: Any) -> str:
    """As YAML would say it."""
    if value in ([], {}, None):
        return ""
    if isinstance(value, float):
        return f"`{value:g}s`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _ref(value: Mapping[str, Any]) -> str:
    return str(value.get("$ref", "")).rsplit("/", 1)[-1]


def _models_in(value: Mapping[str, Any]) -> Iterator[str]:
    parts = [value, value.get("items"), value.get("additionalProperties"), *value.get("anyOf", ())]
    names = (_ref(one) for one in parts if isinstance(one, Mapping))
    yield from (name for name in names if name not in ("", "Option"))


def _type(value: Mapping[str, Any]) -> str:
    if name := _ref(value):
        return "option" if name == "Option" else f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"] if isinstance(one, str))
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_type(one) for one in value["anyOf"]))
    kind = value.get("type", "any")
    if kind == "array":
        return f"list of {_type(value.get('items', {}))}"
    if kind == "object":
        inner = value.get("additionalProperties")
        return f"map to {_type(inner)}" if isinstance(inner, Mapping) else "map"
    if isinstance(kind, list):
        return (
            "scalar"
            if set(kind) >= {"string", "number"}
            else " or ".join(_WORDS.get(str(one), str(one)) for one in kind)
        )
    return _with_bounds(str(kind), value)


def _with_bounds(kind: str, value: Mapping[str, Any]) -> str:
    low, high = value.get("minimum", value.get("exclusiveMinimum")), value.get("maximum")
    if low is None and high is None:
        return _WORDS.get(kind, kind)
    above = "above" if "exclusiveMinimum" in value else "from"
    return f"{kind} {above} {low}" + (f" to {high}" if high is not None else "")


if __name__ == "__main__":
    PAGE.write_text(page())
