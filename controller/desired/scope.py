"""Which records are a route's, as Fluent Bit `match` patterns.

FireLens tags a record `<container>-firelens-<task id>`; a task id has no dots. A route that must not touch
its neighbours' records works on a copy, tagged `<original>.<namespace>.<route>`, so that prefixes, globs and
`$TAG[0]` still hold for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from controller.api.globs import glob_pattern
from controller.fluentbit.flow import can_meet

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
    """Tags of the route's own inputs, as rendered; `*` in one stands for a file's path."""
    emitted: tuple[str, ...]
    """What the route's own `rewrite_tag` filters make of tags, as globs. Among others each ends in the route."""
    alone: bool
    """No other route is on this task."""
    apart: tuple[str, ...] = ()
    """Globs of tags that are not meant, though they may look like a container's."""
    odd_names: bool = False
    """A container's name holds `-firelens-`: `app` must not match the tags of `app-firelens-x`."""

    def everything(self) -> tuple[str, str]:
        """The entry that matches all records of the route and no others."""
        if self.alone and not (self.inputs or self.emitted or self.apart):
            return "match", "*-firelens-*"
        return "match_regex", f"^{self._regex()}"

    def matching(self, pattern: str | None, regex: str | None) -> tuple[str, str]:
        """The entry for what a filter or output asks for, within the route's own records."""
        if regex is not None:
            return "match_regex", f"^(?={self._regex()}){_before_end(regex[1:], self._tail())}"
        if pattern in (None, "*", "**"):
            return self.everything()
        if self.alone and not glob_pattern(pattern or "").fullmatch(HEALTH_TAG):
            return "match", pattern or ""
        return "match_regex", f"^(?={self._regex()}){_glob_regex(pattern or '')}{self._tail()}$"

    def copy_source(self) -> str:
        """The regex of the original records that are to be copied for this route."""
        return f"^{self._records(self.copied)}$"

    def before_rewriting(self, shared: Iterable[str] = ()) -> Scope:
        """Without the records that the route's own filters emitted, and without originals of `shared` containers."""
        others = frozenset(shared)
        originals = tuple(one for one in self.originals if one not in others)
        apart = tuple(glob for glob in self.emitted if glob.strip("*")) if self.alone else ()
        return replace(self, emitted=(), apart=apart, originals=originals)

    @property
    def empty(self) -> bool:
        return not (self.alone or self.originals or self.copied or self.inputs)

    def _regex(self) -> str:
        own = re.escape(self.route)
        not_those = f"(?!(?:{'|'.join(map(_glob_regex, self.apart))})$)" if self.apart else ""
        parts = [f"{not_those}.+-firelens-.+$"] if self.alone else []
        if self.originals and not self.alone:
            parts.append(f"{self._records(self.originals)}$")
        if self.copied and not self.emitted:
            parts.append(f"{self._records(self.copied)}\\.{own}$")
        parts += [f"{_glob_regex(tag)}$" for tag in self.inputs]
        if self.emitted:
            parts += [f"{_glob_regex(tag)}$" for tag in self.emitted] if self.alone else [f".+\\.{own}$"]
        return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"

    def _tail(self) -> str:
        """What a copy's tag, or one that the route made, has after what its author knows of it."""
        return "" if self.alone else f"(?:\\.{re.escape(self.route)})*"

    def _records(self, names: Sequence[str]) -> str:
        """The tags of containers; a task id has no dots."""
        escaped = [re.escape(name) for name in names]
        container = escaped[0] if len(escaped) == 1 else f"(?:{'|'.join(escaped)})"
        return f"{container}-firelens-{'(?:(?!-firelens-)[^.])+' if self.odd_names else '[^.]+'}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a route brings to a task."""

    containers: tuple[str, ...]
    filters: bool = False
    """It changes records."""
    inputs: tuple[str, ...] = ()
    """Tags as written."""
    emitted: tuple[str, ...] = ()


def scopes(claims: Mapping[str, Claim]) -> dict[str, Scope]:
    """Route → its Scope. A copy is made only where a route has filters and shares the container with another."""
    takers = Counter([container for claim in claims.values() for container in claim.containers])
    odd = any("-firelens-" in container for container in takers)
    found = {}
    for route, claim in claims.items():
        copied = tuple([one for one in claim.containers if claim.filters and takers[one] > 1])
        found[route] = Scope(
            route,
            tuple([one for one in claim.containers if one not in copied]),
            copied,
            tuple([_input_tag(tag, route, claims) for tag in claim.inputs]),
            claim.emitted,
            alone=len(claims) == 1,
            odd_names=odd,
        )
    return found


def shared_originals(found: Iterable[Scope]) -> tuple[str, ...]:
    """Containers whose records more than one route sees, some of them as they are."""
    some = list(found)
    takers = Counter(container for scope in some for container in (*scope.originals, *scope.copied))
    return tuple(dict.fromkeys(one for scope in some for one in scope.originals if takers[one] > 1))


def _input_tag(tag: str, route: str, claims: Mapping[str, Claim]) -> str:
    """An input's tag is its own, unless a neighbour could take its records for theirs."""
    others = [(other, claim) for other, claim in claims.items() if other != route]
    taken = any(can_meet(tag, one) for other, claim in others for one in (*claim.inputs, f"*.{other}"))
    return f"{tag}.{route}" if taken else tag


def _before_end(regex: str, tail: str) -> str:
    """A `$` at the end of a user's regex means the end of the tag as its author knows it."""
    before = regex.removesuffix("$")
    escaped = (len(before) - len(before.rstrip("\\"))) % 2 == 1
    return f"{before}{tail}$" if before != regex and not escaped else regex


def _glob_regex(glob: str) -> str:
    return "".join(".*" if char == "*" else re.escape(char) for char in glob)
