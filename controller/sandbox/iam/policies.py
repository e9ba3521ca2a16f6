"""Does a set of policies allow an action on a resource? Pure.

After "Policy evaluation logic" in the IAM user guide: an explicit deny wins, then an allow; what nothing allows is
denied. A condition whose key the request does not have is not met, but for the operators that end in IfExists and the
negative ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys of a request, in lower case."""


class Decision(StrEnum):
    ALLOWED = "allowed"
    DENIED = "explicitDeny"
    NOT_ALLOWED = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Asked:
    """One right that a request needs."""

    action: str
    resource: str
    context: Context


def decide(policies: Iterable[Mapping[str, Any]], asked: Asked) -> Decision:
    """`policies`: documents. Raises NotImplementedError where one has a part that is not known here."""
    found = [one for policy in policies for one in _statements(policy) if _matches(one, asked)]
    if any(one["Effect"] == "Deny" for one in found):
        return Decision.DENIED
    return Decision.ALLOWED if found else Decision.NOT_ALLOWED


def _statements(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = policy.get("Statement", [])
    yield from [found] if isinstance(found, Mapping) else found


def _matches(statement: Mapping[str, Any], asked: Asked) -> bool:
    return (
        _named(statement, "Action", asked.action, ignore_case=True)
        and _named(statement, "Resource", asked.resource)
        and all(
            _holds(operator, key, values, asked.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _named(statement: Mapping[str, Any], what: str, value: str, *, ignore_case: bool = False) -> bool:
    if what in statement:
        return any(like(one, value, ignore_case=ignore_case) for one in many(statement[what]))
    return not any(like(one, value, ignore_case=ignore_case) for one in many(statement[f"Not{what}"]))


def many(value: Any) -> tuple[str, ...]:
    """One or a list, as texts; JSON's booleans are IAM's words."""
    some = value if isinstance(value, list | tuple) else [value]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in some)


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """`*` and `?`. Raises NotImplementedError for policy variables."""
    return _pattern(pattern, ignore_case).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    if "${" in pattern:
        raise NotImplementedError(f"policy variables: {pattern}")
    text = "".join(".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.compile(text, re.IGNORECASE if ignore_case else 0)


_COMPARES: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
_NEGATIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(operator: str, key: str, wanted: Any, context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    name, optional = name.removesuffix("IfExists"), name.endswith("IfExists")
    if quantifier not in ("", "ForAnyValue", "ForAllValues") or name not in {*_COMPARES, *_NEGATIVE, "Null"}:
        raise NotImplementedError(f"condition operator {operator}")
    there = context.get(key.lower())
    if name == "Null":
        return (there is None) == (many(wanted)[0] == "true")
    if there is None:
        return optional or name in _NEGATIVE or quantifier == "ForAllValues"
    compare, positive = _COMPARES[_NEGATIVE.get(name, name)], name not in _NEGATIVE
    hits = [any(compare(one, value) for one in many(wanted)) is positive for value in many(there)]
    return any(hits) if quantifier == "ForAnyValue" or (quantifier == "" and positive) else all(hits)
