"""One LogRoute and what it refers to → a Route, or why it is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from controller.api.kinds import ClassSpec, LogGroupSpec, LogRoute, RouterOverrides, RouteSpec
from controller.api.problems import Severity
from controller.api.values import merged
from controller.fluentbit.catalogue import ANY
from controller.fluentbit.checks import check
from controller.fluentbit.clashes import check_lua, check_names, check_ports
from controller.fluentbit.engines import EngineError, engine_of
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.parsers import check_parsers_used
from controller.fluentbit.pipeline import check_pipeline, check_service
from controller.fluentbit.ports import EXPORTERS
from controller.fluentbit.variables import NONE, Names
from controller.fluentbit.words import lowered
from controller.specs.documents import MOST_PROBLEMS, Document
from controller.specs.ignoring import check_ignored
from controller.specs.index import Entry, Index
from controller.specs.linting import allowing, lint_router, lint_whole
from controller.specs.model import Route
from controller.specs.references import Output, find_class, find_output

_BUILT_IN = ClassSpec.model_construct()
_ALONE = frozenset({"grep", "modify", "nest", "record_modifier", "throttle"})
"""Filters that name no parser, no emitter and no code."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A route and what it refers to. With findings something is missing, and it cannot be made."""

    entry: Entry
    model: LogRoute
    class_spec: ClassSpec | None
    """None where the class cannot be used."""
    outputs: tuple[Output, ...]
    depends_on: tuple[Document, ...]
    """The documents but its own that it is made from, each once."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """`route` is None where a finding is an error. Paths start at the route's document."""

    route: Route | None
    findings: tuple[Finding, ...]


def resolve(entry: Entry, model: LogRoute, index: Index) -> Resolved:
    """Follow the references of the route in `entry`, whose model is `model`."""
    spec = model.spec
    class_document, class_model, class_trouble = find_class(spec.router_class, index)
    outputs, trouble = _outputs(spec, model.metadata.namespace, index)
    documents = [class_document, *(output.document for output in outputs)]
    return Resolved(
        entry,
        model,
        class_model.spec if class_model else None if class_trouble else _BUILT_IN,
        tuple(outputs),
        tuple(dict.fromkeys([one for one in documents if one])),
        (*class_trouble, *trouble),
    )


@dataclass(frozen=True, slots=True)
class _Lowered:
    """Inputs and filters with their option names in lower case: worked out once for a route."""

    inputs: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]


def make(resolved: Resolved, *, lua: bool = False) -> Made:
    """The route, if nothing speaks against it. `lua`: the settings allow it."""
    spec, engine, trouble = resolved.class_spec, ANY, list(resolved.findings)
    if spec:
        try:
            engine = engine_of(spec.image, spec.engine)
        except EngineError as wrong:
            trouble.append(error(("spec", "routerClass"), wrong.code, wrong.message, wrong.hint))
    secrets, clashes = _secrets(resolved.model.spec, resolved.outputs)
    pipeline = resolved.model.spec.pipeline
    sections = _Lowered(tuple(map(lowered, pipeline.inputs)), tuple(map(lowered, pipeline.filters)))
    findings = (*trouble, *_checked(resolved, sections, engine, lua=lua), *clashes)
    if spec is None or any(finding.severity is Severity.ERROR for finding in findings):
        return Made(None, findings)
    return Made(_route(resolved, sections, spec, engine, secrets), findings)


def _route(
    resolved: Resolved, sections: _Lowered, class_spec: ClassSpec, engine: str, secrets: Mapping[str, str]
) -> Route:
    document, spec = resolved.entry.document, resolved.model.spec
    return Route(
        key=document.key,
        document=resolved.model,
        class_name=spec.router_class,
        router=_router(class_spec, spec),
        engine=engine,
        inputs=sections.inputs,
        filters=sections.filters,
        outputs=_named(resolved.outputs),
        secrets=secrets,
        log_groups=_log_groups(spec, resolved.outputs),
        digest=_digest(document, resolved.depends_on),
        documents=(document, *resolved.depends_on),
        file=resolved.entry.file,
        line=document.line,
    )


