"""The parsers of one task: all routes' in one file, each under a name that means one thing there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from controller.desired.sections import Options, entries, section
from controller.fluentbit.parsers import image_parsers, parsers_used, renamed
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.words import lowered
from controller.specs.model import Route


@dataclass(frozen=True, slots=True)
class Names:
    """What a route's parsers are called on this task, where that is not as the route calls them."""

    single: Mapping[str, str] = field(default_factory=dict)
    multiline: Mapping[str, str] = field(default_factory=dict)

    def put_into(self, options: Options) -> Options:
        """An input or filter, its option names in lower case, with these names."""
        if not self.single and not self.multiline:
            return options
        return renamed(options, partial(_called, self.single), partial(_called, self.multiline))


NO_NAMES = Names()


def settle(routes: Sequence[Route], *, image_file: bool) -> tuple[Mapping[str, Names], Config | None]:
    """Route key → Names, and the parsers file; None where no route needs one.

    A name stays what it is, unless another route means another parser by it: then the later route's is told
    apart. `image_file`: the service loads a parsers file itself, which may hold the image's own parsers.
    """
    if not any(_concerned(route) for route in routes):
        return {}, None
    file = _File(frozenset(image_parsers()) if image_file else frozenset())
    names = {}
    for route in routes:
        single = {
            name: file.place(_parser(name, options), route) for name, options in _single(route, image_file=image_file)
        }
        multiline = {}
        for options in map(lowered, route.document.spec.pipeline.multiline_parsers):
            own = renamed(options, partial(_called, single), str)
            multiline[str(options["name"])] = file.place(_multiline(own), route)
        names[route.key] = Names(_changed(single), _changed(multiline))
    return names, Config(tuple(file.sections)) if file.sections else None


def _called(names: Mapping[str, str], name: str) -> str:
    return names.get(name, name)


@dataclass(slots=True)
class _File:
    """The parsers file as it grows. `reserved`: parsers that are loaded from elsewhere."""

    reserved: frozenset[str]
    taken: dict[tuple[str, str], Section] = field(default_factory=dict)
    sections: dict[Section, None] = field(default_factory=dict)

    def place(self, parser: Section, route: Route) -> str:
        """The name under which the parser goes into the file."""
        (key, name), *rest = parser.entries
        reserved = parser.name == "PARSER" and name in self.reserved
        if reserved or self.taken.setdefault((parser.name, name), parser) != parser:
            name = f"{name}.{route.alias_prefix}"
            parser = Section(parser.name, ((key, name), *rest))
        self.sections[parser] = None
        return name


def _concerned(route: Route) -> bool:
    pipeline = route.document.spec.pipeline
    return bool(pipeline.parsers or pipeline.multiline_parsers) or any(_used(route))


def _used(route: Route) -> list[str]:
    pipeline = route.document.spec.pipeline
    using = (*route.inputs, *route.filters, *map(lowered, pipeline.multiline_parsers))
    return [name for one in using for _, name in parsers_used(one)]


def _single(route: Route, *, image_file: bool) -> Iterator[tuple[str, Options]]:
    """The route's own parsers, and those of the image that it uses and nobody loads."""
    own = {str(options["name"]): options for options in map(lowered, route.document.spec.pipeline.parsers)}
    yield from own.items()
    if not image_file:
        known = image_parsers()
        yield from ((name, known[name]) for name in dict.fromkeys(_used(route)) if name in known and name not in own)


def _parser(name: str, options: Options) -> Section:
    rest = {key: value for key, value in lowered(options).items() if key != "name"}
    return Section("PARSER", entries({"name": name, **rest}))


def _multiline(options: Options) -> Section:
    """A rule is three fields, each in double quotes (Fluent Bit manual, configuring multiline parsers)."""
    rules = [
        ("rule", f'"{rule["state"]}" "{rule["regex"]}" "{rule["next_state"]}"') for rule in options.get("rules", ())
    ]
    plain = {key: value for key, value in options.items() if key not in ("rules", "name")}
    head = section("MULTILINE_PARSER", {"name": options["name"], **plain})
    return Section(head.name, (*head.entries, *rules))


def _changed(names: Mapping[str, str]) -> dict[str, str]:
    return {name: called for name, called in names.items() if name != called}
