"""The lints of a route, where they are called for. They are loaded on first use: hardly any route calls for one, and
`inject` must start fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.api.kinds import ClassSpec, LogRoute, RouteSpec
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.glance import calls_for_a_look
from controller.fluentbit.lints.lint import Options
from controller.specs.references import Output


def lint_whole(
    model: LogRoute, filters: Sequence[Options], outputs: Sequence[Output], engine: str
) -> Iterable[Finding]:
    """`filters` with their option names in lower case. Paths start at the route's document. What a LogOutput allows is
    left out.
    """
    if not calls_for_a_look(filters, [one.section for one in outputs]):
        return ()
    from controller.specs.closer import look_closer

    return look_closer(model, filters, outputs, engine)


def lint_router(before: ClassSpec, router: ClassSpec, spec: RouteSpec) -> Iterable[Finding]:
    """What a route says over its class. Paths start at the spec."""
    from controller.fluentbit.lints.overrides import lint_overrides

    return lint_overrides(before, router, spec)


def allowing(findings: Iterable[Finding], allowed: frozenset[str]) -> Iterable[Finding]:
    """Without the lints that the annotation allows by code."""
    if not allowed:
        return findings
    from controller.fluentbit.lints.registry import lint_allowed, without_allowed

    return [*without_allowed(findings, allowed), *lint_allowed(allowed)]
