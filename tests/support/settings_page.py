"""The tables of docs/settings.md from the settings: `python -m tests.support.settings_page` writes them anew."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from controller.settings import AccountSettings, Settings

PAGE = Path(__file__).parent.parent.parent / "docs" / "settings.md"
TABLE = re.compile(r"(?<=<!-- generated -->\n).*?(?=<!-- /generated -->)", re.DOTALL)
EACH = {"api", "events", "git", "hooks", "s3"}
"""Whose keys are variables of their own."""
SECONDS = {"poll", "resync"}


def page() -> str:
    return TABLE.sub(lambda _: table(), PAGE.read_text())


def table() -> str:
    rows = "".join(f"{row}\n" for row in _rows())
    return f"\n| key | environment | default | |\n|---|---|---|---|\n{rows}\n"


def _rows() -> Iterator[str]:
    said = _told(Settings)
    for name, field in Settings.model_fields.items():
        key, variable = to_camel(name), f"LOGROUTE_{name.upper()}"
        nested = _model(field)
        yield _row(
            key,
            "one each" if name in EACH else f"`{variable}`",
            "" if nested else _default(name, field),
            field,
            said.get(name, ""),
        )
        if name == "accounts":
            yield from _inner("accounts.NAME", "", AccountSettings)
        elif nested:
            yield from _inner(key, variable if name in EACH else "", nested)


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """Of a group of settings; one that may be left out has None beside it."""
    inner = get_args(field.annotation)
    some = (field.annotation, *(inner if type(None) in inner else ()))
    return next((one for one in some if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _inner(key: str, variable: str, model: type[BaseModel]) -> Iterator[str]:
    said = _told(model)
    for name, field in model.model_fields.items():
        environment = f"`{variable}_{name.upper()}`" if variable else ""
        yield _row(
            path := f"{key}.{field.alias or to_camel(name)}",
            environment,
            _default(name, field),
            field,
            said.get(name, ""),
        )
        if nested := _model(field):
            yield from _inner(path, "", nested)


def _told(model: type[BaseModel]) -> dict[str, str]:
    """Field → what stands below it in the code."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(found, ast.ClassDef)
    return {
        one.target.id: " ".join(str(ast.literal_eval(below.value)).split())
        for one, below in pairwise(found.body)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


def _row(key: str, environment: str, default: str, field: FieldInfo, told: str) -> str:
    assert told, f"{key} says nothing of itself"
    return f"| `{key}` | {environment} | {default} | {told}{_choices(field)} |"


def _choices(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return ""
    return f" One of {', '.join(f'`{one}`' for one in get_args(field.annotation))}."


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if name == "accounts":
        return '`{"main": {}}`'
    if name == "share":
        return f"`{value:.0%}`"
    if name in SECONDS:
        return f"`{value:g}s`"
    return f"`{value}`" if value not in ((), {}, None, "") else "required" if name in ("source", "config_store") else ""


if __name__ == "__main__":
    PAGE.write_text(page())
