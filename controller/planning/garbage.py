"""What nothing needs any more: config objects that nothing in use names, revisions of ours that were superseded."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from controller.api.plain import well_typed

_OBJECT = re.compile(r"([0-9a-f]{64})/(?:pipeline|parsers)\.conf")
_COPY = re.compile(r"_state/configs/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Unused:
    """A config object that nothing names. `since`: when that was seen first, in seconds since the epoch."""

    since: float

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Unused:
        """TypeError, ValueError or KeyError where `plain` is none."""
        well_typed(cls, plain)
        return cls(plain["since"])


def digest_of(path: str) -> str | None:
    """Of a config object or its second copy, by its path below the store's prefix. None: it is neither."""
    found = _OBJECT.fullmatch(path) or _COPY.fullmatch(path)
    return found[1] if found else None


def unused(paths: Collection[str], named: Collection[str]) -> Iterator[str]:
    """Of the objects of a store, those that may go one day. A second copy stays as long as its object: what was taken
    away by mistake comes back from it.
    """
    there = {found[1] for path in paths if (found := _OBJECT.fullmatch(path))}
    for path in paths:
        digest = digest_of(path)
        if digest and digest not in named and (_OBJECT.fullmatch(path) or digest not in there):
            yield path


def noted(before: Mapping[str, Unused], paths: Iterable[str], now: float) -> dict[str, Unused]:
    """Since when each of `paths` is unused."""
    return {path: before.get(path) or Unused(now) for path in paths}


def due(some: Mapping[str, Unused], now: float, grace: float) -> list[str]:
    """Those that were unused for `grace` seconds."""
    return sorted(path for path, one in some.items() if now - one.since >= grace)


def superseded(ours: Iterable[str], needed: Collection[str], keep: int) -> list[str]:
    """Of ARNs of revisions, those that may be deregistered: not needed, nor among the latest `keep` of their family."""
    families: dict[str, list[str]] = {}
    for arn in ours:
        families.setdefault(arn.rpartition(":")[0], []).append(arn)
    return [arn for some in families.values() for arn in _but_the_latest(some, keep) if arn not in needed]


def _but_the_latest(arns: Sequence[str], keep: int) -> list[str]:
    return sorted(arns, key=lambda arn: int(arn.rpartition(":")[2]))[: max(0, len(arns) - keep)]
