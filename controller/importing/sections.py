"""Sections as they were read → sections that a route can say: what FireLens makes itself goes, the order that
counts stays, `@SET` and secrets are put right. Each keeps its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from controller.fluentbit.classic import Entry, Place, SectionKind, SourceSection
from controller.importing.matching import MATCHES, matched, named, with_emitted
from controller.importing.remarks import Remark
from controller.importing.values import Names, builds_variable, resolved, without_repeats

SOCKET = "/var/run/fluent.sock"
FORWARD_PORT, HEALTH_PORT = "24224", "8877"
HEALTH_TAG = "firelens-healthcheck"
STREAM_PREFIX = "firelens/"
_SAID_ONCE = frozenset({"name", "match", "match_regex", "alias", "tag", "log_level", "retry_limit", "host", "port"})
"""Options of which Fluent Bit takes the last, whatever the plugin (flb_output_set_property and its like)."""
_EXPRESSED = frozenset(
    {SectionKind.INPUT, SectionKind.FILTER, SectionKind.OUTPUT, SectionKind.PARSER, SectionKind.MULTILINE_PARSER}
)


@dataclass(slots=True)
class Sorted:
    """The sections by what becomes of them."""

    service: list[Entry] = field(default_factory=list)
    """Of all [SERVICE] sections; the last of a name counts."""
    sections: list[SourceSection] = field(default_factory=list)
    own_inputs: list[SourceSection] = field(default_factory=list)
    """Inputs that FireLens makes."""
    remarks: list[Remark] = field(default_factory=list)
    inputs: int = 0
    """How many inputs the engine has up to here."""
    told: set[Place] = field(default_factory=set)
    """Entries of [SERVICE] that are not what they were, as was said."""
    unsaid: list[tuple[SourceSection, str]] = field(default_factory=list)
    """What no spec can say, each with the reason."""


def agents_inputs(network: str) -> int:
    """How many inputs the agent writes before any of ours (firelensconfig_unix.go)."""
    return 1 if network in ("host", "none") else 3


def sort(sections: Iterable[SourceSection], names: Names, *, before: int) -> Sorted:
    """`before`: how many inputs the engine has before these."""
    found, some = Sorted(inputs=before), list(sections)
    for section in _with_quick_setup(some):
        if section.kind is SectionKind.SERVICE:
            found.service += _service(section)
        elif reason := _unsaid(section):
            found.unsaid.append((section, reason))
        elif section.kind is SectionKind.INPUT and _is_own_input(section):
            found.own_inputs.append(section)
            found.inputs += 1
        elif _is_health_output(section):
            found.remarks.append(Remark(section.place, "the null output", "FireLens makes it itself"))
        else:
            found.sections += _prepared(section, names, found)
    found.sections = with_emitted([_without_repeats(section, names) for section in found.sections])
    return found


def _without_repeats(section: SourceSection, names: Names) -> SourceSection:
    if not names.hidden:
        return section
    entries = tuple(replace(entry, value=without_repeats(entry.value, names)) for entry in section.entries)
    return replace(section, entries=entries)


def _with_quick_setup(sections: list[SourceSection]) -> Iterator[SourceSection]:
    """A lone output beside a lone input gets everything, without saying so (flb_router_io_set)."""
    inputs = [one for one in sections if one.kind is SectionKind.INPUT]
    outputs = [one for one in sections if one.kind is SectionKind.OUTPUT]
    quick = len(inputs) == len(outputs) == 1 and _is_own_input(inputs[0])
    for section in sections:
        if quick and section.kind is SectionKind.OUTPUT and not _says_match(section):
            yield replace(section, entries=(*section.entries, Entry("Match", "*", section.place)))
        else:
            yield section


def _says_match(section: SourceSection) -> bool:
    return any(section.last(key) is not None for key in MATCHES)


def _service(section: SourceSection) -> Iterator[Entry]:
    for index, entry in enumerate(section.entries):
        yield entry if index else replace(entry, comments=(*section.comments, *entry.comments))


def _unsaid(section: SourceSection) -> str | None:
    if section.kind is SectionKind.OTHER:
        return "Fluent Bit has no such section"
    if section.kind not in _EXPRESSED:
        return "a LogRoute has no such section"
    if section.groups:
        return "classic config as LogRoute writes it has no groups, such as processors"
    if section.kind not in (SectionKind.PARSER, SectionKind.MULTILINE_PARSER) and section.last("name") is None:
        return "it has no Name"
    if section.kind in (SectionKind.FILTER, SectionKind.OUTPUT) and not _says_match(section):
        return "it has no Match, so no records come to it"
    return None


def _is_own_input(section: SourceSection) -> bool:
    name = (section.last("name") or "").lower()
    if name == "forward":
        return section.last("unix_path") == SOCKET or _port(section, FORWARD_PORT)
    return name == "tcp" and _port(section, HEALTH_PORT)


def _port(section: SourceSection, port: str) -> bool:
    """24224 is what forward listens on unless told otherwise."""
    return (section.last("port") or FORWARD_PORT) == port and section.last("unix_path") is None


def _is_health_output(section: SourceSection) -> bool:
    return (
        section.kind is SectionKind.OUTPUT
        and (section.last("name") or "").lower() == "null"
        and section.last("match") == HEALTH_TAG
    )


def _prepared(section: SourceSection, names: Names, found: Sorted) -> Iterator[SourceSection]:
    kept = _once(section, found)
    if any(builds_variable(entry.value, names.sets) for entry in kept):
        found.unsaid.append((section, "an @SET in it makes a ${ that Fluent Bit leaves as it is"))
        return
    ready = named(replace(section, name=section.kind.value.upper(), entries=kept), {**names.environment, **names.sets})
    if ready is None:
        found.unsaid.append((section, "a variable in its tag, match or alias has no value that is known here"))
        return
    if section.kind in (SectionKind.INPUT, SectionKind.FILTER, SectionKind.OUTPUT):
        resolved_entries = tuple(replace(entry, value=resolved(entry, names)) for entry in ready.entries)
        ready = replace(ready, entries=resolved_entries)
    if section.kind is SectionKind.INPUT:
        ready = _tagged(ready, found)
    if section.kind in (SectionKind.FILTER, SectionKind.OUTPUT):
        ready = _completed(matched(ready), found)
    yield from _in_order(ready, found)


def _once(section: SourceSection, found: Sorted) -> tuple[Entry, ...]:
    """Options in lower case; of those that count once the last, as Fluent Bit takes them."""
    lowered = [replace(entry, key=entry.key.lower()) for entry in section.entries]
    last = {entry.key: entry for entry in lowered}
    kept = []
    for entry, written in zip(lowered, section.entries, strict=True):
        if entry.key in _SAID_ONCE and last[entry.key] is not entry:
            why = f"it stands there again at {last[entry.key].place}, and the last counts"
            found.remarks.append(Remark(entry.place, written.key, why))
            continue
        kept.append(entry)
    _say_cases(section, found)
    return tuple(kept)


def _say_cases(section: SourceSection, found: Sorted) -> None:
    spellings: dict[str, str] = {}
    for entry in section.entries:
        first = spellings.setdefault(entry.key.lower(), entry.key)
        if first != entry.key:
            why = "names ignore case: they are one option"
            found.remarks.append(Remark(entry.place, f"{first} and {entry.key}", why))


def _tagged(section: SourceSection, found: Sorted) -> SourceSection:
    """With the tag that Fluent Bit gives it: its name, and its number among all inputs (flb_input.c)."""
    name, number = (section.last("name") or "").lower(), found.inputs
    found.inputs += 1
    if section.last("tag") is not None:
        return section
    return replace(section, entries=(*section.entries, Entry("tag", f"{name}.{number}", section.place)))


def _completed(section: SourceSection, found: Sorted) -> SourceSection:
    """With what the plugin cannot start without, where a value can be made up that does no harm."""
    if section.kind is not SectionKind.OUTPUT or (section.last("name") or "").lower() != "cloudwatch_logs":
        return section
    if any(section.last(key) for key in ("log_stream_name", "log_stream_prefix")):
        return section
    why = f"Fluent Bit does not start without log_stream_name or log_stream_prefix; {STREAM_PREFIX} is written"
    found.remarks.append(Remark(section.place, "cloudwatch_logs", why, "choose a prefix of your own"))
    added = Entry("log_stream_prefix", STREAM_PREFIX, section.place)
    return replace(section, entries=(*section.entries, added))


def _in_order(section: SourceSection, found: Sorted) -> Iterator[SourceSection]:
    """`modify` does what it is told in the order of its lines; a mapping of lists keeps the order of names alone.
    So it is cut where the order would change.
    """
    if section.kind is not SectionKind.FILTER or (section.last("name") or "").lower() != "modify":
        yield section
        return
    runs = _runs(section)
    if len(runs) < 2:  # noqa: PLR2004 - one filter as it is
        yield section
        return
    if section.last("condition") is not None:
        why = "its rules and conditions depend on the order of its lines, and an option stands in one place alone"
        found.remarks.append(Remark(section.place, "the order of modify's rules", why, "check them", lost=True))
        yield section
        return
    common = tuple(entry for entry in section.entries if entry.key in _SAID_ONCE)
    why = f"the order of its lines counts, so {len(runs)} filters say it"
    found.remarks.append(Remark(section.place, "modify", why))
    for number, run in enumerate(runs):
        head = common if not number else tuple(replace(one, comments=()) for one in common if one.key != "alias")
        yield replace(section, entries=(*head, *run), comments=() if number else section.comments)


def _runs(section: SourceSection) -> list[list[Entry]]:
    """The rules, cut where an option comes back after others."""
    runs: list[list[Entry]] = [[]]
    for entry in section.entries:
        if entry.key in (*_SAID_ONCE, "condition"):
            continue
        if runs[-1] and runs[-1][-1].key != entry.key and any(one.key == entry.key for one in runs[-1]):
            runs.append([])
        runs[-1].append(entry)
    return runs
