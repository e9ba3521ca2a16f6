"""YAML as a tree with comments and origins, so that what cannot stay can be taken out and named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from controller.fluentbit.classic import Place

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    value: Value
    comments: tuple[str, ...] = ()
    origin: Place | None = None


@dataclass(frozen=True, slots=True)
class Element:
    value: Value
    comments: tuple[str, ...] = ()
    origin: Place | None = None


@dataclass(frozen=True, slots=True)
class Map:
    fields: tuple[Field, ...] = ()
    tail: tuple[str, ...] = ()
    """Comments below the last field."""


@dataclass(frozen=True, slots=True)
class List:
    elements: tuple[Element, ...] = ()
    tail: tuple[str, ...] = ()


class Quoted(str):
    """Text that other readers of YAML would take for a number or a truth."""

    __slots__ = ()


Value = str | Map | List
"""Every scalar is text: specs read scalars as their source text."""
_ODD = re.compile(r"[-+.0-9][-+.,:_0-9a-fx]*|true|false|yes|no|on|off|y|n", re.IGNORECASE)


def from_plain(value: Any, origin: Place | None = None) -> Value:
    """Plain data as a tree; numbers and truths as YAML has them, text that looks like one in quotes."""
    if isinstance(value, Mapping):
        return Map(tuple(Field(str(key), from_plain(one, origin), origin=origin) for key, one in value.items()))
    if isinstance(value, list | tuple):
        return List(tuple(Element(from_plain(one, origin), origin=origin) for one in value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and _ODD.fullmatch(value):
        return Quoted(value)
    return str(value)


def to_plain(value: Value) -> Any:
    """The data alone, every scalar its text."""
    if isinstance(value, Map):
        return {field.key: to_plain(field.value) for field in value.fields}
    if isinstance(value, List):
        return [to_plain(element.value) for element in value.elements]
    return str(value)


def at(value: Value, path: Path) -> Field | Element | None:
    """What stands at `path`; None where nothing does."""
    found: Field | Element | None = None
    for step in path:
        part = _parts(value)
        index = _index(value, step)
        if index is None:
            return None
        found = part[index]
        value = found.value
    return found


def without(value: Value, path: Path, words: Iterable[str] = ()) -> Value:
    """The tree without what is at `path`, and without what is empty then. Comments and `words` stand where it stood."""
    index = _index(value, path[0])
    if index is None:
        return value
    if len(path) == 1:
        return _dropped(value, index, tuple(words))
    parts: list[Any] = list(_parts(value))
    parts[index] = replace(parts[index], value=without(parts[index].value, path[1:], words))
    rebuilt = _rebuilt(value, parts)
    left = parts[index].value
    if isinstance(left, Map | List) and not _parts(left):
        return _dropped(rebuilt, index, left.tail)
    return rebuilt


def _dropped(value: Value, index: int, words: tuple[str, ...]) -> Value:
    parts: list[Any] = list(_parts(value))
    gone = parts.pop(index)
    said = (*gone.comments, *words)
    if index < len(parts):
        parts[index] = replace(parts[index], comments=(*said, *parts[index].comments))
        return _rebuilt(value, parts)
    rebuilt = _rebuilt(value, parts)
    return replace(rebuilt, tail=(*said, *rebuilt.tail)) if isinstance(rebuilt, Map | List) else rebuilt


def _index(value: Value, step: str | int) -> int | None:
    if isinstance(value, Map):
        return next((index for index, field in enumerate(value.fields) if field.key == step), None)
    if isinstance(value, List) and isinstance(step, int) and step < len(value.elements):
        return step
    return None


def _parts(value: Value) -> tuple[Field, ...] | tuple[Element, ...]:
    if isinstance(value, Map):
        return value.fields
    return value.elements if isinstance(value, List) else ()


def _rebuilt(value: Value, parts: list[Any]) -> Value:
    if isinstance(value, Map):
        return replace(value, fields=tuple(parts))
    return replace(value, elements=tuple(parts)) if isinstance(value, List) else value
