"""The last plan of each place that changed something, with its diffs: what the page and the API show."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from controller.api.keys import Place
from controller.planning.guards import digest_of, line
from controller.planning.model import ServicePlan
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Note
from controller.reconciling.survey import Survey

MOST_SERVICES = 500
"""Of a plan; how many there are is told."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a pass planned for a place. `current`: the pass was the last; False: nothing is to be done any more."""

    place: str
    digest: str
    revision: str
    at: float
    services: tuple[Mapping[str, Any], ...]
    total: int
    current: bool = True

    def as_plain(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "place": self.place,
            "state": "Pending" if self.current else "Done",
            "revision": self.revision,
            "at": self.at,
            "why": "",
            "total": self.total,
            "services": list(self.services),
        }


class PlanBook:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[Place, Planned] = {}

    def surveyed(self, seen: Survey, specs: Specs, at: float) -> None:
        for place in seen.seen:
            plans = [plan for plan in seen.changes if seen.seen[place].holds(plan.key)]
            with self._lock:
                before = self._last.get(place)
                if plans:
                    rows = tuple(_service(plan) for plan in plans[:MOST_SERVICES])
                    digest = digest_of(map(line, plans))
                    self._last[place] = Planned(str(place), digest, specs.revision, at, rows, len(plans))
                elif before and before.current:
                    self._last[place] = replace(before, current=False)

    def forget(self, place: Place) -> None:
        with self._lock:
            self._last.pop(place, None)

    def plain(self, blocked: Mapping[str, Note]) -> list[dict[str, Any]]:
        """What waits for approval first."""
        with self._lock:
            last = sorted(self._last.items())
        return [*(_blocked(digest, note) for digest, note in blocked.items()), *(one.as_plain() for _, one in last)]


def _service(plan: ServicePlan) -> dict[str, Any]:
    hold = {"reason": plan.hold.reason.value, "message": plan.hold.message} if plan.hold else None
    return {
        "service": str(plan.key),
        "action": plan.kind.value,
        "reasons": [{"reason": one.reason.value, "message": one.message} for one in plan.reasons],
        "hold": hold,
        "diff": plan.diff,
    }


def _blocked(digest: str, note: Note) -> dict[str, Any]:
    rows: list[Mapping[str, Any]] = []
    for one in note.lines[:MOST_SERVICES]:
        service, action, _ = one.rsplit(" ", 2)
        rows.append({"service": service, "action": action, "reasons": [], "hold": None, "diff": ""})
    return {
        "digest": digest,
        "place": "",
        "state": "Blocked",
        "revision": "",
        "at": note.at,
        "why": note.why,
        "total": len(note.lines),
        "services": rows,
    }
