"""`Match` and `Match_Regex` of a hand-made section, as a route says the same.

Fluent Bit tries a regex from the start of the tag on (onig_match), then the pattern, and takes either
(flb_router.c).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from controller.fluentbit.classic import Entry, SectionKind, SourceSection
from controller.fluentbit.flow import emits_anew, emitted, sees_all
from controller.fluentbit.tags import check_name, regex_trouble
from controller.importing.values import expansions, with_sets

MATCHES = frozenset({"match", "match_regex"})
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
    return entry.value if entry.key == "match_regex" else f"{_glob(entry.value)}$"


def _glob(text: str) -> str:
    return "".join(".*" if part == "*" else _literal(part) for part in re.split(r"(\*)", text))


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)


def _anchored(regex: str) -> str:
    bare = regex if regex.startswith("^") else f"^{regex}"
    if (regex_trouble(bare) or "").startswith("must not have an alternative"):
        return f"^(?:{regex})"
    return bare


def with_emitted(sections: Sequence[SourceSection]) -> list[SourceSection]:
    """A filter that emits records anew and says no match takes each of the route's records once, and nothing that
    the route's rewrite_tags made. Where it took what others made, a regex says so: a multiline filter takes all, a
    rewrite_tag all but what such as itself made. That Fluent Bit 5.1 refuses, or it would go round for ever.
    """
    options = [_options(section) for section in sections]
    everything = {*emitted(options)}
    unlimited = {tag for tag in emitted(filter(sees_all, options)) if tag.strip("*")}
    return [
        _taking(section, unlimited if emitted([one]) else set(), everything)
        if emits_anew(one) and sees_all(one)
        else section
        for section, one in zip(sections, options, strict=True)
    ]


def _taking(section: SourceSection, untaken: AbstractSet[str], made: AbstractSet[str]) -> SourceSection:
    if made <= untaken:
        return section
    but = "|".join(_glob(tag) for tag in sorted(untaken))
    entry = Entry("match_regex", f"^(?!(?:{but})$)." if but else "^.", section.place)
    return replace(section, entries=(section.entries[0], entry, *section.entries[1:]))


def _options(section: SourceSection) -> Mapping[str, object]:
    """Of a filter, as far as they tell where records lead."""
    if section.kind is not SectionKind.FILTER:
        return {}
    said = {entry.key: entry.value for entry in section.entries}
    return {**said, "rule": [entry.value for entry in section.of("rule")]} if "rule" in said else said
