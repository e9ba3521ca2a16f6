"""The lint of outputs that send one key of a record, which a filter took away before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.lint import Lint, Options, plugin, text, texts
from controller.fluentbit.lints.records import matches_all
from controller.fluentbit.splitting import tokens
from controller.fluentbit.types import is_true
from controller.fluentbit.words import shown

LOG_KEY_GONE = Lint(
    "LOG_KEY_GONE",
    Severity.WARNING,
    "A `log_key` that names a key which a `parser`, `modify`, `record_modifier` or `nest` filter took from the "
    "records before.",
    "An output that shall send one key and does not find it sends nothing of that record.",
    "leave log_key out to send the whole record, or name a key that is still there",
)

TAKING = frozenset({"modify", "nest", "parser", "record_modifier"})
_LEAVING = frozenset({"aws", "ecs", "grep", "multiline", "rewrite_tag", "stdout", "sysinfo", "throttle"})
"""Filters that neither take keys away nor add unknown ones. Any other may bring the key back."""
_CAPTURE = re.compile(r"\(\?<([A-Za-z_]\w*)>")


def lint_log_keys(given: Given) -> Iterator[Finding]:
    if not any(plugin(one) in TAKING for one in given.filters):
        return
    for sink in given.sinks:
        key = text(sink.options, "log_key")
        if key and not key.startswith("$") and (taker := _taker(key, given, sink)) is not None:
            name = plugin(given.filters[taker])
            message = f"log_key: filter {taker + 1} ({name}) has taken {shown(key)} from the records"
            yield LOG_KEY_GONE.at(sink.at("log_key"), sink.told(message))


def _taker(key: str, given: Given, sink: Sink) -> int | None:
    """The filter that took the key from all records that the output gets."""
    taker = None
    for at, options in enumerate(given.filters):
        name = plugin(options)
        if name in _LEAVING:
            continue
        everything = matches_all(options) or text(options, "match") == text(sink.options, "match") != ""
        if name not in TAKING or _may_add(name, key, options, given):
            taker = None
        elif everything and taker is None and _takes(name, key, options):
            taker = at
    return taker


def _may_add(name: str, key: str, options: Options, given: Given) -> bool:
    if name == "modify":
        added = (_word(one, 0) for option in ("add", "set") for one in texts(options, option))
        moved = ("rename", "hard_rename", "copy", "hard_copy")
        return key in added or any(_word(one, 1) == key for option in moved for one in texts(options, option))
    if name == "record_modifier":
        return any(_word(one, 0) == key for one in texts(options, "record"))
    if name == "nest":
        return text(options, "operation").lower() != "nest" or text(options, "nest_under") == key
    return any(_may_find(parser, key, given) for parser in texts(options, "parser"))


def _may_find(parser: str, key: str, given: Given) -> bool:
    """A regex finds what it names. JSON and the like may hold any key, but hardly the one that they stood in."""
    options = (given.parsers or {}).get(parser)
    if options is None:
        return True
    if text(options, "format").lower() != "regex":
        return key != "log"
    return key in _CAPTURE.findall(text(options, "regex"))


def _takes(name: str, key: str, options: Options) -> bool:
    if name == "parser":
        if text(options, "key_name") == key:
            return not is_true(text(options, "preserve_key"))
        return not is_true(text(options, "reserve_data"))
    if name == "nest":
        return any(_glob_takes(one, key) for one in texts(options, "wildcard"))
    if name == "record_modifier":
        return _modifier_takes(key, options)
    if "condition" in options:
        return False
    gone = {*texts(options, "remove")}
    gone |= {_word(one, 0) for option in ("rename", "hard_rename") for one in texts(options, option)}
    return key in gone or any(one and key.startswith(one) for one in texts(options, "remove_wildcard"))


def _modifier_takes(key: str, options: Options) -> bool:
    """Case is ignored here (filter_modifier.c)."""
    if key.lower() in (one.lower() for one in texts(options, "remove_key")):
        return True
    kept = [one.lower() for option in ("allowlist_key", "whitelist_key") for one in texts(options, option)]
    return bool(kept) and key.lower() not in kept


def _glob_takes(wildcard: str, key: str) -> bool:
    return key.startswith(wildcard[:-1]) if wildcard.endswith("*") else key == wildcard


def _word(said: str, place: int) -> str:
    words = tokens(said, 0) or []
    return words[place] if len(words) > place else ""
