"""Which tags the records of a route can have, and which sections can see them.

Told for certain only: where a tag, a pattern or a regex is beyond what is followed here, it may be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from controller.fluentbit.flow import can_meet, emits_anew, glob_of, new_tag, rules_of
from controller.fluentbit.lints.lint import Options, plugin, text
from controller.fluentbit.words import shown

_SAMPLE_TASK = "3de392df6bfa470b97edaa6f482cd7a0"
_LONGEST, _MOST_STARS = 160, 9
"""Characters of two patterns together, and ways to pair their `*`, that are still compared."""
_OWN_TAGS = frozenset(
    [
        "elasticsearch",
        "event_type",
        "forward",
        "http",
        "kafka",
        "mqtt",
        "opentelemetry",
        "prometheus_remote_write",
        "splunk",
    ]
)
"""Inputs that take tags from what comes in: a URI, a topic, the sender."""
_TRIED = re.compile(r"\^(?:[A-Za-z0-9_-]|\\[.dw-]|\.|\[[A-Za-z0-9_.-]+\]|\((?:\?:)?|\)|\||\$|[*+?])*")
"""Regexes whose meaning Python's engine shares and that cannot keep it busy for long."""
_MOST_REPEATS = 3
_MOST_ROUNDS, _MOST_SOURCES = 8, 40
"""How often records are followed through the filters, and how many sorts of them."""
_REPEATED = re.compile(r"[*+?)][*+?]")
"""A repeated group, or a repeat of a repeat."""


@dataclass(frozen=True, slots=True)
class Source:
    """Some records of a route, by their tag as a glob."""

    glob: str
    what: str
    """For messages: `container "app"`, `the input "tcp"`."""
    sample: str = ""
    """A tag to try a regex with; none where one would not stand for all."""
    container: bool = False
    """`<container>-firelens-<task id>`: no dot in it."""
    vague: bool = False
    """There may be such records, and there may be none."""
    emitted: bool = False
    """A filter gives them this tag, and it can be told from the tags of containers."""


def sources(
    containers: Sequence[str], inputs: Iterable[tuple[str, Options]], filters: Sequence[Options]
) -> tuple[Source, ...]:
    """`containers` as globs of a target, none for all; each input with its tag."""
    globs = [one.replace("?", "*") for one in containers if not one.startswith("!")]
    found = [_of_container(one) for one in globs or ["*"]]
    found += [_of_input(tag, options) for tag, options in inputs]
    found += [made(tag, f"the tag {shown(tag)}") for tag in _metric_tags(filters)]
    return _with_emitted(filters, found)


def matches_all(options: Options) -> bool:
    return "match_regex" not in options and text(options, "match") in ("", "*", "**")


def may_see(options: Options, source: Source) -> bool:
    """Whether a filter or output may get records of `source`; so, too, where it cannot be told."""
    if matches_all(options):
        return not (source.emitted and emits_anew(options))  # rendered so that it takes each record once
    if regex := text(options, "match_regex"):
        return not source.sample or _fits(regex, source.sample) is not False
    return _pattern_meets(text(options, "match"), source)


def sees(options: Options, source: Source) -> bool:
    """The same, but not so where it cannot be told."""
    if regex := text(options, "match_regex"):
        return source.sample != "" and _fits(regex, source.sample) is True
    return may_see(options, source)


def share(one: Options, other: Options, among: Iterable[Source]) -> bool:
    """Whether two sections see the same records; not so where it cannot be told."""
    if "match" in one and "match" in other and not _meet(text(one, "match"), text(other, "match")):
        return False
    return any(sees(one, source) and sees(other, source) for source in among)


def made(tag: str, what: str = "") -> Source:
    """Records that a filter or input gives this tag."""
    return Source(tag, what, "" if "*" in tag else tag)


def renamed(tag: str, options: Options, known: Iterable[Source]) -> list[Source]:
    """What a new tag makes of the records that a filter sees: `$TAG.x` of a container's is `app-firelens-*.x`."""
    if "$TAG" not in tag or "$TAG[" in tag:
        return [replace(made(glob_of(tag), f"the tag {shown(tag)}"), emitted=_apart(tag))]
    return [_renamed(tag, one) for one in known if may_see(options, one)]


def _renamed(tag: str, old: Source) -> Source:
    sample = glob_of(tag.replace("$TAG", old.sample)) if old.sample else ""
    glob = glob_of(tag.replace("$TAG", old.glob))
    return Source(glob, f"the tag {shown(tag)}", "" if "*" in sample else sample, emitted=_apart(tag))


def _apart(tag: str) -> bool:
    """All but `$TAG` itself: what a record's key holds is no container's tag."""
    return "$TAG" not in tag or glob_of(tag).strip("*") != ""


def _with_emitted(filters: Sequence[Options], known: Iterable[Source]) -> tuple[Source, ...]:
    """`known`, and what the filters make of it, and of that. What has no end is told by a glob in the end."""
    rules = [(tag, options) for options in filters for rule in rules_of(options) if (tag := new_tag(rule))]
    vague = [Source(glob_of(tag), f"the tag {shown(tag)}", vague=True, emitted=_apart(tag)) for tag, _ in rules]
    found = dict.fromkeys(known)
    for _ in range(min(len(rules), _MOST_ROUNDS) + 1):
        before = tuple(found)
        for tag, options in rules[:_MOST_SOURCES]:
            if len(found) <= _MOST_SOURCES:
                found.update(dict.fromkeys(renamed(tag, options, before)))
        if len(found) == len(before):
            break
    else:
        return (*found, *vague)
    return tuple(found) if len(found) <= _MOST_SOURCES and len(rules) <= _MOST_SOURCES else (*found, *vague)


def _of_container(name: str) -> Source:
    sample = "" if "*" in name else f"{name}-firelens-{_SAMPLE_TASK}"
    return Source(f"{name}-firelens-*", f"container {shown(name)}", sample, container=True)


def _of_input(tag: str, options: Options) -> Source:
    name = plugin(options)
    own = name in _OWN_TAGS or "tag_key" in options or "tag_prefix" in options
    return made("*" if own else tag, f"the input {shown(name)}")


def _metric_tags(filters: Iterable[Options]) -> Iterator[str]:
    for options in filters:
        if plugin(options) == "log_to_metrics":
            yield text(options, "tag") or "*"


def _pattern_meets(pattern: str, source: Source) -> bool:
    if source.container and "." in pattern:
        return False
    return _meet(pattern, source.glob)


def _meet(one: str, other: str) -> bool:
    head, star, _ = one.partition("*")
    beside, other_star, _ = other.partition("*")
    if star and other_star and not (head.startswith(beside) or beside.startswith(head)):
        return False
    beyond = len(one) + len(other) > _LONGEST or one.count("*") * other.count("*") > _MOST_STARS
    return one == other or beyond or can_meet(one, other)


@lru_cache(maxsize=1024)
def _fits(regex: str, tag: str) -> bool | None:
    """None where trying it would be too dear, or where Python may read it otherwise than Onigmo."""
    repeats = sum(regex.count(char) for char in "*+?") - regex.count("(?:")
    if not _TRIED.fullmatch(regex) or repeats > _MOST_REPEATS or _REPEATED.search(regex):
        return None
    try:
        return re.match(regex, tag) is not None
    except re.error:
        return None
