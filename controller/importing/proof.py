"""The result proves itself: put into the plain definition it must give the sections that were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from controller.desired.compose import Installation, compose
from controller.desired.model import PIPELINE, ConfigStore, Desired
from controller.desired.render import LOG_LEVEL_VARIABLE
from controller.desired.sections import section
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.classic import Entry, Place, SectionKind, SourceSection, kind_of
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Section
from controller.fluentbit.words import lowered
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
Addition = tuple[str, str]
"""The kind of section, and an option in it or the name of a whole one."""


@dataclass(frozen=True, slots=True)
class Proof:
    differences: tuple[Remark, ...]
    additions: tuple[Addition, ...] = ()
    """What LogRoute puts into the config beside what the original, and so the route, says."""


def compose_alone(route: Route, plain: Body, region: str | None) -> Desired:
    """The route on the plain definition, as `inject` would put it. Raises Refusal."""
    family = str(plain["family"])
    subject = Subject(None, region or "us-east-1", "import", family, family, plain, {})
    return compose([route], subject, Installation("logroute", ConfigStore("configs", "logroute")))


def prove(route: Route, plain: Body, router: Body, found: Sorted, names: Names, lost: Iterable[Place]) -> Proof:
    """What is not as it was, but for what specs refused (`lost`, by place)."""
    try:
        desired = compose_alone(route, plain, names.region)
    except Refusal as error:
        return Proof((Remark(in_definition(), "the route on this task", str(error), "change the class", lost=True),))
    rendered, router_made = _rendered(desired)
    if router_made is None:
        return Proof(())
    gone = frozenset(lost)
    service = next(iter(rendered[SectionKind.SERVICE]), {})
    additions = list(_beyond("service", service, {entry.key.lower(): () for entry in found.service}))
    remarks = [*_service(service, found.service, names, gone), *_container(router_made, router, gone)]
    for kind, stated in _stated(route).items():
        wanted = [one for one in found.sections if one.kind is kind and one.place not in gone]
        remarks += _otherwise(kind, wanted, stated, gone)
        beside, held = _beside(kind, rendered[kind], stated)
        additions += beside
        if not held:
            remarks.append(Remark(in_definition(), f"[{kind.upper()}]", "composed it is another", _ADVICE, lost=True))
    return Proof(tuple(remarks), tuple(dict.fromkeys(additions)))


def _rendered(desired: Desired) -> tuple[Mapping[SectionKind, list[Options]], Body | None]:
    found: dict[SectionKind, list[Options]] = {kind: [] for kind in SectionKind}
    for config in sorted(desired.configs, key=lambda one: one.name != PIPELINE):
        for one in from_classic(config.body).sections:
            found[kind_of(one.name)].append(_options(one))
    return found, desired.overlay.router if desired.overlay else None


def _container(made: Body, read: Body, lost: frozenset[Place]) -> Iterator[Remark]:
    """The fields of the router that the class takes as they are."""
    place = in_definition(str(read["name"]))
    if place in lost:
        return
    for key, value in canonical.container(read, "").items():
        if key not in _MADE and canonical.container(made, "").get(key) != value:
            yield Remark(place, key, "after the import the router's is another", _ADVICE, lost=True)


def _otherwise(
    kind: SectionKind, read: Sequence[SourceSection], stated: Sequence[Options], lost: frozenset[Place]
) -> Iterator[Remark]:
    """The route must state what was read, no more and no less."""
    if not read and kind is SectionKind.OUTPUT:
        return  # `null` stands there, and was said
    for wanted, options in zip_longest(read, stated):
        if wanted is None:
            yield Remark(in_definition(), f"[{kind.upper()}]", "the result has one more", _ADVICE, lost=True)
        elif differing := _differing(_expected(wanted, lost), options or {}):
            why = f"after the import it differs in {', '.join(differing)}"
            yield Remark(wanted.place, f"[{kind.upper()}]", why, _ADVICE, lost=True)


def _stated(route: Route) -> dict[SectionKind, list[Options]]:
    pipeline = route.document.spec.pipeline
    parsers = [_with_rules(lowered(one)) for one in pipeline.multiline_parsers]
    lists: dict[SectionKind, Iterable[Mapping[str, Any]]] = {
        SectionKind.INPUT: route.inputs,
        SectionKind.FILTER: route.filters,
        SectionKind.OUTPUT: route.outputs,
        SectionKind.PARSER: pipeline.parsers,
        SectionKind.MULTILINE_PARSER: parsers,
    }
    return {kind: [_options(section(kind, one)) for one in some] for kind, some in lists.items()}


def _with_rules(parser: Mapping[str, Any]) -> Mapping[str, Any]:
    rules = [f'"{one["state"]}" "{one["regex"]}" "{one["next_state"]}"' for one in parser.get("rules", ())]
    rest = {key: value for key, value in parser.items() if key != "rules"}
    return {**rest, "rule": rules} if rules else rest


def _beside(kind: str, rendered: Iterable[Options], stated: Sequence[Options]) -> tuple[list[Addition], bool]:
    """What the config has beside the stated sections, and whether it holds each of these, in their order."""
    left, additions = list(stated), list[Addition]()
    for one in rendered:
        held = left.pop(0) if left and left[0].items() <= one.items() else {}
        additions += _beyond(kind, one, held)
    return additions, not left


def _beyond(kind: str, rendered: Options, stated: Options) -> Iterator[Addition]:
    """Options that are not stated; of a whole section its name."""
    if "name" in rendered and not stated:
        yield kind, rendered["name"][0]
        return
    yield from ((kind, key) for key in rendered if key not in stated)


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
