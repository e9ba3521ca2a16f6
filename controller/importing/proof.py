"""The result proves itself: put into the plain definition it must give the sections that were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from controller.desired.compose import Installation, compose
from controller.desired.model import PARSERS, PIPELINE, ConfigStore, Desired
from controller.desired.render import LOG_LEVEL_VARIABLE
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.classic import Entry, Place, SectionKind, SourceSection, kind_of
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Section
from controller.importing.remarks import Remark, in_definition
from controller.importing.sections import Sorted
from controller.importing.values import Names, with_sets
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.body import Body

_SCOPE = frozenset({"match", "match_regex", "alias"})
"""A route says these in its own way."""
_BUFFER = frozenset({"storage.path", "storage.type", "storage.inherit", "storage.max_chunks_up"})
_MADE = frozenset(
    {"image", "environment", "secrets", "dockerLabels", "firelensConfiguration", "command", "entryPoint", "dependsOn"}
)
"""Fields of the router that LogRoute makes, or that were spoken of already."""
_ADVICE = "compare the two by hand"

Options = Mapping[str, tuple[str, ...]]


def compose_alone(route: Route, plain: Body, region: str | None) -> Desired:
    """The route on the plain definition, as `inject` would put it. Raises Refusal."""
    usual = replace(route, router=route.router.model_copy(update={"delivery": "auto"}))
    family = str(plain["family"])
    subject = Subject(None, region or "us-east-1", "import", family, family, plain, {})
    return compose([usual], subject, Installation("logroute", ConfigStore("configs", "logroute")))


def differences(
    route: Route, plain: Body, router: Body, found: Sorted, names: Names, lost: Iterable[Place]
) -> list[Remark]:
    """What is not as it was, but for what specs refused (`lost`, by place)."""
    try:
        desired = compose_alone(route, plain, names.region)
    except Refusal as error:
        return [Remark(in_definition(), "the route on this task", str(error), "change the class", lost=True)]
    configs = {one.name: from_classic(one.body).sections for one in desired.configs}
    rendered = [*configs.get(PIPELINE, ()), *configs.get(PARSERS, ())]
    gone = frozenset(lost)
    assert desired.overlay is not None  # noqa: S101 - a route that composes has a router
    service = next(_options(one) for one in rendered if kind_of(one.name) is SectionKind.SERVICE)
    return [
        *_sections(rendered, found.sections, gone),
        *_service(service, found.service, names, gone),
        *_container(desired.overlay.router, router, gone),
    ]


def _container(made: Body, read: Body, lost: frozenset[Place]) -> Iterator[Remark]:
    """The fields of the router that the class takes as they are."""
    place = in_definition(str(read["name"]))
    if place in lost:
        return
    for key, value in canonical.container(read, "").items():
        if key not in _MADE and canonical.container(made, "").get(key) != value:
            yield Remark(place, key, "after the import the router's is another", _ADVICE, lost=True)


def _sections(rendered: Sequence[Section], read: Sequence[SourceSection], lost: frozenset[Place]) -> Iterator[Remark]:
    for kind in (SectionKind.INPUT, SectionKind.FILTER, SectionKind.OUTPUT, *_PARSERS):
        wanted = [one for one in read if one.kind is kind and one.place not in lost]
        got = [_options(one) for one in rendered if kind_of(one.name) is kind]
        if not wanted and kind is SectionKind.OUTPUT:
            continue  # `null` stands there, and was said
        for section, options in zip_longest(wanted, got):
            if section is None:
                yield Remark(in_definition(), f"[{kind.upper()}]", "the result has one more", _ADVICE, lost=True)
            elif differing := _differing(_expected(section, lost), options or {}):
                why = f"after the import it differs in {', '.join(differing)}"
                yield Remark(section.place, f"[{kind.upper()}]", why, _ADVICE, lost=True)


_PARSERS = (SectionKind.PARSER, SectionKind.MULTILINE_PARSER)


def _differing(one: Options, other: Options) -> list[str]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def _options(section: Section) -> dict[str, tuple[str, ...]]:
    return _gathered(section.entries)


def _expected(section: SourceSection, lost: frozenset[Place]) -> Options:
    return _gathered((one.key, one.value) for one in section.entries if one.place not in lost or one.key == "name")


def _gathered(entries: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, value in entries:
        lower = key.lower()
        if lower not in _SCOPE:
            found[lower] = (*found.get(lower, ()), _words(value) if lower == "rule" else value)
    return found


def _words(rule: str) -> str:
    """However many spaces stand between its fields."""
    return '" "'.join(part.strip() for part in rule.split('"')[1::2]) if rule.count('"') >= 2 else rule  # noqa: PLR2004


def _service(got: Options, entries: Iterable[Entry], names: Names, lost: frozenset[Place]) -> Iterator[Remark]:
    last = {entry.key.lower(): entry for entry in entries}
    for key, entry in last.items():
        wanted = with_sets(entry.value, {**names.environment, **names.sets})
        ours = key in _BUFFER and got.get("storage.inherit") == ("on",)
        silenced = key == "log_level" and LOG_LEVEL_VARIABLE in names.environment
        if entry.place in lost or ours or silenced or got.get(key) == (wanted,):
            continue
        yield Remark(entry.place, entry.key, "after the import [SERVICE] says otherwise", _ADVICE, lost=True)
