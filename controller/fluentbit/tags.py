"""Names that routes of one task share: match patterns, tags, aliases. What they may be keeps routes apart."""

from __future__ import annotations

import re

from controller.fluentbit.findings import Finding, error
from controller.fluentbit.regexes import check_regex
from controller.fluentbit.words import shown

_MATCH = re.compile(r"[A-Za-z0-9_.*-]{1,512}")
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_ALIAS = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
PARSER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LONGEST_REGEX = 512
"""It becomes a part of a longer one, and the line must stay under what Fluent Bit 1.9.10 reads."""
_EXTENDED = re.compile(r"\(\?[a-z]*x")


def check_name(key: str, text: str) -> list[Finding]:
    """For `match`, `match_regex`, `alias` and `tag`; `key` in lower case."""
    checker = _CHECKS.get(key)
    return checker(text) if checker else []


def _match(text: str) -> list[Finding]:
    if _MATCH.fullmatch(text):
        return []
    hint = "letters, digits, _ . - and *; for more there is match_regex"
    return [error((), "INVALID_MATCH", f"{shown(text)} is no tag pattern", hint)]


def _tag(text: str) -> list[Finding]:
    if not _TAG.fullmatch(text):
        return [error((), "INVALID_TAG", f"{shown(text)} is no tag", "letters, digits, _ . and -")]
    if "-firelens-" in text or text.startswith("firelens-"):
        hint = "choose a name without firelens"
        return [error((), "INVALID_TAG", f"{shown(text)} could be taken for a container's tag", hint)]
    return []


def _alias(text: str) -> list[Finding]:
    if _ALIAS.fullmatch(text):
        return []
    hint = "a-z, 0-9, then also _ . and -, at most 63"
    return [error((), "INVALID_ALIAS", f"{shown(text)} is no alias", hint)]


def _match_regex(text: str) -> list[Finding]:
    """Rendered after a look-ahead for the route's own records: what could get around that is refused."""
    if reason := regex_trouble(text):
        hint = "write it like ^app-firelens-, with alternatives in ( )"
        return [error((), "INVALID_MATCH", f"match_regex {reason}", hint)]
    if len(text) > _LONGEST_REGEX:
        return [error((), "INVALID_MATCH", f"match_regex is longer than {_LONGEST_REGEX}", "write it shorter")]
    return check_regex("match_regex", text, "any")


_CHECKS = {"match": _match, "match_regex": _match_regex, "tag": _tag, "alias": _alias}


def regex_trouble(text: str) -> str | None:
    """Why the regex could match beyond a prefix put before it: an alternative at its top, or a bracket
    that closes what it did not open. Follows Onigmo's Ruby syntax as far as that needs.
    """
    if not text.startswith("^"):
        return "must start with ^"
    if "(?#" in text or _EXTENDED.search(text):
        return "must not hold comments or the x flag"
    depth, position = 0, 1
    while position < len(text):
        char = text[position]
        if char == "[":
            end = _class_end(text, position)
            if end is None:
                return "has a [ ] that is not closed, or starts with ]: write \\]"
            position = end
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "|" and depth == 0:
            return "must not have an alternative at its top"
        if depth < 0:
            return "closes a bracket that is not open"
        position += 2 if char == "\\" else 1
    return "has a bracket that is not closed" if depth or _ends_in_backslash(text) else None


def _class_end(text: str, start: int) -> int | None:
    """The index of the `]` that closes the class at `start`; classes nest in Onigmo. None where there is
    none, or where a class begins with `]`, which engines read differently.
    """
    depth, position = 0, start
    while position < len(text):
        char = text[position]
        if char == "[":
            depth += 1
            if text.startswith("^", position + 1):
                position += 1
            if text.startswith("]", position + 1):
                return None
        elif char == "]":
            depth -= 1
            if depth == 0:
                return position
        position += 2 if char == "\\" else 1
    return None


def _ends_in_backslash(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1
