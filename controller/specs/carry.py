"""Which routes are in force: the valid ones, and the last good version of those that broke.

A spec that breaks never causes a delete. A route counts as gone only where it can be nowhere. While some file reads
badly that is so only of routes whose own file is still there and reads well without them, and not at all while a
file that reads badly is new: it may be a renamed one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from controller.specs.model import Route, SpecSet


@dataclass(frozen=True, slots=True, init=False, eq=False)
class RouteMemory:
    """A route's last good version: the documents that it was made from, and the file that it stood in.

    The documents are kept packed: they are seldom read, and there may be ten thousand.
    """

    file: str
    digest: str
    _packed: bytes = field(repr=False)

    def __init__(self, file: str, digest: str, made_from: tuple[dict[str, Any], ...]) -> None:
        object.__setattr__(self, "file", file)
        object.__setattr__(self, "digest", digest)
        object.__setattr__(self, "_packed", zlib.compress(orjson.dumps(made_from), 1))

    def __eq__(self, other: object) -> bool:
        """The order of keys means nothing, as in the documents themselves."""
        if not isinstance(other, RouteMemory):
            return NotImplemented
        return (self.file, self.digest) == (other.file, other.digest) and (
            self._packed == other._packed or self.made_from == other.made_from
        )

    def __hash__(self) -> int:
        return hash((self.file, self.digest))

    @property
    def made_from(self) -> tuple[dict[str, Any], ...]:
        """Unpacked anew each time."""
        return tuple(orjson.loads(zlib.decompress(self._packed)))

    def as_plain(self) -> dict[str, Any]:
        return {"file": self.file, "digest": self.digest, "made_from": self.made_from}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RouteMemory:
        """KeyError or TypeError where `plain` is no memory of a route."""
        if not all(isinstance(one, dict) for one in plain["made_from"]):
            raise TypeError("made_from holds something that is no document")
        return cls(str(plain["file"]), str(plain["digest"]), tuple(plain["made_from"]))


@dataclass(frozen=True, slots=True)
class InForce:
    """`carried`: keys of the routes that stand by their last good version. `gone`: deleted for sure."""

    routes: tuple[Route, ...]
    carried: frozenset[str]
    gone: frozenset[str]


def in_force(
    specs: SpecSet,
    remembered: Mapping[str, RouteMemory],
    reread: Callable[[RouteMemory], Route | None],
    may_hide: Callable[[str, str], bool] = lambda _key, _file: True,
) -> InForce:
    """`reread` makes a route from its memory; None where this version cannot read it any more, or tenants do not permit
    it. `may_hide`: whether a file that reads badly may hold a route, by its key.
    """
    valid = {route.key: route for route in specs.routes}
    known_files = {memory.file for memory in remembered.values()}
    carried: dict[str, Route] = {}
    lost: set[str] = set()
    for key, memory in remembered.items():
        if key in valid:
            continue
        unreadable = [file for file in specs.unreadable if file == memory.file or may_hide(key, file)]
        strange = any(file not in known_files or file == memory.file for file in unreadable)
        moved = bool(unreadable) and memory.file not in specs.files
        if not (strange or moved or key in specs.invalid or (key, memory.file) in specs.refused):
            continue
        route = reread(memory)
        if route is None:
            lost.add(key)
        else:
            carried[key] = route
    gone = frozenset(remembered) - valid.keys() - carried.keys() - lost
    routes = sorted((*valid.values(), *carried.values()), key=lambda route: route.key)
    return InForce(tuple(routes), frozenset(carried), gone)


def changes(specs: SpecSet, remembered: Mapping[str, RouteMemory]) -> dict[str, RouteMemory]:
    """What to write down, so that the next start remembers as much."""
    return {
        route.key: RouteMemory(route.file, route.digest, route.made_from)
        for route in specs.routes
        if (old := remembered.get(route.key)) is None or (old.digest, old.file) != (route.digest, route.file)
    }
