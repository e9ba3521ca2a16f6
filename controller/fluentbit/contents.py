"""What plugins read out of a value when they start: words, regexes, record accessors, fields with a meaning.

A value that such a plugin cannot read stops the router, or becomes another rule than was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from controller.fluentbit import splitting
from controller.fluentbit.accessors import accessor_error
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.ports import LISTENING
from controller.fluentbit.regexes import check_regex
from controller.fluentbit.types import is_bool
from controller.fluentbit.variables import as_words
from controller.fluentbit.words import nearest, shown

Reader = Callable[[str, str, str], list[Finding]]
"""From an option's name in lower case, its value and the engine."""
_QUOTES = "put a value with spaces in double quotes, and close each quote"
_NONE: Mapping[str, Reader] = {}


def readers(kind: str, plugin: str) -> Mapping[str, Reader]:
    """By option, in lower case."""
    return _READERS.get((kind, plugin), _NONE)


def _regex(key: str, text: str, engine: str) -> list[Finding]:
    return check_regex(key, text, engine)


def _grep(key: str, text: str, engine: str) -> list[Finding]:
    """`KEY REGEX`; the regex begins after one space and goes to the end (filter_grep)."""
    words = splitting.plain(text, 1)
    if len(words) != 2:  # noqa: PLR2004 - a key and a regex
        return [_words(key, text, "a key and a regex", "write it like log ^GET")]
    name = words[0] if words[0].startswith("$") else f"${words[0]}"
    return _accessor(key, name) + check_regex(key, words[1], engine)


def _accessor(key: str, text: str, _: str = "") -> list[Finding]:
    if not (reason := accessor_error(as_words(text))):
        return []
    hint = "a key has letters, digits, _ - and /; others in brackets and single quotes, as in $a['b.c']"
    return [error((), "INVALID_ACCESSOR", f"{key}: Fluent Bit cannot read {shown(text)}: {reason}", hint)]


def _rewrite(key: str, text: str, engine: str) -> list[Finding]:
    """`$KEY REGEX NEW_TAG KEEP`. With a word less the engine crashes; one more it does not see."""
    words = splitting.tokens(text, 4)
    if words is None or len(words) != 4:  # noqa: PLR2004 - see above
        return [_words(key, text, "a key, a regex, a new tag, and true or false")]
    found = _accessor(key, words[0]) + check_regex(key, words[1], engine) + _accessor(key, words[2])
    if not is_bool(words[3]) and "${" not in words[3]:
        hint = "write true to keep the record under its old tag too, or false"
        found.append(error((), "INVALID_VALUE", f"{key}: {shown(words[3])} is neither true nor false", hint))
    return found


def _record(key: str, text: str, _: str) -> list[Finding]:
    """A third word makes the engine leave the record's field out (filter_record_modifier)."""
    words = splitting.tokens(text, 2)
    return [] if words is not None and len(words) == 2 else [_words(key, text, "a key and a value")]  # noqa: PLR2004


def _modify(key: str, text: str, engine: str, *, count: int) -> list[Finding]:
    """filter_modify compiles every word as a regex, whether the operation matches anything or not, and takes a
    rule of three words for a rename.
    """
    words = _modify_words(text, engine)
    if words is None or len(words) != count:
        return [_words(key, text, "a key and a value" if count > 1 else "a key")]
    if key == "remove_regex" and not words[0]:
        return [_empty(key)]
    return [found for word in words for found in check_regex(key, word, engine)][:1]


def _modify_words(text: str, engine: str) -> list[str] | None:
    """To 1.9.10 quotes are text like any other, so that no word there holds a space."""
    return splitting.plain(text, 3) if engine == "1.9.10" else splitting.quoted(text, 3)


def _empty(key: str) -> Finding:
    return error((), "INVALID_REGEX", f"{key}: the regex is empty, at which Fluent Bit stops", "write .* for anything")


_CONDITIONS = {
    "key_exists": (1, ()),
    "key_does_not_exist": (1, ()),
    "a_key_matches": (1, (0,)),
    "no_key_matches": (1, (0,)),
    "key_value_equals": (2, ()),
    "key_value_does_not_equal": (2, ()),
    "key_value_matches": (2, (1,)),
    "key_value_does_not_match": (2, (1,)),
    "matching_keys_have_matching_values": (2, (0, 1)),
    "matching_keys_do_not_have_matching_values": (2, (0, 1)),
}
"""How many words follow, and which of them are regexes. One that does not compile crashes the engine later."""


