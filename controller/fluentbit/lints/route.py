"""The lints of a route: of each section by itself, and of all together."""

from __future__ import annotations

from collections.abc import Iterator

from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.cloudwatch import lint_kept_group
from controller.fluentbit.lints.given import Given
from controller.fluentbit.lints.keys import lint_log_keys
from controller.fluentbit.lints.lint import plugin
from controller.fluentbit.lints.loops import lint_multiline, lint_rewrites
from controller.fluentbit.lints.s3 import lint_stores
from controller.fluentbit.lints.sections import lint_section
from controller.fluentbit.lints.tags import lint_tags


def lint_route(given: Given) -> list[Finding]:
    """Paths start at the pipeline."""
    found = [*_outputs(given), *lint_tags(given), *_stores(given), *_kept_groups(given)]
    if given.filters:
        found += _filters(given)
        found += [*lint_rewrites(given), *lint_multiline(given), *lint_log_keys(given)]
    return found


def _filters(given: Given) -> list[Finding]:
    return [one.below("filters", at) for at, each in enumerate(given.filters) for one in lint_section("filters", each)]


def _outputs(given: Given) -> list[Finding]:
    """A shared output is looked at where it stands."""
    return [
        one.below("outputs", sink.position)
        for sink in given.sinks
        if not sink.shared
        for one in lint_section("outputs", sink.options)
    ]


def _stores(given: Given) -> Iterator[Finding]:
    stores = {
        at: one for at, one in enumerate(given.sinks) if "store_dir" in one.options and plugin(one.options) == "s3"
    }
    if len(stores) > 1:
        for at, one in lint_stores({at: sink.options for at, sink in stores.items()}):
            yield _in_sink(given, at, one)


def _kept_groups(given: Given) -> Iterator[Finding]:
    for at, sink in enumerate(given.sinks):
        if sink.groups and "auto_create_group" in sink.options:
            for one in lint_kept_group(sink.options, sink.groups):
                yield _in_sink(given, at, one)


def _in_sink(given: Given, at: int, one: Finding) -> Finding:
    sink = given.sinks[at]
    return Finding(sink.at(str(one.path[0])), one.code, one.severity, sink.told(one.message), one.hint)
