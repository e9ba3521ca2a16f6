"""Which records are a route's, as Fluent Bit `match` patterns.

FireLens tags a record `<container>-firelens-<task id>`; a task id has no dots. A route that must not touch
its neighbours' records works on a copy, tagged `<original>.<namespace>.<route>`, so that prefixes, globs and
`$TAG[0]` still hold for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HEALTH_TAG = "firelens-healthcheck"
"""The tag of the agent's own health check input (amazon-ecs-agent, firelensconfig_unix.go)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The records of one route on one task."""

    route: str
    """`namespace.name`."""
    originals: tuple[str, ...]
    """Containers whose records the route may take as they are."""
    copied: tuple[str, ...]
    """Containers of which the route gets a copy, for its filters would change a neighbour's records."""
    inputs: tuple[str, ...]
    """Tags of the route's own inputs."""
    alone: bool
    """No other route is on this task."""

    def everything(self) -> tuple[str, str]:
        """The entry that matches all records of the route and no others."""
        if self.alone and not self.inputs:
            return "match", "*-firelens-*"
        return "match_regex", f"^{self._regex()}"

    def matching(self, pattern: str | None, regex: str | None) -> tuple[str, str]:
        """The entry for what a filter or output asks for, within the route's own records."""
        if regex is not None:
            return "match_regex", f"^(?={self._regex()}){regex[1:]}"
        if pattern in (None, "*", "**"):
            return self.everything()
        if self.alone and not _glob(pattern or "").fullmatch(HEALTH_TAG):
            return "match", pattern or ""
        tail = f"(?:\\.{re.escape(self.route)})?" if self.copied else ""
        return "match_regex", f"^(?={self._regex()}){_glob_regex(pattern or '')}{tail}$"

    def copy_source(self) -> str:
        """The regex of the original records that are to be copied for this route."""
        return f"^{_containers(self.copied)}-firelens-[^.]+$"

    def _regex(self) -> str:
        parts = [".+-firelens-.+$"] if self.alone else []
        if self.originals and not self.alone:
            parts.append(f"{_containers(self.originals)}-firelens-[^.]+$")
        if self.copied:
            parts.append(f"{_containers(self.copied)}-firelens-[^.]+\\.{re.escape(self.route)}$")
        parts += [f"{re.escape(tag)}$" for tag in self.inputs]
        return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def scopes(
    selection: Mapping[str, Sequence[str]], filtering: Iterable[str], inputs: Mapping[str, Sequence[str]]
) -> dict[str, Scope]:
    """Route → its Scope, from route → containers, the routes with filters, and route → input tags.

    A copy is made only where a route has filters and shares the container with another route.
    """
    takers: dict[str, set[str]] = {}
    for route, containers in selection.items():
        for container in containers:
            takers.setdefault(container, set()).add(route)
    changing = set(filtering)
    return {
        route: Scope(
            route,
            tuple(one for one in containers if not (route in changing and len(takers[one]) > 1)),
            tuple(one for one in containers if route in changing and len(takers[one]) > 1),
            tuple(inputs.get(route, ())),
            len(selection) == 1,
        )
        for route, containers in selection.items()
    }


def _containers(names: Sequence[str]) -> str:
    escaped = [re.escape(name) for name in names]
    return escaped[0] if len(escaped) == 1 else f"(?:{'|'.join(escaped)})"


def _glob_regex(glob: str) -> str:
    return "".join(".*" if char == "*" else re.escape(char) for char in glob)


def _glob(glob: str) -> re.Pattern[str]:
    return re.compile(_glob_regex(glob))