def _condition(key: str, text: str, engine: str) -> list[Finding]:
    words = _modify_words(text, engine)
    if not words:
        return [_words(key, text, "a condition and its words")]
    known = _CONDITIONS.get(words[0].lower())
    if known is None:
        near = nearest(words[0], _CONDITIONS)
        hint = f'did you mean "{near}"?' if near else f"known: {', '.join(_CONDITIONS)}"
        return [error((), "INVALID_VALUE", f"{key}: there is no condition {shown(words[0])}", hint)]
    count, regexes = known
    if len(words) != count + 1:
        return [_words(key, text, f"{words[0]} and {count} word{'s' if count > 1 else ''}")]
    if any(not words[1 + index] for index in regexes):
        return [_empty(key)]
    found = [one for index in regexes for one in check_regex(key, words[1 + index], engine)]
    return found if 0 in regexes else found + _accessor(key, words[1])


_DECODERS = ("json", "escaped", "escaped_utf8", "mysql_quoted")


def _decoder(key: str, text: str, _: str) -> list[Finding]:
    """`DECODER FIELD [ACTION]` (flb_parser_decoder.c)."""
    words = splitting.plain(text, 3)
    if len(words) < 2 or words[0].lower() not in _DECODERS:  # noqa: PLR2004 - see above
        return [_words(key, text, f"one of {', '.join(_DECODERS)}, then a field", "write it like json log")]
    return []


def _words(key: str, text: str, expected: str, hint: str = _QUOTES) -> Finding:
    return error((), "INVALID_VALUE", f"{key} takes {expected}, which {shown(text)} is not", hint)


def _like(pattern: str, example: str) -> Reader:
    """Text that the plugin takes apart when it starts."""
    compiled = re.compile(pattern)

    def read(key: str, text: str, _: str) -> list[Finding]:
        if compiled.fullmatch(as_words(text, "0")):
            return []
        return [error((), "INVALID_VALUE", f"{key} cannot be {shown(text)}", f"write it like {example}")]

    return read


_LISTEN = {"listen": _like(r"[A-Za-z0-9][A-Za-z0-9.:_-]*|::[0-9a-fA-F:.]*", "127.0.0.1")}
_READERS: Mapping[tuple[str, str], Mapping[str, Reader]] = {
    **{("inputs", name): _LISTEN for name in LISTENING},
    ("outputs", "es"): {"cloud_id": _like(r"[^:]+:[A-Za-z0-9+/]+=*", "name:dXMtZWFzdC0xLi4u")},
    ("outputs", "http"): {"proxy": _like(r"https?://[^/\s]+/?", "http://proxy.internal:3128")},
    ("filters", "grep"): {"regex": _grep, "exclude": _grep},
    ("filters", "log_to_metrics"): {"regex": _grep, "exclude": _grep},
    ("filters", "rewrite_tag"): {"rule": _rewrite},
    ("filters", "record_modifier"): {"record": _record},
    ("filters", "modify"): {
        "condition": _condition,
        **dict.fromkeys(
            ("add", "add_if_not_present", "set", "rename", "hard_rename", "copy", "hard_copy"),
            partial(_modify, count=2),
        ),
        **dict.fromkeys(
            ("remove", "remove_wildcard", "remove_regex", "move_to_start", "move_to_end"), partial(_modify, count=1)
        ),
    },
    ("inputs", "tail"): {"tag_regex": _regex},
    ("inputs", "thermal"): {"name_regex": _regex, "type_regex": _regex},
    ("inputs", "process_exporter_metrics"): {
        "process_include_pattern": _regex,
        "process_exclude_pattern": _regex,
    },
    ("inputs", "node_exporter_metrics"): {
        "diskstats.ignore_device_regex": _regex,
        "filesystem.ignore_mount_point_regex": _regex,
        "filesystem.ignore_filesystem_type_regex": _regex,
        "systemd_include_pattern": _regex,
        "systemd_exclude_pattern": _regex,
    },
    ("outputs", "stackdriver"): {"custom_k8s_regex": _regex},
    ("parsers", "parsers"): {
        "regex": _regex,
        "decode_field": _decoder,
        "decode_field_as": _decoder,
        "time_offset": _like(r"Z|[+-][0-9]{2}:?[0-9]{2}", "+0200"),
    },
}
