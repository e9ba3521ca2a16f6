"""What the bodies of task definition revisions name. They never change, so each is read once, whatever restarts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from controller.taskdef import mark

CONFIG = re.compile(rb"([0-9a-f]{64})/(?:pipeline|parsers)\.conf")
"""Wherever it stands in a definition, and whatever brings it: a name too many keeps a config, one too few kills one."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A set of revision numbers, as spans: nearly all follow each other. In order; no two of them touch."""

    spans: tuple[tuple[int, int], ...] = ()

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.spans, (number, float("inf"))) - 1
        return at >= 0 and number <= self.spans[at][1]

    def __iter__(self) -> Iterator[int]:
        return (number for first, last in self.spans for number in range(first, last + 1))

    def with_(self, number: int) -> Numbers:
        if number in self:
            return self
        before = [span for span in self.spans if span[1] < number - 1]
        after = [span for span in self.spans if span[0] > number + 1]
        touching = self.spans[len(before) : len(self.spans) - len(after)]
        first = min([number, *(span[0] for span in touching)])
        last = max([number, *(span[1] for span in touching)])
        return Numbers((*before, (first, last), *after))

    @classmethod
    def from_plain(cls, plain: Any) -> Numbers:
        """TypeError or ValueError where it is none."""
        spans = tuple((int(first), int(last)) for first, last in plain)
        ends = [end for span in spans for end in span]
        if ends != sorted(ends):
            raise ValueError("the spans of revision numbers are not in order")
        return cls(spans)


@dataclass(frozen=True, slots=True)
class Known:
    """Of one family. `naming`: digest of a config → the revisions that name it. `ours`: those that we registered."""

    seen: Numbers = Numbers()
    naming: Mapping[str, Numbers] = field(default_factory=dict)
    ours: Numbers = Numbers()

    def digests(self, number: int) -> Iterator[str]:
        return (digest for digest, numbers in self.naming.items() if number in numbers)

    def learn(self, number: int, digests: Iterable[str], *, ours: bool) -> Known:
        named = {digest: self.naming.get(digest, Numbers()).with_(number) for digest in digests}
        mine = self.ours.with_(number) if ours else self.ours
        return Known(self.seen.with_(number), {**self.naming, **named}, mine)

    def as_plain(self) -> dict[str, Any]:
        naming = {digest: numbers.spans for digest, numbers in self.naming.items()}
        return {"seen": self.seen.spans, "naming": naming, "ours": self.ours.spans}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Known:
        """TypeError, ValueError or KeyError where `plain` is none."""
        naming = {str(digest): Numbers.from_plain(spans) for digest, spans in plain["naming"].items()}
        return cls(Numbers.from_plain(plain["seen"]), naming, Numbers.from_plain(plain["ours"]))


def digests_in(body: Mapping[str, Any]) -> frozenset[str]:
    """Of the config objects that a definition names, of whatever store."""
    return frozenset(found.decode() for found in CONFIG.findall(orjson.dumps(body, default=str)))


def is_ours(answer: Mapping[str, Any], owner: str) -> bool:
    """Registered by us. The labels of the router alone do not tell: who copies a definition copies them, and loses the
    tags.
    """
    tags = {str(tag.get("key")): tag.get("value") for tag in answer.get("tags") or ()}
    marks = map(mark.read, answer["taskDefinition"].get("containerDefinitions") or ())
    return tags.get(mark.OWNER) == owner and any(one is not None and one.owner == owner for one in marks)


def parsed(arn: str) -> tuple[str, int]:
    """Family and number of a revision. ValueError where the ARN is none of a revision."""
    family, _, number = arn.rsplit("/", 1)[-1].rpartition(":")
    return family, int(number)
