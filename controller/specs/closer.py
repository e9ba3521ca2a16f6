"""A closer look at a route as a whole: its filters, the outputs that it refers to, its target, its log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from controller.api.kinds import LogGroupSpec, LogRoute
from controller.fluentbit.findings import Finding, Path
from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.lint import Options
from controller.fluentbit.lints.route import lint_route
from controller.fluentbit.words import lowered
from controller.specs.references import Output


def look_closer(
    model: LogRoute, filters: Sequence[Options], outputs: Sequence[Output], engine: str
) -> Iterator[Finding]:
    allowed = {one.position: one.shared.metadata.allowed_lints for one in outputs if one.shared}
    for one in lint_route(_given(model, filters, outputs, engine)):
        if one.code not in _allowed_at(one.path, allowed):
            yield one.below("spec", "pipeline")


def _allowed_at(path: Path, allowed: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """What the LogOutput allows whose place `path` is."""
    position = path[1] if len(path) > 1 and path[0] == "outputs" else None
    return allowed.get(position, frozenset()) if isinstance(position, int) else frozenset()


def _given(model: LogRoute, filters: Sequence[Options], outputs: Sequence[Output], engine: str) -> Given:
    spec, pipeline = model.spec, model.spec.pipeline
    groups = [*spec.log_groups, *(group for one in outputs if one.shared for group in one.shared.spec.log_groups)]
    return Given(
        tuple(filters),
        tuple([_sink(model, one, groups) for one in outputs]),
        tuple([_tagged(model, lowered(one)) for one in pipeline.inputs]),
        spec.target.containers,
        {str(parser.get("name")): parser for parser in map(lowered, pipeline.parsers)},
        engine,
        complete=len(outputs) == len(pipeline.outputs),
    )


def _sink(model: LogRoute, output: Output, groups: Sequence[LogGroupSpec]) -> Sink:
    kept = frozenset([group.name for group in groups])
    if output.shared is None:
        return Sink(output.position, output.section, groups=kept)
    own = frozenset(key.lower() for key in model.spec.pipeline.outputs[output.position])
    key = output.document.key if output.document else ""
    told = {group.name for group in output.shared.spec.log_groups}
    return Sink(output.position, output.section, key, own, kept - told)


def _tagged(model: LogRoute, options: Options) -> tuple[str, Options]:
    """An input without a tag gets one of its route."""
    metadata = model.metadata
    return str(options.get("tag") or f"{metadata.namespace}.{metadata.name}.{options.get('name')}"), options
