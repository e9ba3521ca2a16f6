"""Records as plain data, checked against the dataclass that they are to become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

SHAPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "float": (int, float),
    "int": (int,),
    "bool": (bool,),
    "Mapping": (dict,),
    "tuple": (list, tuple),
}
"""What stands before the bracket in an annotation → what JSON makes of such a value."""
TEXTS = "tuple[str, ...]"


def well_typed(record: type[Any], plain: Mapping[str, Any]) -> None:
    """Fields that are not there are left to their defaults. TypeError where one has a value of another type, or is none
    of the record's: a newer version's, whose meaning nobody here knows.

    Texts in containers are looked at; what other containers hold is for the record itself to judge.
    """
    known = fields(record)
    if strange := sorted(plain.keys() - {field.name for field in known}):
        raise TypeError(f"{strange[0]!r} in it is of a newer version, or of nobody")
    for field in known:
        annotation = str(field.type)
        shape = SHAPES.get(annotation.split("[", 1)[0])
        if shape is None or field.name not in plain:
            continue
        value = plain[field.name]
        if not _fits(value, shape) or not all(isinstance(one, str) for one in _texts(annotation, value)):
            raise TypeError(f"{field.name} is no {annotation}")


def _fits(value: object, shape: tuple[type, ...]) -> bool:
    """JSON's true and false are no numbers."""
    return isinstance(value, shape) and (not isinstance(value, bool) or bool in shape)


def _texts(annotation: str, value: Any) -> Iterable[object]:
    """What must be texts within a container."""
    if annotation == "Mapping[str, str]":
        return list(value.values())
    return list(value) if annotation == TEXTS else ()
