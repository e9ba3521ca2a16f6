"""Which places are this replica's to look after, and what goes on in each, so that none changes hands in mid-work."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from controller.api.keys import Place
from controller.reconciling.world import World
from controller.runtime.leases import BEAT, Leases


class Shards:
    """runtime.leases.Holding. A shard is an account and region: what AWS allows, waves, families and log groups count
    for all of it (docs/decisions/0005). Without `leases` all is ours.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._places = {str(place): place for place in world.sites}
        self._lock = threading.Lock()
        self._at_work: Counter[Place] = Counter()
        self.leases: Leases | None = None
        self.on_gained: Callable[[Place], None] = lambda _place: None
        self.on_lost: Callable[[Place], None] = lambda _place: None

    def holds(self, place: Place) -> bool:
        return self.leases is None or self.leases.holds(str(place))

    def keeps(self, place: Place) -> bool:
        """Holds, or would with the next beat."""
        return self.leases is None or self.leases.keeps(str(place))

    def held(self) -> list[Place]:
        return [place for place in sorted(self._world.sites) if self.holds(place)]

    def stands_by(self) -> bool:
        """All places are other replicas', and we would take over."""
        return self.leases is not None and self.leases.lives and not self.leases.held

    def again(self, place: Place) -> float | None:
        """Seconds until it is worth another try, where only a beat is late; None: another replica goes on."""
        return BEAT if self.keeps(place) else None

    @contextmanager
    def work(self, place: Place) -> Iterator[bool]:
        """Around all that is done in a place: whether it may be."""
        with self._lock:
            ours = self.holds(place)
            self._at_work[place] += ours
        try:
            yield ours
        finally:
            with self._lock:
                self._at_work[place] -= ours

    # Holding

    def is_free(self, shard: str) -> bool:
        """What began when it was ours before works with what was known then; it must have ended."""
        with self._lock:
            return not self._at_work[self._places[shard]]

    def prepare(self, shard: str) -> None:
        self._world.renew(self._places[shard])

    def gained(self, shard: str) -> None:
        self.on_gained(self._places[shard])

    def lost(self, shard: str) -> None:
        self.on_lost(self._places[shard])
