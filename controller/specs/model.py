"""What the rest of LogRoute sees of the specs: routes that need nothing else looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from controller.api.kinds import ClassSpec, LogGroupSpec, LogRoute, Section
from controller.api.problems import Problem

Plain = dict[str, Any]
"""A document as plain data: every scalar its source text. What state keeps of a spec."""


class HasData(Protocol):
    @property
    def data(self) -> Plain: ...


@dataclass(frozen=True, slots=True)
class Route:
    """A valid LogRoute with its class and its LogOutputs put in.

    `router` is the class with the route's overrides. `inputs`, `filters` and `outputs` have their option names in
    lower case, and `outputs` each `ref` replaced and each alias filled. `digest` covers everything that the route is
    made from, so equal digests mean equal routes.
    """

    key: str
    """`namespace/name`."""
    document: LogRoute
    class_name: str
    router: ClassSpec
    engine: str
    """`1.9.10`, `5.0.9`, `5.1` or `unchecked`."""
    inputs: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]
    outputs: tuple[Section, ...]
    secrets: Mapping[str, str]
    log_groups: tuple[LogGroupSpec, ...]
    digest: str
    documents: tuple[HasData, ...] = field(compare=False, repr=False)
    """The route's own, then those it refers to: enough to read it again when the source has lost it."""
    file: str = field(compare=False)
    line: int = field(compare=False)

    @property
    def made_from(self) -> tuple[Plain, ...]:
        """May read them again: to be asked for where it is written down."""
        return tuple([one.data for one in self.documents])

    @property
    def alias_prefix(self) -> str:
        return self.key.replace("/", ".")


@dataclass(frozen=True, slots=True)
class SpecSet:
    """The specs of one source revision: the valid routes by key, and every problem."""

    revision: str
    routes: tuple[Route, ...]
    problems: tuple[Problem, ...]
    invalid: frozenset[str]
    """Keys of routes that are there but not valid: they keep their last good version."""
    unreadable: frozenset[str]
    """Files in which a document could not even be named: any route may hide there."""
    files: frozenset[str] = frozenset()
    """All files of the source, read or not."""
    refused: frozenset[tuple[str, str]] = frozenset()
    """Routes that tenants do not permit, each with its file."""
