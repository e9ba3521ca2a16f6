"""`logroute check`: what real engines say of the configs that specs make. Nothing but loopback is contacted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from controller.api.globs import selected
from controller.api.kinds import Kind
from controller.api.problems import has_errors
from controller.checking.checker import VERSION, Checker
from controller.checking.engine import Engine, WrongBinary
from controller.checking.model import Result, Verdict
from controller.cli.console import GREEN, RED, YELLOW, fail, paint, say, show
from controller.cli.failures import CommandError
from controller.cli.taskdefs import read_definition
from controller.cli.validate import WRONG_USAGE, as_text, read_paths
from controller.desired.compose import Installation, compose
from controller.desired.matching import Home, RouteIndex, Undecidable
from controller.desired.model import ConfigStore, Desired
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.engines import VERSIONS
from controller.fluentbit.reader import from_classic
from controller.settings import load
from controller.specs.documents import parse_file
from controller.specs.model import Route, SpecSet
from controller.taskdef.body import Body
from controller.taskdef.overlay import ForeignRouter, Ownership, strip

COLOURS = {Result.ACCEPTED: GREEN, Result.REJECTED: RED, Result.UNCHECKED: YELLOW}
_INSTALL = Installation("logroute", ConfigStore("configs", "logroute"))
_REGION = "us-east-1"
_MOST_CONTAINERS = 9
_PARSER = re.compile(r"\[parser:([^\]]+)\]")


class WrongUsage(Exception):
    """The command line cannot be meant so."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the command line said. `service` None: the definition's family."""

    paths: Sequence[Path]
    fluent_bit: Sequence[str] = ()
    task_definition: str | None = None
    cluster: str | None = None
    service: str | None = None
    region: str | None = None
    config: Path | None = None
    output: str = "text"


@dataclass(slots=True)
class Checked:
    """One distinct config: whose it is, and what came of it. `places`: (file, line, column) of what is wrong."""

    desired: Desired
    routes: list[Route]
    verdict: Verdict
    places: list[tuple[str, int, int]] = field(default_factory=list)


def check(options: CheckOptions) -> int:
    """Print a line for each distinct config; the exit status. Raises CommandError, SettingsError."""
    try:
        checker = Checker(load(options.config).fluent_bit | binaries(options.fluent_bit))
        for path in options.paths:
            if not path.exists():
                raise WrongUsage(f"there is no file or folder {path}")
    except WrongUsage as error:
        fail(str(error))
        return WRONG_USAGE
    specs = read_paths(options.paths)
    found = [] if has_errors(specs.problems) else list(_checked(specs, options, checker))
    _show(specs, found, options.output)
    wrong = has_errors(specs.problems) or any(one.verdict.result is Result.REJECTED for one in found)
    return 1 if wrong else 0


def binaries(stated: Sequence[str]) -> dict[str, Path]:
    """Raises WrongUsage for what is not VERSION=PATH, or not a Fluent Bit of that version."""
    found: dict[str, Path] = {}
    for one in stated:
        version, _, text = one.partition("=")
        if not VERSION.fullmatch(version) or not text:
            raise WrongUsage(f"--fluent-bit {one}: write VERSION=PATH, such as 5.0.9=/usr/bin/fluent-bit")
        if not any(f"{version}.".startswith(f"{known}.") for known in VERSIONS):
            raise WrongUsage(f"--fluent-bit {one}: no spec is made for {version}; engines are {', '.join(VERSIONS)}")
        path = Path(text)
        if not path.is_file():
            raise WrongUsage(f"--fluent-bit {one}: there is no file {path}")
        if not os.access(path, os.X_OK):
            raise WrongUsage(f"--fluent-bit {one}: {path} is not executable")
        try:
            Engine(version, path).confirm()
        except (WrongBinary, OSError) as error:
            raise WrongUsage(f"--fluent-bit {one}: {error}") from error
        found[version] = path
    return found


def _checked(specs: SpecSet, options: CheckOptions, checker: Checker) -> Iterator[Checked]:
    by_config: dict[tuple[str, ...], Checked] = {}
    for routes, desired in _configs(specs, options):
        if isinstance(desired, Verdict):
            yield Checked(Desired(None), routes, desired, [(one.file, one.line, 1) for one in routes])
            continue
        key = (desired.engine, *(one.sha256 for one in desired.configs))
        if key in by_config:
            by_config[key].routes += routes
            continue
        verdict = checker.check(desired.configs, desired.engine)
        by_config[key] = Checked(desired, routes, verdict, _places(verdict, desired, routes) if verdict.words else [])
    yield from by_config.values()


