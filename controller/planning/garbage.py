"""What nothing names any more: which config objects and which revisions may go. Deciding costs no call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal

from controller.api.plain import well_typed

DAY = 86400.0
LIVE = re.compile(r"([0-9a-f]{64})/(?:pipeline|parsers)\.conf")
COPY = re.compile(r"_state/configs/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Policy:
    """`grace` in seconds. `keep`: how many revisions of ours stay in each family, whatever names them."""

    configs: Literal["off", "dry-run", "delete"] = "dry-run"
    grace: float = 30 * DAY
    revisions: Literal["off", "dry-run", "deregister"] = "off"
    keep: int = 10


@dataclass(frozen=True, slots=True)
class Mark:
    """A config that nothing names, since when that was first so; in seconds since the epoch."""

    since: float
    removed: float = 0.0
    """When the object went; its second copy stays for another grace. 0: it is still there."""
    paths: tuple[str, ...] = ()
    """What went then."""

    def as_plain(self) -> dict[str, Any]:
        return {"since": self.since, "removed": self.removed, "paths": self.paths}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Mark:
        """TypeError, ValueError or KeyError where `plain` is no mark."""
        well_typed(cls, plain)
        return cls(float(plain["since"]), float(plain["removed"]), tuple(map(str, plain["paths"])))


@dataclass(frozen=True, slots=True, order=True)
class Doomed:
    """One digest of which an object, or else its second copy, may go. `paths` below the store's prefix."""

    digest: str
    paths: tuple[str, ...]
    mark: Mark

    def after(self, now: float) -> Mark | None:
        """What to remember once they are gone; None where nothing is left to remember."""
        return None if self.mark.removed else replace(self.mark, removed=now, paths=self.paths)

    def why(self, day: Callable[[float], str]) -> str:
        what = "its object went" if self.mark.removed else "nothing names it"
        return f"{what} since {day(self.mark.removed or self.mark.since)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`marks`: what changes in the ledger. `due`: what may go; `waiting`: how many configs are within their grace.
    `back`: paths of what went and is named again.
    """

    marks: Mapping[str, Mark | None]
    due: tuple[Doomed, ...] = ()
    waiting: int = 0
    back: tuple[str, ...] = ()


def judge(
    paths: Iterable[str], named: AbstractSet[str], marks: Mapping[str, Mark], now: float, grace: float
) -> Verdict:
    """`paths`: everything in the store. `named`: digests that something names; it must be all of them."""
    live, copies = _by_digest(paths)
    changes: dict[str, Mark | None] = {}
    due: list[Doomed] = []
    back: list[str] = []
    waiting = 0
    for digest in sorted(live.keys() | copies.keys() | marks.keys()):
        mark, there, copy = marks.get(digest), tuple(live.get(digest, ())), copies.get(digest)
        if digest in named or not (there or copy):
            changes |= {digest: None} if mark else {}
            back += [path for path in (mark.paths if mark and copy else ()) if path not in there]
            continue
        then = _marked(mark, now, there=bool(there))
        if then != mark:
            changes[digest] = then
        if now - (then.removed or then.since) >= grace:
            due.append(Doomed(digest, there or (str(copy),), then))
        else:
            waiting += 1
    return Verdict(changes, tuple(due), waiting, tuple(back))


def _marked(mark: Mark | None, now: float, *, there: bool) -> Mark:
    """A clock that went back, and an object that somebody put up again, begin the grace anew."""
    if mark is None or max(mark.since, mark.removed) > now or (there and mark.removed):
        return Mark(now)
    return mark if there or mark.removed else replace(mark, removed=now)


def _by_digest(paths: Iterable[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    live: dict[str, list[str]] = {}
    copies: dict[str, str] = {}
    for path in paths:
        if found := LIVE.fullmatch(path):
            live.setdefault(found[1], []).append(path)
        elif found := COPY.fullmatch(path):
            copies[found[1]] = path
    return live, copies


def superseded(ours: Iterable[int], used: AbstractSet[int], keep: int) -> list[int]:
    """Revisions of a family that may go, the oldest first. `ours`: the ACTIVE ones that we registered."""
    last = sorted(ours)[-keep:]
    return [number for number in sorted(ours) if number not in used and number not in last]
