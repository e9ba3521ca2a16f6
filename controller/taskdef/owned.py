"""The last look before a revision is registered: is it what was there before, but for what is ours to change?

Who registers passes the application's own roles. So this knows nothing of `put`, `strip` or routes, and compares the
two definitions field by field: a mistake anywhere else ends here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.taskdef import foreign, mark
from controller.taskdef.body import Body

FIRELENS = "awsfirelens"
_LOOKED_AT = frozenset({"containerDefinitions", "volumes", "tags", "cpu", "memory"})
_OF_A_CONTAINER = frozenset({"logConfiguration", "dependsOn", "links", "volumesFrom"})
_ROUTER = "<router>"


@dataclass(frozen=True, slots=True)
class _Told:
    """What the marks say is ours, or stood in our place."""

    volumes: frozenset[str]
    sizes: Mapping[str, set[Any]]
    """`cpu` and `memory` → what it was, and what we made of it."""

    @classmethod
    def of(cls, before: Body, after: Body, remembered: Body) -> _Told:
        marks = (mark.read(one) for body in (before, after) for one in foreign.routers(body))
        plain = [remembered, *(one.originals.as_plain() for one in marks if one and one.originals)]
        names = {str(name) for one in plain for name in one.get("volumes", ())}
        names |= {str(volume["name"]) for one in plain for volume in (one.get("router") or {}).get("volumes", ())}
        sizes = {
            name: {value for one in plain for value in one.get("size", {}).get(name, ())} for name in ("cpu", "memory")
        }
        return cls(frozenset(names), sizes)


class Encroachment(Exception):
    """Something else would change than what is ours: a mistake of this program. Nothing is registered."""


def check(before: Body, after: Body, remembered: Body | None = None) -> None:
    """Register bodies: as described now, and as it is to be registered. `remembered`: the originals as plain data, for
    where labels are lost. Raises Encroachment.
    """
    found = next(_encroachments(before, after, _Told.of(before, after, remembered or {})), "")
    if found:
        family = after.get("family")
        raise Encroachment(f"a revision of {family} would change {found}, which is the application's: not registered")


def _encroachments(before: Body, after: Body, told: _Told) -> Iterator[str]:
    routers = {str(one.get("name")) for body in (before, after) for one in foreign.routers(body)}
    for key in sorted((before.keys() | after.keys()) - _LOOKED_AT):
        if before.get(key) != after.get(key):
            yield key
    theirs, made = (_containers(body) for body in (before, after))
    if list(theirs) != list(made):
        yield f"its containers ({', '.join(theirs)} would be {', '.join(made)})"
        return
    for name, one in theirs.items():
        for field in _differing(one, made[name], routers):
            yield f"{field} of container {name}"
    if len(foreign.routers(after)) > 1:
        yield "how many routers it has"
    yield from _volumes(before, after, told)
    for name in ("cpu", "memory"):
        if before.get(name) != after.get(name) and not {before.get(name), after.get(name)} <= told.sizes[name]:
            yield name
    if _tags(before) != _tags(after):
        yield "its tags"


def _containers(body: Body) -> dict[str, Body]:
    """All but the router, by name."""
    return {
        str(one.get("name")): one for one in body["containerDefinitions"] if one.get("firelensConfiguration") is None
    }


def _differing(one: Body, other: Body, routers: Collection[str]) -> Iterator[str]:
    for key in sorted((one.keys() | other.keys()) - _OF_A_CONTAINER):
        if one.get(key) != other.get(key):
            yield key
    for key in ("dependsOn", "links", "volumesFrom"):
        if _pointing(one, key, routers) != _pointing(other, key, routers):
            yield key
    drivers = [(body.get("logConfiguration") or {}).get("logDriver") for body in (one, other)]
    if one.get("logConfiguration") != other.get("logConfiguration") and FIRELENS not in drivers:
        yield "logConfiguration"


def _pointing(container: Body, key: str, routers: Collection[str]) -> list[Any]:
    """What it depends on, links to and mounts: a router for a router, whatever its name; to wait for it is ours."""
    some = container.get(key) or []
    if key == "links":
        return [_ROUTER if str(link).partition(":")[0] in routers else link for link in some]
    name = "containerName" if key == "dependsOn" else "sourceContainer"
    others = [one for one in some if one.get(name) not in routers]
    return others if key == "dependsOn" else [*others, *(_ROUTER for one in some if one.get(name) in routers)]


def _volumes(before: Body, after: Body, told: _Told) -> Iterator[str]:
    kept, made = ({str(one.get("name")): one for one in body.get("volumes") or ()} for body in (before, after))
    for name in sorted((kept.keys() | made.keys()) - told.volumes):
        if kept.get(name) != made.get(name):
            yield f"volume {name}"


def _tags(body: Body) -> list[tuple[str, str]]:
    """Other people's."""
    tags = ((str(one.get("key")), str(one.get("value"))) for one in body.get("tags") or ())
    return sorted(one for one in tags if not one[0].startswith(mark.PREFIX))
