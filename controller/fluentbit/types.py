"""The value types of Fluent Bit's option maps, and whether a text is one (flb_utils.c, flb_config_map.c)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from controller.fluentbit.splitting import tokens

_NUMBER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]+)?")
_SIZE = re.compile(r"([0-9]{1,15})(\.[0-9]+)?(?:([kmg])b?)?", re.IGNORECASE)
_TIME = re.compile(r"([0-9]{1,10})([smhd]?)", re.IGNORECASE)
_BOOL = re.compile(r"true|on|yes|false|off|no", re.IGNORECASE)
_MAX_INT = 2**31 - 1
"""Numbers and seconds are C ints in the engine, and what is beyond wraps around."""
_MAX_SIZE = 2**63 - 1
_FACTORS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
"""Thousands, not 1024s: flb_utils_size_to_bytes."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class ValueType:
    name: str
    fits: Callable[[str], bool] | None
    """None where any text fits."""
    expected: str
    """`a size such as 10M`, for messages."""
    choices: tuple[str, ...] = ()


def value_type(facts: Mapping[str, Any]) -> ValueType:
    """From the facts of an option: `type`, `values`, `cased`, `words`, `min`, `max`, `starts`, `why`."""
    name = str(facts.get("type", "str"))
    if values := facts.get("values"):
        cased = bool(facts.get("cased"))
        allowed = frozenset(values if cased else (one.lower() for one in values))
        check = partial(_is_one_of, allowed=allowed, cased=cased)
        why = f": {facts['why']}" if "why" in facts else ""
        return ValueType(name, check, f"one of {', '.join(values)}{why}", tuple(values))
    if start := facts.get("starts"):
        return ValueType(name, partial(_starts, start=start), f"text that starts with {start}")
    if name.startswith("slist_"):
        count = int(name[-1])
        return ValueType(name, partial(_has_words, count=count), f"{count} words or more, each quote closed")
    words = frozenset(facts.get("words", ()))
    low, high = facts.get("min"), facts.get("max")
    if name not in _READERS:
        return ValueType(name, None, "text")
    reader, expected = _READERS[name]
    check = partial(_fits, reader=reader, words=words, low=low, high=high)
    return ValueType(name, check, expected + _bounds(low, high) + _or(facts.get("words", ())))


def size_bytes(text: str) -> float | None:
    """`10M`, `512kb`, `false` (0) as Fluent Bit reads them; None where it does not, or cannot hold as much."""
    if text.lower() == "false":
        return 0
    match = _SIZE.fullmatch(text)
    size = float(f"{match[1]}{match[2] or ''}") * _FACTORS[(match[3] or "").lower()] if match else None
    return size if size is not None and size < _MAX_SIZE else None


def is_bool(text: str) -> bool:
    """What flb_utils_bool takes for either."""
    return _BOOL.fullmatch(text) is not None


def is_true(text: str) -> bool:
    return text.lower() in ("true", "on", "yes")


def is_false(text: str) -> bool:
    return text.lower() in ("false", "off", "no")


def _number(text: str) -> float | None:
    return number if _NUMBER.fullmatch(text) and abs(number := int(text)) <= _MAX_INT else None


def _decimal(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _time(text: str) -> float | None:
    match = _TIME.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2].lower()] if match else None
    return seconds if seconds is not None and seconds <= _MAX_INT else None


def _bool(text: str) -> float | None:
    return 0 if is_bool(text) else None


_READERS: dict[str, tuple[Callable[[str], float | None], str]] = {
    "int": (_number, "a whole number"),
    "double": (_decimal, "a number"),
    "size": (size_bytes, "a size such as 512k, 10M or 1G"),
    "time": (_time, "a time such as 30, 10s, 5m, 2h or 1d"),
    "bool": (_bool, "On or Off (or true, yes, false, no)"),
}


def _fits(
    text: str,
    *,
    reader: Callable[[str], float | None],
    words: frozenset[str],
    low: float | None,
    high: float | None,
) -> bool:
    value = reader(text)
    if value is None:
        return text.lower() in words
    return ((low is None or value >= low) and (high is None or value <= high)) or text.lower() in words


def _is_one_of(text: str, *, allowed: frozenset[str], cased: bool) -> bool:
    return (text if cased else text.lower()) in allowed


def _starts(text: str, *, start: str) -> bool:
    return text.startswith(start)


def _has_words(text: str, *, count: int) -> bool:
    """A quote that is not closed swallows what follows."""
    words = tokens(text, count)
    return words is not None and len(words) >= count


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    return f", at least {low:,}" if low is not None else f", at most {high:,}" if high is not None else ""


def _or(words: tuple[str, ...]) -> str:
    return f", or {', '.join(words)}" if words else ""
