"""A classic config as it was written: where each entry stands, and the comments above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache


class ClassicError(ValueError):
    """The text is no classic config. `line` counts from 1; `file` is empty where the text has no name."""

    def __init__(self, line: int, message: str, file: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}" if file else f"line {line}: {message}")
        self.line, self.message, self.file = line, message, file


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`line` 0: the whole of what `file` names."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`name` tells files apart: a second include of one name is refused, as Fluent Bit refuses it."""

    name: str
    text: bytes = field(repr=False)


Include = Callable[[str, Place], Sequence[SourceFile]]
"""What `@INCLUDE path` means: the path as written, with globs in it. May raise ClassicError."""


class SectionKind(StrEnum):
    SERVICE = "service"
    PARSER = "parser"
    MULTILINE_PARSER = "multiline_parser"
    STREAM_PROCESSOR = "stream_processor"
    PLUGINS = "plugins"
    UPSTREAM_SERVERS = "upstream_servers"
    CUSTOM = "custom"
    INPUT = "input"
    FILTER = "filter"
    OUTPUT = "output"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    value: str
    place: Place
    comments: tuple[str, ...] = ()
    """The comments above it, without their `#`."""


@dataclass(frozen=True, slots=True)
class SourceSection:
    name: str
    place: Place
    entries: tuple[Entry, ...] = ()
    groups: tuple[SourceSection, ...] = ()
    """`[name]` with more indent, as processors are written; they have no groups of their own."""
    comments: tuple[str, ...] = ()

    @property
    def kind(self) -> SectionKind:
        return kind_of(self.name)

    def of(self, key: str) -> Iterator[Entry]:
        """The entries of an option, whatever the case of its name."""
        return (one for one in self.entries if one.key.lower() == key)

    def last(self, key: str) -> str | None:
        """The value that counts where an option takes one."""
        found = [one.value for one in self.of(key)]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Source:
    """A config and what it includes, in the engine's order."""

    sections: tuple[SourceSection, ...] = ()
    commands: tuple[Entry, ...] = ()
    """`@SET K=V` and other commands: key is the command in upper case, value what follows it."""
    trailing: tuple[str, ...] = ()
    """Comments below everything."""


@lru_cache(maxsize=256)
def kind_of(name: str) -> SectionKind:
    """Any beginning of a kind's name is that kind, the first in this order (get_section_type of
    flb_config_format.c): `[OUT]` is an output.
    """
    lower = name.lower()
    for kind in SectionKind:
        plural = f"{kind}s" if kind in _PLURALS else kind
        if kind is not SectionKind.OTHER and (kind.startswith(lower) or plural.startswith(lower)):
            return kind
    return SectionKind.OTHER


_PLURALS = frozenset({SectionKind.CUSTOM, SectionKind.INPUT, SectionKind.FILTER, SectionKind.OUTPUT})