def _outputs(spec: RouteSpec, namespace: str, index: Index) -> tuple[list[Output], list[Finding]]:
    outputs: list[Output] = []
    findings: list[Finding] = []
    for position, section in enumerate(spec.pipeline.outputs):
        output, troubles = find_output(section, position, namespace, index)
        if output:
            outputs.append(output)
        findings += [one.below("spec", "pipeline", "outputs", position) for one in troubles]
        if len(findings) > MOST_PROBLEMS:  # more are not told
            break
    return outputs, findings


def _checked(resolved: Resolved, sections: _Lowered, engine: str, *, lua: bool) -> list[Finding]:
    """The route's own sections see the route's own secrets alone, and a LogOutput its own: else any route
    that may use a shared output could send that output's secret elsewhere.
    """
    spec, outputs = resolved.model.spec, resolved.outputs
    environment = resolved.class_spec.container.environment if resolved.class_spec else ()
    names = Names(spec.secrets, [pair.name for pair in environment]) if spec.secrets or environment else NONE
    findings = [one.below("spec", "pipeline") for one in check_pipeline(spec.pipeline, engine, names)]
    if spec.router.service:
        service = check_service(spec.router.service, engine, names)
        findings += [one.below("spec", "router") for one in service]
    for output in outputs:
        findings += _output(spec, engine, output, names)
    findings += _aliases(outputs)
    if spec.pipeline.multiline_parsers or not _simple(sections, outputs):
        findings += _together(resolved, sections, engine, lua=lua)
    findings += _same_log_group(spec.log_groups)
    if spec.ignore:
        findings += [one.below("spec") for one in check_ignored(spec.ignore)]
    findings += lint_whole(resolved.model, sections.filters, outputs, engine)
    if resolved.class_spec and (spec.pipeline.service or spec.router.model_fields_set):
        over = lint_router(resolved.class_spec, _router(resolved.class_spec, spec), spec)
        findings += [one.below("spec") for one in over]
    return list(allowing(findings, resolved.model.metadata.allowed_lints))


def _simple(sections: _Lowered, outputs: Sequence[Output]) -> bool:
    """Whether the sections of a route have nothing to do with each other: so it is with nearly all."""
    return (
        not sections.inputs
        and _ALONE.issuperset([str(one.get("name")) for one in sections.filters])
        and EXPORTERS.keys().isdisjoint([str(one.section.get("name")).lower() for one in outputs])
        and not [one for one in sections.filters if "alias" in one]
    )


def _together(resolved: Resolved, sections: _Lowered, engine: str, *, lua: bool) -> Iterator[Finding]:
    """What sections of the route need of each other."""
    spec, router = resolved.model.spec, resolved.class_spec
    pipeline, inputs, filters = spec.pipeline, sections.inputs, sections.filters
    services = (pipeline.service, spec.router.service, router.service if router else {})
    has_file = any("parsers_file" in lowered(service) for service in services if service)
    found = (
        *check_parsers_used(pipeline, inputs, filters, engine, has_file=has_file),
        *check_ports(inputs, [(one.position, one.section) for one in resolved.outputs]),
        *check_names(filters),
        *check_lua(filters, allowed=lua),
    )
    yield from (one.below("spec", "pipeline") for one in found)


def _output(spec: RouteSpec, engine: str, output: Output, names: Names) -> list[Finding]:
    if output.shared is None:
        path = ("spec", "pipeline", "outputs", output.position)
        section = spec.pipeline.outputs[output.position]
        return [one.below(*path) for one in check("outputs", section, engine, names)]
    findings = check("outputs", output.section, engine, Names(output.shared.spec.secrets, names.plain))
    return [_in_shared(one, output) for one in findings]


def _in_shared(finding: Finding, output: Output) -> Finding:
    """What only this route's engine has against a LogOutput is the route's problem: others use it well."""
    key = output.document.key if output.document else ""
    message = f"LogOutput {key}: {finding.message}"
    path = ("spec", "pipeline", "outputs", output.position, "ref")
    if finding.path and finding.path[0] in ("match", "match_regex", "alias"):
        path = (*path[:-1], str(finding.path[0]))
    return error(path, finding.code, message, finding.hint)


