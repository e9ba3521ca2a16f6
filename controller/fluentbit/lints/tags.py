"""Lints of match patterns: sections that no record of the route can reach, and records that reach no output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.flow import new_tag, rules_of
from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.lint import Lint, Options, plugin, text
from controller.fluentbit.lints.records import Source, matches_all, may_see
from controller.fluentbit.splitting import tokens
from controller.fluentbit.words import listed, shown

OUTPUT_UNREACHABLE = Lint(
    "OUTPUT_UNREACHABLE",
    Severity.ERROR,
    "An output whose `match` or `match_regex` no record of the route can have: neither a container's "
    "`<container>-firelens-<task id>`, nor an input's tag, nor a tag that `rewrite_tag` makes.",
    "Nothing ever arrives there, and Fluent Bit says nothing. The classic slip is `app.*`: FireLens tags have no dot.",
    "leave match out for all records of the route, or write it like app-firelens-*",
)
FILTER_UNREACHABLE = Lint(
    "FILTER_UNREACHABLE",
    Severity.WARNING,
    "A filter whose `match` or `match_regex` no record of the route can have.",
    "It does nothing: what it should remove, mask or join goes out as it is.",
    "leave match out for all records of the route, or write it like app-firelens-*",
)
ROUTE_DROPS = Lint(
    "ROUTE_DROPS",
    Severity.WARNING,
    "Records of the route that no output takes, for every output has a narrower `match`: those of a container or an "
    "input, or a tag that `rewrite_tag` makes.",
    "Fluent Bit drops what matches no output, and says nothing.",
    "add an output that matches them; send them to the output null if that is meant",
)

_MOST_PAIRS = 2000
"""Sections times sources that are compared; no route that somebody wrote by hand has more."""
_KEEP = 3
"""The fourth word of a rule: whether the record stays under its old tag, too."""


def lint_tags(given: Given) -> Iterator[Finding]:
    filters = [(at, options) for at, options in enumerate(given.filters) if not matches_all(options)]
    sinks = [sink for sink in given.sinks if not matches_all(sink.options)]
    if not filters and not sinks:
        return
    known = given.sources
    if (len(filters) + len(sinks)) * len(known) > _MOST_PAIRS:
        return
    for at, options in filters:
        if not _reached(options, known):
            message = f"no record of this route has a tag like {_pattern(options)}: the filter does nothing"
            yield FILTER_UNREACHABLE.at(("filters", at, _option(options)), message, _hint(known))
    lost = [sink for sink in sinks if not _reached(sink.options, known)]
    for sink in lost:
        message = f"no record of this route has a tag like {_pattern(sink.options)}: nothing arrives here"
        yield OUTPUT_UNREACHABLE.at(sink.at(_option(sink.options)), sink.told(message), _hint(known))
    if given.complete and not lost and len(sinks) == len(given.sinks):
        yield from _drops(given, sinks, known)


def _reached(options: Options, known: Sequence[Source]) -> bool:
    return any(may_see(options, source) for source in known)


def _drops(given: Given, sinks: Sequence[Sink], known: Sequence[Source]) -> Iterator[Finding]:
    dropped = [
        source.what
        for source in known
        if not any(may_see(sink.options, source) for sink in sinks) and not _moves_on(source, given.filters)
    ]
    if dropped:
        yield ROUTE_DROPS.at(("outputs",), f"no output takes the records of {listed(dropped)}", key=True)


def _moves_on(source: Source, filters: Sequence[Options]) -> bool:
    """Whether a `rewrite_tag` gives some of the records another tag only: then the rest may be meant to go."""
    return any(
        plugin(options) == "rewrite_tag" and may_see(options, source) and any(map(_moves, rules_of(options)))
        for options in filters
    )


def _moves(rule: str) -> bool:
    words = tokens(rule, 0) or []
    return new_tag(rule) is not None and (len(words) <= _KEEP or words[_KEEP].lower() not in ("true", "on", "yes"))


def _option(options: Options) -> str:
    return "match_regex" if "match_regex" in options else "match"


def _pattern(options: Options) -> str:
    return shown(text(options, _option(options)))


def _hint(known: Sequence[Source]) -> str:
    tags = listed((shown(one.glob) for one in known), 4)
    return f"leave match out for all records of the route; the tags here are {tags}"
