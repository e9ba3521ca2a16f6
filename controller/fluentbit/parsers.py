"""Who uses which parser by name, and the parsers that need no definition.

A parser that nobody defines stops Fluent Bit, and so do two of one name (flb_parser.c). AWS's image holds Fluent
Bit's own parsers.conf, which nothing loads by itself; so its parsers are defined here, and written out where used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import orjson

from controller.api.kinds import Pipeline
from controller.fluentbit.findings import Finding, Path, error
from controller.fluentbit.tags import PARSER_NAME
from controller.fluentbit.words import listed, lowered, nearest, shown

_SINGLE = re.compile(r"parser(?:_firstline|_\d+)?|docker_mode_parser|merge_parser")
"""Options that name one parser: in_tail, in_syslog, in_tcp, in_udp, filter_parser, filter_kubernetes."""
MULTILINE_OPTION = "multiline.parser"
_ENGINES_OWN = frozenset({"cri", "docker", "go", "java", "python", "ruby"})
"""Multiline parsers that are compiled in (flb_ml_parser_builtin_create)."""
_USE_NONE = frozenset({"grep", "modify", "record_modifier", "nest", "rewrite_tag", "lua", "throttle"})
_NO_RUBY = "1.9.10"
_SYSLOG_DEFAULTS = ("syslog-rfc5424", "syslog-rfc3164-local")
"""What in_syslog looks for where it is given no parser: over the network, and on a socket (syslog_conf.c)."""

Rename = Callable[[str], str]
Options = Mapping[str, Any]


@cache
def image_parsers() -> Mapping[str, Options]:
    """Name → options: Fluent Bit's conf/parsers.conf (Apache-2.0), as AWS's image has it in /fluent-bit/parsers."""
    data = resources.files("controller.fluentbit").joinpath("data", "parsers.json").read_bytes()
    return orjson.loads(data)  # type: ignore[no-any-return]


def parsers_used(section: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where an input or filter, its option names in lower case, names which parser. Multiline ones are apart."""
    if "parser" in "".join(section):  # most name none, and are left at one look
        for key, value in section.items():
            if "parser" in key and _SINGLE.fullmatch(key):
                yield from _named(key, value)
    if str(section.get("name")).lower() == "syslog" and "parser" not in section:
        network = str(section.get("mode", "")).lower() in ("tcp", "udp")
        yield ("name",), _SYSLOG_DEFAULTS[0 if network else 1]


def multiline_used(section: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path, names in _named(MULTILINE_OPTION, section.get(MULTILINE_OPTION, ())):
        yield from ((path, name) for one in names.split(",") if (name := one.strip()))


def _named(key: str, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield (key,), value
    elif isinstance(value, list | tuple):
        yield from (((key, at), one) for at, one in enumerate(value) if isinstance(one, str))


def renamed(section: Options, rename: Rename, rename_multiline: Rename) -> Options:
    """The section, its option names in lower case, with other names for the parsers that it uses."""
    if not any("parser" in key for key in section):
        return section
    changed = dict(section)
    for key, value in section.items():
        if key == MULTILINE_OPTION:
            changed[key] = _each(value, lambda text: ",".join(rename_multiline(one.strip()) for one in text.split(",")))
        elif _SINGLE.fullmatch(key):
            changed[key] = _each(value, rename)
    return changed


def _each(value: Any, rename: Rename) -> Any:
    return [rename(one) for one in value] if isinstance(value, list | tuple) else rename(value)


def check_parsers_used(
    pipeline: Pipeline, inputs: Sequence[Options], filters: Sequence[Options], engine: str, *, has_file: bool
) -> Iterator[Finding]:
    """Parsers that nobody defines. With a `parsers_file` in the service any name may be there.

    `inputs` and `filters` are the pipeline's, with option names in lower case; paths start at the pipeline.
    """
    using = [("filters", at, one) for at, one in enumerate(filters) if str(one.get("name")) not in _USE_NONE]
    using += [("inputs", at, one) for at, one in enumerate(inputs)]
    if has_file or not (using or pipeline.multiline_parsers):
        return
    single = image_parsers().keys() | {str(lowered(one).get("name")) for one in pipeline.parsers}
    multiline = _ENGINES_OWN - {"ruby"} if engine == _NO_RUBY else _ENGINES_OWN
    multiline |= {str(lowered(one).get("name")) for one in pipeline.multiline_parsers}
    for where, at, section in using:
        for one in _unknown(multiline_used(section), multiline, "multiline parser"):
            yield one.below(where, at)
    using += [("multiline_parsers", at, lowered(one)) for at, one in enumerate(pipeline.multiline_parsers)]
    for where, at, section in using:
        for one in _unknown(parsers_used(section), single, "parser"):
            yield one.below(where, at)


def _unknown(used: Iterator[tuple[Path, str]], known: Collection[str], what: str) -> Iterator[Finding]:
    for path, name in used:
        if name in known or "${" in name:
            continue
        near = nearest(name, filter(PARSER_NAME.fullmatch, known))
        hint = (
            f'did you mean "{near}"?'
            if near
            else f"define it in the pipeline, or use one of {listed(sorted(filter(PARSER_NAME.fullmatch, known)))}"
        )
        yield error(path, "UNKNOWN_PARSER", f"nobody defines the {what} {shown(name)}: Fluent Bit would stop", hint)
