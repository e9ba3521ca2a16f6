"""Where tags lead: what `rewrite_tag` makes of them, and whether two patterns can mean the same tag.

Tags are told as globs, in which `*` stands for what is known only at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from controller.fluentbit.splitting import joined, tokens

_VARIABLE_PART = re.compile(r"\$\{[^}]*\}|\$TAG(?:\[\d+\])?|\$[A-Za-z0-9_]+(?:\[[^\]]*\])*")
"""What a record accessor or the environment puts into a new tag (flb_record_accessor.c)."""
_WORDS, _NEW_TAG = 4, 2
"""The third word of a rule: `$KEY REGEX NEW_TAG KEEP`."""


def rules_of(lowered: Mapping[str, Any]) -> tuple[str, ...]:
    """The rules of a `rewrite_tag`, whose option names are in lower case; of another plugin none."""
    if str(lowered.get("name", "")).lower() != "rewrite_tag":
        return ()
    rules = lowered.get("rule", ())
    return tuple(map(str, rules)) if isinstance(rules, list | tuple) else (str(rules),)


def emits_anew(lowered: Mapping[str, Any]) -> bool:
    """Whether a filter puts records in again at the start of the pipeline."""
    return str(lowered.get("name", "")).lower() in ("rewrite_tag", "multiline")


def sees_all(lowered: Mapping[str, Any]) -> bool:
    """No `match` narrows it."""
    return lowered.get("match") in (None, "*", "**") and "match_regex" not in lowered


def new_tag(rule: str) -> str | None:
    words = tokens(rule, _WORDS)
    return words[_NEW_TAG] if words and len(words) > _NEW_TAG else None


def emitted(filters: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The tags, as globs, that the filters give records anew."""
    tags = [new_tag(rule) for one in filters for rule in rules_of(one)]
    return tuple(dict.fromkeys([glob_of(tag) for tag in tags if tag]))


def in_company(filter_: Mapping[str, Any], route: str) -> Mapping[str, Any]:
    """The filter or input, its option names in lower case, with `.<route>` after each tag that it makes, which no
    neighbour's pattern matches, and after its names, of which Fluent Bit takes each once.
    """
    own: dict[str, Any] = {key: f"{filter_[key]}.{route}" for key in ("alias", "emitter_name") if key in filter_}
    if rules := rules_of(filter_):
        own["rule"] = [_with_tag(rule, f".{route}") for rule in rules]
    return {**filter_, **own} if own else filter_


def _with_tag(rule: str, suffix: str) -> str:
    words = tokens(rule, _WORDS)
    if words is None or len(words) <= _NEW_TAG:
        return rule
    words[_NEW_TAG] += suffix
    return joined(words)


def glob_of(template: str) -> str:
    """`$TAG[0].errors` → `*.errors`."""
    return _VARIABLE_PART.sub("*", template)


@lru_cache(maxsize=4096)
def can_meet(one: str, other: str) -> bool:
    """Whether there is a tag that both globs match."""
    reached = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while reached:
        at, beside = state = reached.pop()
        if state in seen:
            continue
        seen.add(state)
        if at == len(one) and beside == len(other):
            return True
        reached |= _steps(one, at, other, beside)
    return False


def _steps(one: str, at: int, other: str, beside: int) -> set[tuple[int, int]]:
    """The states after what both may read next: a `*` reads nothing, or whatever the other reads."""
    star, other_star = one[at : at + 1] == "*", other[beside : beside + 1] == "*"
    steps = set()
    if star:
        steps.add((at + 1, beside))
        if beside < len(other):
            steps.add((at, beside + 1))
    if other_star:
        steps.add((at, beside + 1))
        if at < len(one):
            steps.add((at + 1, beside))
    if not star and not other_star and one[at : at + 1] == other[beside : beside + 1] != "":
        steps.add((at + 1, beside + 1))
    return steps
