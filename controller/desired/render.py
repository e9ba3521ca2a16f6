"""The Fluent Bit config of one task, from the routes on it: one SERVICE, inputs, copies, then route by route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.api.kinds import DEFAULT_SERVICE, ClassSpec
from controller.api.kinds import Section as Options
from controller.desired.scope import Scope, scopes
from controller.fluentbit.tree import Config, Section
from controller.specs.model import Route

LOG_LEVEL_VARIABLE = "FLB_LOG_LEVEL"
"""Fluent Bit 5.1 aborts where both this and [SERVICE] log_level are set (fluent-bit#12310)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    pipeline: Config
    parsers: Config | None


def render(
    routes: Sequence[Route], selection: Mapping[str, Sequence[str]], router: ClassSpec, *, health: bool
) -> Rendered:
    """The configs of one task. `selection` is route key → its containers; `health` puts the HTTP server on."""
    inputs = {
        route.alias_prefix: tuple(_tag(route, one) for one in route.document.spec.pipeline.inputs) for route in routes
    }
    found = scopes(
        {route.alias_prefix: selection[route.key] for route in routes},
        [route.alias_prefix for route in routes if route.document.spec.pipeline.filters],
        inputs,
    )
    sections = [_service(routes, router, health=health)]
    for route in routes:
        sections += [_section("INPUT", one, tag=_tag(route, one)) for one in route.document.spec.pipeline.inputs]
    sections += [_copy(scope) for scope in found.values() if scope.copied]
    for route in routes:
        sections += _route(route, found[route.alias_prefix], router)
    return Rendered(Config(tuple(sections)), _parsers(routes))


def _service(routes: Sequence[Route], router: ClassSpec, *, health: bool) -> Section:
    """One SERVICE: the defaults, then the class, then the routes; the first to say a key wins."""
    said = _lowered(DEFAULT_SERVICE) | _lowered(router.service)
    for route in reversed(routes):
        said |= _lowered(route.document.spec.pipeline.service)
    if any(pair.name == LOG_LEVEL_VARIABLE for pair in router.container.environment):
        said.pop("log_level", None)
    if health and router.health.mode != "off":
        said |= {"http_server": "On", "http_listen": "127.0.0.1", "http_port": str(router.health.port)}
        if router.health.mode == "deep":
            said.setdefault("health_check", "On")
    if router.buffer.type == "filesystem":
        said |= {
            "storage.path": router.buffer.path or "/var/log/flb",
            "storage.type": "filesystem",
            "storage.inherit": "on",
        }
        said["storage.max_chunks_up"] = str(router.buffer.max_chunks_up or 64)
    return _section("SERVICE", said)


def _route(route: Route, scope: Scope, router: ClassSpec) -> list[Section]:
    filters = [_matched("FILTER", one, scope) for one in route.document.spec.pipeline.filters]
    limit = router.buffer.total_limit_size if router.buffer.type == "filesystem" else None
    outputs = []
    for output in route.outputs:
        options = {**output, "alias": f"{route.alias_prefix}.{output['alias']}"}
        if limit and "storage.total_limit_size" not in _lowered(output):
            options["storage.total_limit_size"] = limit
        outputs.append(_matched("OUTPUT", options, scope))
    return filters + outputs


def _copy(scope: Scope) -> Section:
    """`$source` is on every FireLens record; `log` may not be. Each copy has an emitter of its own."""
    return Section(
        "FILTER",
        (
            ("name", "rewrite_tag"),
            ("match_regex", scope.copy_source()),
            ("rule", f"$source ^ $TAG.{scope.route} true"),
            ("emitter_name", f"{scope.route}.copy"),
        ),
    )


def _matched(kind: str, options: Options, scope: Scope) -> Section:
    lowered = _lowered(options)
    rest = {key: value for key, value in lowered.items() if key not in ("name", "match", "match_regex")}
    key, value = scope.matching(lowered.get("match"), lowered.get("match_regex"))
    return Section(kind, _entries({"name": lowered["name"], key: value, **rest}))


def _tag(route: Route, options: Options) -> str:
    lowered = _lowered(options)
    return str(lowered.get("tag") or f"{route.alias_prefix}.{lowered['name']}")


def _section(kind: str, options: Options, **forced: str) -> Section:
    return Section(kind, _entries(_lowered(options) | forced))


def _entries(options: Options) -> tuple[tuple[str, str], ...]:
    """An option that takes several values stands once for each."""
    entries: list[tuple[str, str]] = []
    for key, value in options.items():
        if isinstance(value, list | tuple):
            entries += [(key, str(one)) for one in value]
        else:
            entries.append((key, str(value)))
    return tuple(entries)


def _lowered(options: Options) -> Options:
    return {key.lower(): value for key, value in options.items()}


def _parsers(routes: Sequence[Route]) -> Config | None:
    sections: list[Section] = []
    for route in routes:
        pipeline = route.document.spec.pipeline
        sections += [_section("PARSER", parser) for parser in pipeline.parsers]
        sections += [_multiline(parser) for parser in pipeline.multiline_parsers]
    return Config(tuple(dict.fromkeys(sections))) if sections else None


def _multiline(parser: Options) -> Section:
    """A rule is three fields, each in double quotes (Fluent Bit manual, configuring multiline parsers)."""
    rules = [
        ("rule", f'"{rule["state"]}" "{rule["regex"]}" "{rule["next_state"]}"')
        for rule in _lowered(parser).get("rules", ())
    ]
    head = _section("MULTILINE_PARSER", {key: value for key, value in parser.items() if key.lower() != "rules"})
    return Section(head.name, (*head.entries, *rules))
