"""A FireLens router that somebody else put into a definition: what is kept of it while ours stands in its place.

A task has one router (ECS refuses a second), so ours takes its place in the list of containers, and whoever depends
on it, links to it or mounts its volumes is pointed at ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.taskdef import canonical
from controller.taskdef.body import Body


@dataclass(frozen=True, slots=True)
class Foreign:
    """`container` is canonical. `volumes`: those of the task that no other container mounts; while the router is out
    they look unused, and one may have to give its name to a volume of ours.
    """

    container: Body = field(repr=False)
    volumes: tuple[Body, ...] = ()
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Container → the conditions of its dependsOn on the router."""

    @property
    def name(self) -> str:
        return str(self.container["name"])

    def as_plain(self) -> Body:
        conditions = {name: list(some) for name, some in self.conditions.items()}
        return {"container": self.container, "volumes": list(self.volumes), "dependsOn": conditions}

    @classmethod
    def from_plain(cls, plain: Any) -> Foreign:
        """ValueError where `plain` is not what `as_plain` gives."""
        try:
            container, volumes, conditions = (plain[name] for name in ("container", "volumes", "dependsOn"))
            good = isinstance(container["name"], str) and isinstance(container, dict)
            good = good and all(isinstance(one["name"], str) for one in volumes)
            good = good and all(isinstance(one, str) for some in conditions.values() for one in some)
        except (TypeError, KeyError, AttributeError):
            good = False
        if not good:
            raise ValueError("the original router is not readable")
        return cls(container, tuple(volumes), {name: tuple(some) for name, some in conditions.items()})

    def waits_of(self, container: Body) -> list[Body]:
        """What the container's dependsOn said of this router."""
        conditions = self.conditions.get(container.get("name", ""), ())
        return [{"containerName": self.name, "condition": condition} for condition in conditions]


def routers(body: Body) -> list[Body]:
    return [one for one in body["containerDefinitions"] if one.get("firelensConfiguration") is not None]


def find(app: Body) -> Foreign | None:
    """The router of a definition that `strip` gave, which is nobody's of LogRoute."""
    router = next(iter(routers(app)), None)
    if router is None:
        return None
    name = router.get("name", "")
    others = [one for one in app["containerDefinitions"] if one is not router]
    waits = {
        one.get("name", ""): tuple(str(wait.get("condition", "START")) for wait in found)
        for one in others
        if (found := [wait for wait in one.get("dependsOn") or () if wait.get("containerName") == name])
    }
    elsewhere = {mount.get("sourceVolume") for one in others for mount in one.get("mountPoints") or ()}
    own = {mount.get("sourceVolume") for mount in router.get("mountPoints") or ()} - elsewhere
    volumes = tuple(volume for volume in app.get("volumes") or () if volume.get("name") in own)
    return Foreign(canonical.container(router, ""), volumes, waits)


def without(app: Body) -> Body:
    """What is left of `app` for a router of ours to get along with: no other router, nor what is that one's alone."""
    foreign = find(app)
    if foreign is None:
        return app
    kept = {**app, "containerDefinitions": [one for one in app["containerDefinitions"] if one not in routers(app)]}
    if foreign.volumes:
        kept["volumes"] = [volume for volume in app["volumes"] if volume not in foreign.volumes]
    return kept


def pointed(container: Body, old: str, new: str) -> Body:
    """The container with its links and volumesFrom on another router. The other way round it is undone: a link
    keeps the host name that the container knows the router by.
    """
    if old == new:
        return container
    kept = dict(container)
    if links := container.get("links"):
        kept["links"] = [_linked(link, old, new) for link in links]
    if sources := container.get("volumesFrom"):
        kept["volumesFrom"] = [
            {**one, "sourceContainer": new} if one.get("sourceContainer") == old else one for one in sources
        ]
    return kept


def _linked(link: str, old: str, new: str) -> str:
    """`name` or `name:alias`; without an alias the name is the host name (Docker's legacy links)."""
    name, _, alias = link.partition(":")
    if name != old:
        return link
    host = alias or old
    return new if host == new else f"{new}:{host}"


def exchanged(container: Body, old: str, waits: list[Body]) -> list[Body]:
    """The dependsOn of a container with `waits` where `old` stood first, at the end where it did not stand."""
    there = container.get("dependsOn") or []
    rest = [one for one in there if one.get("containerName") != old]
    at = next((place for place, one in enumerate(there) if one.get("containerName") == old), len(rest))
    return [*rest[:at], *waits, *rest[at:]]
