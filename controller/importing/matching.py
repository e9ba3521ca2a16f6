"""`Match` and `Match_Regex` of a hand-made section, as a route says the same.

Fluent Bit tries a regex from the start of the tag on (onig_match), then the pattern, and takes either
(flb_router.c).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from controller.fluentbit.classic import Entry, SectionKind, SourceSection
from controller.fluentbit.tags import check_name, regex_trouble
from controller.importing.remarks import Remark
from controller.importing.values import expansions, with_sets

MATCHES = frozenset({"match", "match_regex"})
_WORD = re.compile(r'"[^"]*"|\S+')
_ACCESSOR = re.compile(r"\$\{[^}]*\}|\$[A-Za-z0-9_]+(?:\[[^\]]*\])*")
_SAME_TAG = re.compile(r"\$TAG(?![\[\w])|\$TAG\[0\]")
"""FireLens tags have no dots, so that the first part of one is all of it."""
_EMITTERS = frozenset({"rewrite_tag", "multiline"})
NAMED = frozenset({*MATCHES, "tag", "alias"})
"""Options that tell records and sections apart: no variables may stand there."""


def named(section: SourceSection, environment: Mapping[str, str]) -> SourceSection | None:
    """The section with the values of its variables in its names; None where one of them is not known."""
    entries = []
    for entry in section.entries:
        value = with_sets(entry.value, environment) if entry.key in NAMED else entry.value
        if entry.key in NAMED and list(expansions(value)):
            return None
        entries.append(replace(entry, value=value))
    return replace(section, entries=tuple(entries))


def matched(section: SourceSection) -> SourceSection:
    """The section with one match, or none where it matches everything."""
    ours = [entry for entry in section.entries if entry.key in MATCHES]
    rest = tuple(entry for entry in section.entries if entry.key not in MATCHES)
    if any(entry.key == "match" and not entry.value.strip("*") for entry in ours):
        comments = tuple(text for entry in ours for text in entry.comments)
        return replace(section, entries=rest, comments=(*section.comments, *comments))
    if not ours:
        return section
    first = section.entries.index(ours[0])
    return replace(section, entries=(*rest[:first], _one(ours), *rest[first:]))


def _one(entries: Sequence[Entry]) -> Entry:
    comments = tuple(text for entry in entries for text in entry.comments)
    if len(entries) > 1:
        either = "|".join(_regex(entry) for entry in entries)
        return replace(entries[0], key="match_regex", value=f"^(?:{either})", comments=comments)
    [entry] = entries
    if entry.key == "match_regex":
        return replace(entry, value=_anchored(entry.value))
    if check_name("match", entry.value):  # more than a pattern of LogRoute's may hold
        return replace(entry, key="match_regex", value=f"^{_regex(entry)}")
    return entry


def _regex(entry: Entry) -> str:
    if entry.key == "match_regex":
        return entry.value
    return "".join(".*" if part == "*" else _literal(part) for part in re.split(r"(\*)", entry.value)) + "$"


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)


def _anchored(regex: str) -> str:
    bare = regex if regex.startswith("^") else f"^{regex}"
    if (regex_trouble(bare) or "").startswith("must not have an alternative"):
        return f"^(?:{regex})"
    return bare


def reaching(sections: Iterable[SourceSection]) -> tuple[list[SourceSection], list[Remark]]:
    """A route's `*` means its own tags; those that rewrite_tag makes up are matched by copies of a section."""
    found, remarks, some = list[SourceSection](), list[Remark](), list(sections)
    made = [tag for section in some for tag in _made_tags(section)]
    for section in some:
        found.append(section)
        if not made or section.kind not in _MATCHING or any(section.last(key) for key in MATCHES):
            continue
        name = (section.last("name") or "").lower()
        copies = [] if name in _EMITTERS else [tag for tag in dict.fromkeys(made) if tag.strip("*")]
        found += [_copy(section, tag) for tag in copies]
        remarks += [_said(section, tag, copied=tag in copies) for tag in dict.fromkeys(made)]
    return found, remarks


_MATCHING = frozenset({SectionKind.FILTER, SectionKind.OUTPUT})


def _made_tags(section: SourceSection) -> Iterator[str]:
    """Patterns of the tags that its rules make (`rule $KEY REGEX NEW_TAG KEEP`) and FireLens's patterns miss."""
    if section.kind is not SectionKind.FILTER or (section.last("name") or "").lower() != "rewrite_tag":
        return
    for rule in section.of("rule"):
        words = _WORD.findall(rule.value)
        if len(words) > _NEW_TAG and not _SAME_TAG.search(words[_NEW_TAG]):
            yield re.sub(r"\*+", "*", _ACCESSOR.sub("*", words[_NEW_TAG].strip('"')))


_NEW_TAG = 2


def _copy(section: SourceSection, tag: str) -> SourceSection:
    kept = tuple(replace(entry, comments=()) for entry in section.entries if entry.key != "alias")
    return matched(replace(section, entries=(*kept, Entry("match", tag, section.place)), comments=()))


def _said(section: SourceSection, tag: str, *, copied: bool) -> Remark:
    what = f"Match * of {section.last('name')}"
    why = f"a route's * does not reach {tag}, which a rewrite_tag makes"
    advice = f"a second {section.kind} does" if copied else f"match {tag} somewhere, should it have to"
    return Remark(section.place, what, why, advice, lost=not copied)
