"""A Fluent Bit config as data. Texts are made from it by `writer`, so YAML can follow without new callers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """`[NAME]` and its entries in order; a repeatable option stands once per value."""

    name: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Config:
    sections: tuple[Section, ...]
