"""Lints of filters that send records through the pipeline again. What each does was seen on 1.9.10, 5.0.9 and 5.1.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.flow import new_tag, rules_of
from controller.fluentbit.lints.given import Given
from controller.fluentbit.lints.lint import Lint, Options, plugin, text
from controller.fluentbit.lints.records import Source, renamed, sees, share
from controller.fluentbit.words import listed, shown

REWRITE_LOOP = Lint(
    "REWRITE_LOOP",
    Severity.ERROR,
    "`rewrite_tag` filters that lead records back to themselves or to each other: a new tag that the filter's own "
    "`match` takes, or two and more whose new tags lead in a circle. A filter without `match` takes each record once, "
    "and none that has a new tag.",
    "What a filter emits starts at the top of the pipeline again. The records go round for ever, none reaches an "
    "output, and the router spins or grows until it is killed. Fluent Bit 5.1 refuses what a filter sends to itself, "
    "but no longer circles.",
    "leave match out, or give each rewrite_tag one that takes no new tag, such as app-firelens-* with errors.app",
)
MULTILINE_TWICE = Lint(
    "MULTILINE_TWICE",
    Severity.ERROR,
    "Two `multiline` filters with parsers that can see the same records.",
    "Each joins lines and sends them through the pipeline again, where the other takes them: they go round for ever "
    "and reach no output.",
    "write one filter, with all parsers in its list: multiline.parser: go, java",
)
MULTILINE_PARTIAL_WITH_PARSER = Lint(
    "MULTILINE_PARTIAL_WITH_PARSER",
    Severity.WARNING,
    "`mode: partial_message` after a `multiline` filter with parsers, or `multiline.parser` in the same filter.",
    "Docker cuts lines at 16 KB. A parser before the join sees the pieces and breaks or swallows them; in the filter "
    "itself the parsers are not used at all.",
    "put the filter with mode: partial_message first, and the one with the parsers after it",
)
MULTILINE_NOT_FIRST = Lint(
    "MULTILINE_NOT_FIRST",
    Severity.WARNING,
    "A `multiline` filter after another filter that sees the same records.",
    "Joined lines pass all filters from the first again: what was added is added twice, what counts counts twice, and "
    "a grep before the join drops the lines that only belong to a match.",
    "move the multiline filter to the top",
)

_BEFORE = frozenset({"multiline", "rewrite_tag"})
"""May stand before a multiline filter: they are told otherwise, or lead records there."""
_MOST_FILTERS, _MOST_RULES = 40, 60
"""Filters of a kind, and rules of them all, whose ways are followed."""
_SELF_REFUSED = "5.1"


def lint_rewrites(given: Given) -> Iterator[Finding]:
    rewrites = {at: one for at, one in enumerate(given.filters) if plugin(one) == "rewrite_tag"}
    if (
        not rewrites
        or len(rewrites) > _MOST_FILTERS
        or sum(len(rules_of(one)) for one in rewrites.values()) > _MOST_RULES
    ):
        return
    known = [one for one in given.sources if not one.vague]
    ways = {at: _leads_to(at, rewrites, known, itself=given.engine != _SELF_REFUSED) for at in rewrites}
    told: set[int] = set()
    for at, options in rewrites.items():
        if at not in told and (circle := _circle(at, ways)):
            told |= circle
            path, tag = _rule_into(at, options, [rewrites[one] for one in circle], known)
            yield REWRITE_LOOP.at(path, _round(circle, tag))


def lint_multiline(given: Given) -> Iterator[Finding]:
    known: tuple[Source, ...] | None = None
    before: list[tuple[int, Options]] = []
    for at, options in enumerate(given.filters):
        if plugin(options) == "multiline" and len(before) < _MOST_FILTERS:
            known = given.sources if known is None else known
            seen = [(earlier, one) for earlier, one in before if share(one, options, known)]
            yield from _joining(at, options, seen)
        before.append((at, options))


def _joining(at: int, options: Options, seen: Sequence[tuple[int, Options]]) -> Iterator[Finding]:
    parsing = [earlier for earlier, one in seen if plugin(one) == "multiline" and not _partial(one)]
    if _partial(options):
        if "multiline.parser" in options:
            message = "mode partial_message joins by Docker's marks alone: the parsers are not used"
            yield MULTILINE_PARTIAL_WITH_PARSER.at(("filters", at, "multiline.parser"), message)
        elif parsing:
            message = (
                f"the parsers of filter {parsing[0] + 1} get the pieces of long lines before this filter joins them"
            )
            yield MULTILINE_PARTIAL_WITH_PARSER.at(("filters", at, "mode"), message)
    elif parsing:
        message = f"this filter and filter {parsing[0] + 1} send records to each other for ever"
        yield MULTILINE_TWICE.at(("filters", at, "name"), message)
    if others := [f"{earlier + 1} ({shown(plugin(one))})" for earlier, one in seen if plugin(one) not in _BEFORE]:
        message = f"joined lines pass filter {listed(others, 3)} a second time"
        yield MULTILINE_NOT_FIRST.at(("filters", at, "name"), message)


def _partial(options: Options) -> bool:
    return text(options, "mode").lower() == "partial_message"


def _leads_to(at: int, rewrites: Mapping[int, Options], known: Sequence[Source], *, itself: bool) -> frozenset[int]:
    tags = _made(rewrites[at], known)
    return frozenset(
        other
        for other, options in rewrites.items()
        if (itself or other != at) and any(sees(options, tag) for tag in tags)
    )


def _made(options: Options, known: Sequence[Source]) -> list[Source]:
    """The tags that a filter makes of the tags that it sees."""
    return [one for rule in rules_of(options) if (tag := new_tag(rule)) for one in renamed(tag, options, known)]


def _circle(start: int, ways: Mapping[int, frozenset[int]]) -> set[int] | None:
    """The filters on a way from `start` back to it."""

    @cache
    def reached(at: int) -> frozenset[int]:
        found: set[int] = set()
        ahead = set(ways[at])
        while ahead:
            found.add(one := ahead.pop())
            ahead |= ways[one] - found
        return frozenset(found)

    there = reached(start)
    return {one for one in there if start in reached(one)} if start in there else None


def _rule_into(
    at: int, options: Options, circle: Sequence[Options], known: Sequence[Source]
) -> tuple[tuple[str | int, ...], str]:
    """The rule that leads into the circle, and its new tag."""
    for number, rule in enumerate(rules_of(options)):
        tag = new_tag(rule)
        if tag and any(sees(one, new) for new in renamed(tag, options, known) for one in circle):
            listed_rules = isinstance(options.get("rule"), list | tuple)
            return ("filters", at, "rule", number) if listed_rules else ("filters", at, "rule"), tag
    return ("filters", at, "name"), ""


def _round(circle: set[int], tag: str) -> str:
    if len(circle) == 1:
        return f"the filter takes what it tags {shown(tag)} itself: records go round for ever"
    some = listed((str(one + 1) for one in sorted(circle)), 5)
    return f"filters {some} lead records back to each other: they go round for ever"
