"""The Fluent Bit config of one task, from the routes on it: one SERVICE, inputs, copies, then route by route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.api.kinds import DEFAULT_SERVICE, ClassSpec
from controller.desired import limits, metadata
from controller.desired.limits import Limits
from controller.desired.parsers import NO_NAMES, Names, settle
from controller.desired.scope import Claim, Scope, scopes
from controller.desired.sections import Options, entries, section
from controller.fluentbit.flow import emits_anew, emitted, in_company, sees_all
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.words import lowered
from controller.specs.model import Route

LOG_LEVEL_VARIABLE = "FLB_LOG_LEVEL"
"""Fluent Bit 5.1 aborts where both this and [SERVICE] log_level are set (fluent-bit#12310)."""
_FIRST = frozenset({"name", "match", "match_regex"})
STORE_DIR = "/tmp/fluent-bit/s3"  # noqa: S108 - the s3 output's own default, in the router's container


@dataclass(frozen=True, slots=True)
class Rendered:
    pipeline: Config
    parsers: Config | None


def render(
    routes: Sequence[Route],
    selection: Mapping[str, Sequence[str]],
    router: ClassSpec,
    *,
    health: bool,
    own_metadata: bool = False,
) -> Rendered:
    """The configs of one task. `selection` is route key → its containers; `health` puts the HTTP server on;
    `own_metadata` adds the ECS fields here, for the agent does not.
    """
    service = _service(routes, router, health=health)
    names, parsers = settle(routes, image_file="parsers_file" in service)
    found = scopes({route.alias_prefix: _claim(route, selection[route.key]) for route in routes})
    inputs = sum(len(route.inputs) for route in routes)
    copies = [scope for scope in found.values() if scope.copied]
    bounds = limits.of(router, inputs=inputs, copies=len(copies))
    sections = [section("SERVICE", {**service, **bounds.service})]
    for route in routes:
        sections += _inputs(route, found[route.alias_prefix], names.get(route.key, NO_NAMES), bounds)
    sections += [_copy(scope, bounds) for scope in copies]
    if own_metadata:
        sections += metadata.of_shared(found.values())
    stores = _shared_buckets(routes)
    for route in routes:
        scope = found[route.alias_prefix]
        sections += _filters(route, scope, names.get(route.key, NO_NAMES), found.values() if own_metadata else None)
        sections += _outputs(route, scope, bounds, stores)
    return Rendered(Config(tuple(sections)), parsers)


def _service(routes: Sequence[Route], router: ClassSpec, *, health: bool) -> dict[str, str]:
    """One SERVICE: the defaults, then the class, then the routes; the first to say a key wins."""
    said = {**DEFAULT_SERVICE, **lowered(router.service)}
    for route in reversed(routes):
        said |= lowered(route.document.spec.pipeline.service)
    if any(pair.name == LOG_LEVEL_VARIABLE for pair in router.container.environment):
        said.pop("log_level", None)
    if health and router.health.mode != "off":
        said |= {"http_server": "On", "http_listen": "127.0.0.1", "http_port": str(router.health.port)}
        if router.health.mode == "deep":
            said.setdefault("health_check", "On")
    return said


def _claim(route: Route, containers: Sequence[str]) -> Claim:
    inputs = tuple([_tag(route, one) for one in route.inputs])
    return Claim(tuple(containers), bool(route.filters), inputs, emitted(route.filters) if route.filters else ())


def _tag(route: Route, options: Options) -> str:
    return str(options.get("tag") or f"{route.alias_prefix}.{options['name']}")


def _inputs(route: Route, scope: Scope, names: Names, bounds: Limits) -> list[Section]:
    written = route.inputs if scope.alone else [in_company(one, scope.route) for one in route.inputs]
    return [
        section("INPUT", {**bounds.input_options(names.put_into(options)), "tag": tag})
        for options, tag in zip(written, scope.inputs, strict=True)
    ]


def _filters(route: Route, scope: Scope, names: Names, neighbours: Iterable[Scope] | None) -> list[Section]:
    """With `neighbours`, the ECS fields come after the last multiline filter: what that emits anew passes all
    before it again. A filter that emits records anew and is for all of them takes each once, or it would never end.
    """
    written = route.filters if scope.alone else [in_company(one, scope.route) for one in route.filters]
    rendered = [_matched("FILTER", names.put_into(one), _seen_by(one, scope)) for one in written]
    if neighbours is None:
        return rendered
    at = metadata.place_among(route.filters)
    return [*rendered[:at], *metadata.of_route(scope, neighbours, emitted(route.filters[:at])), *rendered[at:]]


def _seen_by(options: Options, scope: Scope) -> Scope:
    return scope.before_rewriting() if emits_anew(options) and sees_all(options) else scope


def _outputs(route: Route, scope: Scope, bounds: Limits, stores: frozenset[str]) -> list[Section]:
    sections = []
    for output in route.outputs:
        alias = f"{route.alias_prefix}.{output['alias']}"
        options = {**bounds.output_options(output), "alias": alias}
        if str(output["name"]).lower() == "s3" and output.get("bucket") in stores and "store_dir" not in output:
            options["store_dir"] = f"{STORE_DIR}/{alias}"
        sections.append(_matched("OUTPUT", options, scope))
    return sections


def _shared_buckets(routes: Sequence[Route]) -> frozenset[str]:
    """Buckets that more than one output of the task writes to: its files lie at `store_dir/bucket` (s3.c)."""
    buckets = [
        str(output["bucket"])
        for route in routes
        for output in route.outputs
        if output.get("bucket") and str(output["name"]).lower() == "s3"
    ]
    if len(set(buckets)) == len(buckets):
        return frozenset()
    return frozenset(bucket for bucket, number in Counter(buckets).items() if number > 1)


def _copy(scope: Scope, bounds: Limits) -> Section:
    """`$source` is on every FireLens record; `log` may not be. Each copy has an emitter of its own."""
    return Section(
        "FILTER",
        (
            ("name", "rewrite_tag"),
            ("match_regex", scope.copy_source()),
            ("rule", f"$source ^ $TAG.{scope.route} true"),
            ("emitter_name", f"{scope.route}.copy"),
            ("emitter_mem_buf_limit", bounds.emitter),
        ),
    )


def _matched(kind: str, options: Options, scope: Scope) -> Section:
    """`options` with their names in lower case."""
    key, value = scope.matching(options.get("match"), options.get("match_regex"))
    return Section(kind, (("name", options["name"]), (key, value), *entries(options, but=_FIRST)))
