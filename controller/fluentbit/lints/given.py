"""What the lints of a whole route look at, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.fluentbit.findings import Path
from controller.fluentbit.lints.lint import Options
from controller.fluentbit.lints.records import Source, sources


@dataclass(frozen=True, slots=True)
class Sink:
    """An output as it takes effect in a route."""

    position: int
    """Among the outputs of the route."""
    options: Options
    shared: str = ""
    """The LogOutput that the route refers to, as `namespace/name`."""
    own: frozenset[str] = frozenset()
    """Of a shared output: the options that the route itself says."""
    groups: frozenset[str] = frozenset()
    """The log groups that LogRoute keeps for this route; of a shared output, those that it does not name itself."""

    def at(self, option: str) -> Path:
        """Where the route says it: the option, or the `ref` that brings it."""
        where = option if not self.shared or option in self.own else "ref"
        return ("outputs", self.position, where)

    def told(self, message: str) -> str:
        return f"LogOutput {self.shared}: {message}" if self.shared else message


@dataclass(frozen=True, slots=True)
class Given:
    """A route's pipeline; all option names in lower case. Paths of findings start at the pipeline."""

    filters: tuple[Options, ...]
    sinks: tuple[Sink, ...]
    inputs: tuple[tuple[str, Options], ...] = ()
    """Each with its tag."""
    containers: tuple[str, ...] = ()
    """The target's globs; none for all containers."""
    parsers: Mapping[str, Options] | None = None
    """The route's own parsers by name; None for none."""
    engine: str = ""
    complete: bool = True
    """All its outputs are here: none refers to what is not there."""

    @property
    def sources(self) -> tuple[Source, ...]:
        return sources(self.containers, self.inputs, self.filters)
