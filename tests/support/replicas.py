"""Several controllers on one sandbox, each with leases, turned by hand by one clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from controller import app as composition
from controller import wiring
from controller.api.errors import Explained
from controller.api.keys import Place, ServiceKey
from controller.reconciling.controller import Controller
from controller.reconciling.telling import Several
from controller.runtime.clock import ManualClock
from controller.runtime.leases import RUN
from controller.runtime.queue import WorkQueue
from controller.telemetry.journal import Journal
from controller.telemetry.metrics import Metrics
from controller.telling import Teller
from tests.support.playground import Playground

BEATS = 4.0


class Replica:
    """A controller as `run` wires it. `dead`: killed, so it does nothing more; `asleep`: nor does it now."""

    def __init__(self, play: Playground) -> None:
        self._play = play
        self.clock, self.dead, self.asleep = ManualClock(), False, False
        self.metrics = Metrics("test")
        self.queue: WorkQueue[ServiceKey] = WorkQueue(self.clock)
        teller = Teller(self.metrics)
        now = play.sandbox.clock.now
        self.app = composition.build(play.settings, observer=teller, sleep=play.sleep, monotonic=now)
        self.leases = composition.share(self.app, RUN, awake=now)
        queues = dict.fromkeys(self.app.world.sites, self.queue)
        self.journal, self.history = Journal(), wiring.history(self.app)
        self.journal.listeners.append(self.history.tell)
        telling = Several([teller, wiring.chronicle(self.app, self.journal.tell, now)])
        self.controller = Controller(
            self.app.world, self.app.keeper, queues, telling, self.clock.monotonic, self.app.shards
        )

    def beat(self) -> None:
        self.leases.tick()

    def step(self) -> None:
        """One poll, one pass over what is ours, and all the work that follows from it at once."""
        with suppress(Explained):
            self.controller.poll_source()
        if self.controller.has_specs:
            self.controller.poll_notes()
            self.controller.resync()
        self.drain()
        self.controller.save_status()
        with suppress(Explained):
            self.history.flush()

    def drain(self) -> None:
        while self.queue.depth():
            key = self.queue.get()
            assert key is not None
            try:
                again = self.controller.reconcile(key)
            except Explained:
                self.queue.retry(key)
            else:
                self.queue.forget(key)
                if again is not None:
                    self.queue.add_after(key, again)
            finally:
                self.queue.done(key)

    @property
    def held(self) -> set[str]:
        return set(self.leases.held)

    def holds(self, region: str) -> bool:
        return self.leases.holds(str(Place("main", region)))

    def told(self) -> str:
        return self.metrics.render()[0].decode()


class Replicas:
    def __init__(self, play: Playground, count: int = 2) -> None:
        self.play = play
        self.all = [Replica(play) for _ in range(count)]

    def awake(self) -> Iterator[Replica]:
        return (one for one in self.all if not (one.dead or one.asleep))

    def time(self, seconds: float) -> None:
        """All who are awake beat."""
        for _ in range(int(seconds // BEATS)):
            self.play.sandbox.advance(BEATS)
            for one in self.awake():
                one.clock.advance(BEATS)
                one.beat()

    def beat(self) -> None:
        for one in self.awake():
            one.beat()

    def settle(self, times: int = 3, seconds: float = 120) -> None:
        """Passes with a rollout's time after each."""
        for _ in range(times):
            for one in list(self.awake()):
                one.step()
                self.beat()
            self.time(seconds)

    def holder(self, region: str) -> Replica:
        [one] = [one for one in self.awake() if one.holds(region)]
        return one

    @contextmanager
    def asleep(self, replica: Replica) -> Iterator[None]:
        replica.asleep = True
        yield
        replica.asleep = False
