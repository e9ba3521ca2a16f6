"""One sink: what it wants of each event, a queue, and a thread that delivers. Nobody waits for it."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from controller.api.errors import Explained
from controller.api.events import Event
from controller.notifying.http import Again, DeliveryError
from controller.notifying.rules import Repeats, Rule
from controller.runtime.clock import Clock
from controller.runtime.threads import Threads

MOST_WAITING = 500
GATHER_SECONDS = 2.0
"""What comes within so long goes as one message."""
ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
RESULTS = ("sent", "retried", "dropped", "suppressed")

Deliver = Callable[[Sequence[Event]], None]
"""One message. Raises DeliveryError, Explained."""


@dataclass(frozen=True, slots=True)
class Sink:
    name: str
    rule: Rule
    deliver: Deliver


class Sender:
    """`count` hears what became of each message: sink and one of RESULTS."""

    def __init__(
        self,
        sink: Sink,
        clock: Clock,
        count: Callable[[str, str], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.sink, self._clock, self._count, self._jitter = sink, clock, count, jitter
        self._changed, self._threads = threading.Condition(), Threads(clock)
        self._waiting: deque[Event] = deque()
        self._repeats, self._stopped = Repeats(), False
        self._due = 0.0
        """When what waits is to go."""

    def tell(self, event: Event) -> None:
        """Never blocks, never raises."""
        if not self.sink.rule.wants(event):
            return
        with self._changed:
            left_out = self._repeats.first(event, self._clock.monotonic())
            if left_out is None:
                self._count(self.sink.name, "suppressed")
                return
            if left_out:
                event = replace(event, message=f"{event.message} (and {left_out} more like it within the hour before)")
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._count(self.sink.name, "dropped")
            if not self._waiting:
                self._due = self._clock.monotonic() + GATHER_SECONDS
            self._waiting.append(event)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def start(self) -> None:
        self._threads.start(f"notify {self.sink.name}", self._work)

    def stop(self, deadline_seconds: float) -> bool:
        """What waits is sent, once, where that is done by the deadline."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        return self._threads.join(deadline_seconds)

    def _work(self) -> None:
        while some := self._next():
            self._send(some)

    def _next(self) -> list[Event]:
        """Waits for something, and a moment for more of it. Empty: there is nothing, and we are to stop."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._clock.wait_until(self._changed, None)
            self._pause(self._due)
            some = list(self._waiting)
            self._waiting.clear()
            return some

    def _send(self, events: Sequence[Event]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self.sink.deliver(events)
            except (DeliveryError, Explained) as error:
                again = self._clock.monotonic() + _wait(attempt, error, self._jitter())
                last = attempt == ATTEMPTS or self._stopped or not isinstance(error, Again | Explained)
                self._count(self.sink.name, "dropped" if last else "retried")
                self._log(error, last=last)
                if last:
                    return
                with self._changed:
                    self._pause(again)
            except Exception as error:  # noqa: BLE001 - a bug in one message must not end the thread
                self._count(self.sink.name, "dropped")
                self._log(error, last=True)
                return
            else:
                self._count(self.sink.name, "sent")
                return

    def _log(self, error: Exception, *, last: bool) -> None:
        log = structlog.get_logger()
        said = {"sink": self.sink.name, "error": error}
        log.error("notification dropped", **said) if last else log.warning("notification is tried again", **said)

    def _pause(self, until: float) -> None:
        """Holding the condition; a stop ends it."""
        while not self._stopped and self._clock.monotonic() < until:
            self._clock.wait_until(self._changed, until)


def _wait(attempt: int, error: Exception, jitter: float) -> float:
    """Seconds until the next attempt: 2, 4, 8 …, half of it by chance, or what the other side asks for."""
    asked = getattr(error, "after", None)
    if asked is not None:
        return min(float(asked), LONGEST_WAIT)
    return float(min(FIRST_WAIT * 2**attempt, LONGEST_WAIT) * (0.5 + jitter / 2))