def _configs(specs: SpecSet, options: CheckOptions) -> Iterator[tuple[list[Route], Desired | Verdict]]:
    """What `inject` would make for the definition; without one, each route by itself on a stand-in."""
    if options.task_definition is None:
        for route in specs.routes:
            there = route.document.spec.target.region or options.region or _REGION
            yield [route], _composed([route], Subject(None, there, "example", "example", "example", stand_in(route)))
        return
    try:
        found = strip(read_definition(options.task_definition), Ownership())
        family = str(found.app["family"])
        region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        names = (options.cluster, options.service or family, family)
        subject = Subject(None, region, *names, found.app, adopted=found.adopted)
        routes = RouteIndex(specs.routes, Home(None, subject.region)).routes_for(subject)
    except ForeignRouter as error:
        raise CommandError(f"{options.task_definition}: ForeignRouter: {error}") from error
    except Undecidable as error:
        raise CommandError(f"route {error.route}: {error.needs}") from error
    if not routes:
        raise CommandError(f"no route selects {subject.name}; check target.services and --cluster")
    stated = next(filter(None, (one.document.spec.target.region for one in routes)), _REGION)
    yield routes, _composed(routes, replace(subject, region=region or stated))


def _composed(routes: Sequence[Route], subject: Subject) -> Desired | Verdict:
    try:
        return compose(routes, subject, _INSTALL)
    except Refusal as refusal:
        return Verdict(Result.REJECTED, f"{refusal.reason}: {refusal}")


def stand_in(route: Route) -> Body:
    """A definition that the route fits: the containers that it names, globs filled in, else `app`."""
    globs = route.document.spec.target.containers
    filled = (re.sub(r"[*?]", letter, one) for one in globs for letter in "xyz")
    fitting = list(dict.fromkeys(name for name in filled if selected(globs, name)))[:_MOST_CONTAINERS]
    names = fitting or ["app"]
    containers = [{"name": name, "image": "example", "essential": True} for name in names]
    return {"family": "example", "networkMode": "awsvpc", "containerDefinitions": containers}


def _places(verdict: Verdict, desired: Desired, routes: Sequence[Route]) -> list[tuple[str, int, int]]:
    """Where in the specs it is that the engine names; the routes themselves where that cannot be told."""
    origins = _origins(desired, {route.key: route for route in routes})
    found = [origins[index] for index in verdict.sections if index in origins]
    for name in _PARSER.findall("\n".join(verdict.words)):
        found += [(route, "parsers", index) for route in routes for index in _parsers_called(route, name)]
    places = list(dict.fromkeys(_place(route, kind, index) for route, kind, index in found))
    return places or [(route.file, route.line, 1) for route in routes]


def _origins(desired: Desired, routes: Mapping[str, Route]) -> dict[int, tuple[Route, str, int]]:
    """Section of pipeline.conf → the route's input, filter or output. Sections of ours come before those of routes."""
    sections = from_classic(desired.configs[0].body).sections
    found: dict[int, tuple[Route, str, int]] = {}
    for name, kind in (("INPUT", "inputs"), ("FILTER", "filters"), ("OUTPUT", "outputs")):
        theirs = [
            (routes[key], kind, index)
            for key in desired.routes
            for index in range(len(getattr(routes[key].document.spec.pipeline, kind)))
        ]
        there = [index for index, section in enumerate(sections) if section.name == name]
        found |= dict(zip(there[len(there) - len(theirs) :], theirs, strict=True))
    return found


def _parsers_called(route: Route, name: str) -> Iterable[int]:
    parsers = route.document.spec.pipeline.parsers
    return (index for index, one in enumerate(parsers) if name in (one.get("name"), one.get("Name")))


def _place(route: Route, kind: str, index: int) -> tuple[str, int, int]:
    try:
        documents = parse_file(Path(route.file).read_bytes()).documents
    except OSError:
        documents = ()
    for document in documents:
        if document.kind is Kind.ROUTE and document.key == route.key:
            return (route.file, *document.place(("spec", "pipeline", kind, index)))
    return (route.file, route.line, 1)


def _show(specs: SpecSet, found: Sequence[Checked], output: str) -> None:
    if output == "json":
        plain = {
            "problems": [problem.as_json() for problem in specs.problems],
            "configs": [_plain(one) for one in found],
        }
        show(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    for problem in specs.problems:
        show(as_text(problem))
    for one in found:
        show(_text(one))
    if not has_errors(specs.problems) and not found:
        say("there is no route to check")


def _text(one: Checked) -> str:
    verdict = one.verdict
    word = paint(verdict.result.value, COLOURS[verdict.result])
    engine = f"Fluent Bit {one.desired.engine}" if one.desired.engine else "not rendered"
    why = "" if verdict.result is Result.ACCEPTED and not verdict.words else f": {verdict.text}"
    at = f" ({', '.join(f'{file}:{line}:{column}' for file, line, column in one.places)})" if one.places else ""
    return f"{', '.join(route.key for route in one.routes)}: {engine}: {word}{why}{at}"


def _plain(one: Checked) -> dict[str, Any]:
    return {
        "routes": [route.key for route in one.routes],
        "engine": one.desired.engine,
        "configs": [config.sha256 for config in one.desired.configs],
        "result": one.verdict.result.value,
        "reason": one.verdict.reason,
        "words": list(one.verdict.words),
        "places": [{"file": file, "line": line, "column": column} for file, line, column in one.places],
    }
