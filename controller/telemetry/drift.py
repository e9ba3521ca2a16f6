"""Drift as counters: a difference counts once when it is found and once when it is put right, however often seen."""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable

from controller.telemetry.metrics import Metrics

Subject = tuple[Hashable, Hashable]
"""A scope (services, or the groups of a place) and a name in it."""


class DriftTally:
    """Safe to use from any thread. Only a restart forgets what stands."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._lock = metrics, threading.Lock()
        self._standing: dict[Subject, frozenset[str]] = {}

    def stands(self, subject: Subject, kinds: Collection[str]) -> list[str]:
        """All that is known to be wrong with `subject` now; what of it is new. Nothing: it is as it should be."""
        with self._lock:
            new = sorted(frozenset(kinds) - self._standing.get(subject, frozenset()))
            if kinds:
                self._standing[subject] = frozenset(kinds)
            else:
                self._standing.pop(subject, None)
        for kind in new:
            self._metrics.drift_found(kind)
        return new

    def repaired(self, subject: Subject) -> None:
        with self._lock:
            kinds = self._standing.pop(subject, frozenset())
        for kind in sorted(kinds):
            self._metrics.drift_repaired(kind)

    def only(self, scope: Hashable, names: Collection[Hashable]) -> None:
        """Whatever else stood in `scope` somebody else put right, or it is no longer wanted."""
        with self._lock:
            for subject in [one for one in self._standing if one[0] == scope and one[1] not in names]:
                del self._standing[subject]