def _aliases(outputs: Sequence[Output]) -> Iterator[Finding]:
    seen: set[str] = set()
    for output in outputs:
        alias = output.section.get("alias")
        if not isinstance(alias, str) or output.shared:
            continue  # what is no text is told elsewhere
        if alias in seen:
            path = ("spec", "pipeline", "outputs", output.position, "alias")
            yield error(
                path, "DUPLICATE_ALIAS", f"another output of this route is {alias} already", "choose another, or none"
            )
        seen.add(alias)


def _named(outputs: Sequence[Output]) -> tuple[dict[str, Any], ...]:
    """Every output with an alias: its own; else the plugin's name, with `.2` and on where it is taken."""
    taken = {alias for output in outputs if not output.shared and (alias := output.section.get("alias"))}
    named, numbers = [], dict[str, int]()
    for output in outputs:
        alias = output.section.get("alias")
        if alias is None or output.shared:
            alias = _free(alias or output.section["name"].lower(), taken, numbers)
        taken.add(alias)
        named.append({**output.section, "alias": alias})
    return tuple(named)


def _free(name: str, taken: set[str], numbers: dict[str, int]) -> str:
    """`numbers`: up to which one all are taken, by name."""
    number = numbers.get(name, 1)
    alias = name if number == 1 else f"{name}.{number}"
    while alias in taken:
        number += 1
        alias = f"{name}.{number}"
    numbers[name] = number
    return alias


def _secrets(spec: RouteSpec, outputs: Sequence[Output]) -> tuple[Mapping[str, str], list[Finding]]:
    """They meet in one environment, so one name cannot mean two secrets."""
    found = dict(spec.secrets)
    findings = []
    for output in outputs:
        for name, arn in output.shared.spec.secrets.items() if output.shared else ():
            if found.setdefault(name, arn) != arn:
                path = ("spec", "pipeline", "outputs", output.position, "ref")
                message = f"this LogOutput means another secret by {name}"
                findings.append(error(path, "SECRET_CONFLICT", message, "rename one of the two"))
    return found, findings


def _same_log_group(groups: Iterable[LogGroupSpec]) -> Iterator[Finding]:
    seen: set[str] = set()
    for position, group in enumerate(groups):
        if group.name in seen:
            path = ("spec", "logGroups", position, "name")
            yield error(
                path, "DUPLICATE_LOG_GROUP", f"the log group {group.name} is there already", "keep one of the two"
            )
        seen.add(group.name)


def _log_groups(spec: RouteSpec, outputs: Sequence[Output]) -> tuple[LogGroupSpec, ...]:
    """The route's own, then its LogOutputs'. Where they name one group the longest retention wins."""
    found = {group.name: group for group in spec.log_groups}
    for output in outputs:
        for group in output.shared.spec.log_groups if output.shared else ():
            held = found.setdefault(group.name, group)
            if _days(group) > _days(held):
                found[group.name] = held.model_copy(update={"retention_days": group.retention_days})
    return tuple(found.values())


def _days(group: LogGroupSpec) -> float:
    return float("inf") if group.retention_days is None else group.retention_days


def _router(class_spec: ClassSpec, spec: RouteSpec) -> ClassSpec:
    """The class with what the route overrides."""
    over = spec.router
    changed: dict[str, Any] = {}
    if sizes := _sizes(over):
        changed["container"] = class_spec.container.model_copy(update=sizes)
    if over.buffer:
        changed["buffer"] = merged(class_spec.buffer, over.buffer)
    if over.health:
        changed["health"] = merged(class_spec.health, over.health)
    if over.service:
        changed["service"] = {**lowered(class_spec.service), **lowered(over.service)}
    if spec.rollout.model_fields_set:
        changed["rollout"] = merged(class_spec.rollout, spec.rollout)
    return class_spec.model_copy(update=changed) if changed else class_spec


def _sizes(over: RouterOverrides) -> dict[str, int]:
    given = {"cpu": over.cpu, "memory_reservation": over.memory_reservation}
    return {name: value for name, value in given.items() if value is not None}


def _digest(document: Document, depends_on: Iterable[Document]) -> str:
    total = sha256(document.digest)
    for one in depends_on:
        total.update(one.digest)
    return total.hexdigest()
