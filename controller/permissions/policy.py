"""IAM policies as data, in one canonical form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

VERSION = "2012-10-17"
LARGEST = 6144
"""Characters of a managed policy, white space aside (IAM user guide, "IAM and AWS STS quotas")."""
Conditions = Mapping[str, Mapping[str, str | tuple[str, ...]]]
"""Operator → condition key → what it is compared with."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed. Resources are ARNs, with `*` and `?` as IAM has them."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    conditions: Conditions = field(default_factory=dict, hash=False)

    def as_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(set(self.actions)),
            "Resource": _one_or_many(self.resources),
        }
        if self.conditions:
            plain["Condition"] = {
                operator: {key: _one_or_many(values if isinstance(values, tuple) else (values,))}
                for operator, keys in self.conditions.items()
                for key, values in keys.items()
            }
        return plain


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [one.as_plain() for one in statements]}


def text(statements: Iterable[Statement]) -> str:
    """As people read it, with a line feed at the end."""
    return orjson.dumps(document(statements), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def size(statements: Iterable[Statement]) -> int:
    """Characters as IAM counts them."""
    return len(orjson.dumps(document(statements)).decode())


def parts(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    """As few policies as hold all of it, none beyond LARGEST but where one statement alone is."""
    some: list[Statement] = []
    for one in statements:
        if some and size([*some, one]) > LARGEST:
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _one_or_many(values: Iterable[str]) -> str | list[str]:
    found = sorted(set(values))
    return found[0] if len(found) == 1 else found
