"""The LogRoute document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.api.kinds import API_VERSION
from controller.fluentbit.classic import Entry, SectionKind, SourceSection
from controller.importing.gather import PARSER_KINDS
from controller.importing.remarks import Remark
from controller.importing.sections import Sorted
from controller.importing.tree import Element, Field, List, Map, Value, from_plain
from controller.importing.values import Names, without_secrets

_LISTS = {
    SectionKind.PARSER: "parsers",
    SectionKind.MULTILINE_PARSER: "multiline_parsers",
    SectionKind.INPUT: "inputs",
    SectionKind.FILTER: "filters",
    SectionKind.OUTPUT: "outputs",
}
_FIELD = re.compile(r'"((?:\\"|[^"])*)"|(\S+)')
_ALIAS = re.compile(r"[^a-z0-9_.-]")
NOWHERE = "null"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where the route is for, and what it is called."""

    name: str
    namespace: str
    cluster: str
    service: str
    containers: tuple[str, ...]


def dns_label(text: str) -> str:
    """`text` as a name of a document; `route` where nothing of it can stay."""
    label = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")
    return label or "route"


def route(identity: Identity, found: Sorted, names: Names, comments: Sequence[str]) -> Map:
    metadata = Map((Field("name", identity.name), Field("namespace", identity.namespace)))
    target = {"cluster": identity.cluster, "services": [identity.service], "containers": list(identity.containers)}
    spec = [
        Field("target", from_plain(target)),
        Field("routerClass", identity.name),
        Field("pipeline", _pipeline(found, names)),
    ]
    if names.secrets:
        spec.append(Field("secrets", from_plain(names.secrets)))
    return Map(
        (
            Field("apiVersion", API_VERSION),
            Field("kind", "LogRoute"),
            Field("metadata", metadata),
            Field("spec", Map(tuple(spec), tail=without_secrets(comments, names))),
        )
    )


def _pipeline(found: Sorted, names: Names) -> Map:
    lists: dict[str, list[Element]] = {name: [] for name in _LISTS.values()}
    aliases: dict[SectionKind, set[str]] = {kind: set() for kind in _LISTS}
    for section in found.sections:
        lists[_LISTS[section.kind]].append(_element(section, names, aliases[section.kind], found.remarks))
    if not lists["outputs"]:
        comment = ("No output takes the logs, so Fluent Bit throws them away: say here where they shall go.",)
        lists["outputs"].append(Element(Map((Field("name", NOWHERE),)), comment))
    return Map(tuple(Field(name, List(tuple(elements))) for name, elements in lists.items() if elements))


def _element(section: SourceSection, names: Names, aliases: set[str], remarks: list[Remark]) -> Element:
    fields = [_field(key, entries, names) for key, entries in _grouped(section.entries)]
    if section.kind not in PARSER_KINDS:
        fields = [_aliased(one, aliases, remarks) for one in fields]
    if section.kind is SectionKind.MULTILINE_PARSER:
        fields = [_rules(one, section) if one.key == "rule" else one for one in fields]
    named = sorted(fields, key=lambda one: one.key != "name")
    return Element(Map(tuple(named)), without_secrets(section.comments, names), section.place)


def _grouped(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """An option that stands several times, where it stands first."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.key.lower(), []).append(entry)
    return list(found.items())


def _field(key: str, entries: Sequence[Entry], names: Names) -> Field:
    if len(entries) == 1:
        [entry] = entries
        return Field(key, entry.value, without_secrets(entry.comments, names), entry.place)
    values = tuple(Element(one.value, without_secrets(one.comments, names), one.place) for one in entries)
    return Field(key, List(values), origin=entries[0].place)


def _aliased(one: Field, taken: set[str], remarks: list[Remark]) -> Field:
    """Aliases are names in the route: in lower case, each once."""
    if one.key != "alias" or not isinstance(one.value, str):
        return one
    alias = _ALIAS.sub("_", one.value.lower()).lstrip("_.-")[:60] or "output"
    number, chosen = 1, alias
    while chosen in taken:
        number += 1
        chosen = f"{alias}.{number}"
    taken.add(chosen)
    if chosen != one.value and one.origin:
        why = f"{chosen} is written: aliases are in lower case, and each stands once"
        remarks.append(Remark(one.origin, f"the alias {one.value}", why))
    return Field(one.key, chosen, one.comments, one.origin)


def _rules(one: Field, section: SourceSection) -> Field:
    """`rule "state" "/regex/" "next state"` (flb_slist_split_tokens); what is none is left as it is, to be told."""
    elements = one.value.elements if isinstance(one.value, List) else (Element(one.value, one.comments, one.origin),)
    rules = []
    for element in elements:
        words = [_unquoted(*found) for found in _FIELD.findall(str(element.value))]
        if len(words) != 3:  # noqa: PLR2004 - state, regex, next state
            return one
        value: Value = from_plain(dict(zip(("state", "regex", "next_state"), words, strict=True)), element.origin)
        rules.append(Element(value, element.comments, element.origin))
    return Field("rules", List(tuple(rules)), origin=section.place)


def _unquoted(quoted: str, bare: str) -> str:
    return bare or quoted.replace('\\"', '"')
