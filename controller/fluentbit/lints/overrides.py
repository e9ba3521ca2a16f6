"""Lints of what a route says over its class. What the class has against it already is told there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from controller.api.kinds import ClassSpec, RouteSpec
from controller.fluentbit.findings import Finding, Path
from controller.fluentbit.lints.router import lint_buffer, lint_grace, lint_health, lint_memory


def lint_overrides(stated: ClassSpec, effective: ClassSpec, route: RouteSpec) -> Iterator[Finding]:
    """`effective` is the class with the route's overrides. Paths start at the spec of the route."""
    over = route.router
    if over.service:
        yield from (one.below("router") for one in lint_grace(over.service, effective))
    if route.pipeline.service:
        yield from (one.below("pipeline") for one in lint_grace(route.pipeline.service, effective))
    if over.memory_reservation is not None:
        yield from (_at(one, ("router", "memoryReservation")) for one in lint_memory(effective))
    if (over.buffer or over.memory_reservation is not None) and not list(lint_buffer(stated)):
        said = "buffer" if over.buffer and "max_chunks_up" in over.buffer.model_fields_set else ""
        at: Path = (
            ("router", "buffer", "maxChunksUp")
            if said
            else ("router", "buffer" if over.buffer else "memoryReservation")
        )
        yield from (_at(one, at) for one in lint_buffer(effective))
    if over.health and not list(lint_health(stated)):
        yield from (one.below("router") for one in lint_health(effective))


def _at(finding: Finding, path: Path) -> Finding:
    return replace(finding, path=path)
