"""The work queue against a simple model of itself, and under real threads."""

from __future__ import annotations

import threading
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from controller.runtime.backoff import Exponential
from controller.runtime.clock import ManualClock, SystemClock
from controller.runtime.queue import WorkQueue
from controller.runtime.workers import Workers

_KEYS = st.sampled_from("abcdef")
_PRIORITIES = st.sampled_from([0, 10, 20])
_SECONDS = st.integers(0, 8)


class QueueAgainstModel(RuleBasedStateMachine):
    """The model: what is asked for as key → (due, priority), what runs as key → priority."""

    taken = Bundle("taken")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.queue = WorkQueue[str](self.clock, Exponential(random=lambda: 0.0))
        self.asked: dict[str, tuple[float, int]] = {}
        self.running: dict[str, int] = {}
        self.failures: Counter[str] = Counter()

    def ask(self, key: str, delay: float, priority: int) -> None:
        due, before = self.clock.monotonic() + delay, self.asked.get(key, (float("inf"), -1))
        self.asked[key] = (min(due, before[0]), max(priority, before[1]))

    def ready(self) -> dict[str, int]:
        now = self.clock.monotonic()
        return {key: priority for key, (due, priority) in self.asked.items() if due <= now and key not in self.running}

    @rule(key=_KEYS, priority=_PRIORITIES, fresh=st.booleans())
    def add(self, key: str, priority: int, fresh: bool) -> None:
        self.queue.add(key, priority, fresh=fresh)
        self.ask(key, 0, priority)
        if fresh:
            self.failures[key] = 0

    @rule(key=_KEYS, seconds=_SECONDS, priority=_PRIORITIES)
    def add_after(self, key: str, seconds: int, priority: int) -> None:
        self.queue.add_after(key, seconds, priority)
        self.ask(key, seconds, priority)

    @rule(key=_KEYS)
    def retry(self, key: str) -> None:
        self.failures[key] += 1
        delay = self.queue.retry(key)
        assert delay == min(900, 2 ** (self.failures[key] - 1))
        self.ask(key, delay, self.running.get(key, 0))

    @rule(key=_KEYS)
    def forget(self, key: str) -> None:
        self.queue.forget(key)
        self.failures[key] = 0

    @rule(seconds=_SECONDS)
    def turn_the_clock(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.ready())
    @rule(target=taken)
    def get(self) -> str:
        ready = self.ready()
        key = self.queue.get()
        assert key is not None
        assert key in ready, "handed out early, twice, or unasked"
        assert ready[key] == max(ready.values()), "something more urgent was ready"
        self.running[key] = self.asked.pop(key)[1]
        return key

    @rule(key=consumes(taken))
    def done(self, key: str) -> None:
        self.queue.done(key)
        del self.running[key]

    @invariant()
    def ready_is_what_is_due_and_not_in_work(self) -> None:
        assert self.queue.depth() == len(self.ready())
        assert len(self.queue.running_seconds()) == len(self.running)

    def teardown(self) -> None:
        """Nothing that was asked for is lost, and nothing comes that was not."""
        for running in self.running:
            self.queue.done(running)
        self.clock.advance(1_000)
        wanted, came = set(self.asked), []
        while self.queue.depth():
            key = self.queue.get()
            assert key is not None
            came.append(key)
            self.queue.done(key)
        assert sorted(came) == sorted(wanted)


TestQueueAgainstModel = QueueAgainstModel.TestCase
TestQueueAgainstModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class Workshop:
    """Reconciles by noting which version of a key's input it saw."""

    def __init__(self, fail_first: set[str]) -> None:
        self.lock = threading.Lock()
        self.inside: Counter[str] = Counter()
        self.overlapped = False
        self.input: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.fail = set(fail_first)
        self.caught_up = threading.Condition(self.lock)

    def change(self, key: str) -> None:
        with self.lock:
            self.input[key] += 1

    def reconcile(self, key: str) -> float | None:
        with self.lock:
            self.inside[key] += 1
            self.overlapped |= self.inside[key] > 1
            version = self.input[key]
        with self.lock:
            self.inside[key] -= 1
            if key in self.fail:
                self.fail.discard(key)
                raise OSError("the first time fails")
            self.seen[key] = version
            self.caught_up.notify_all()
        return None

    def wait(self, patience: float = 10) -> bool:
        with self.lock:
            return self.caught_up.wait_for(lambda: self.seen == self.input, patience)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(_KEYS, _PRIORITIES), max_size=60),
    fail_first=st.sets(_KEYS),
    threads=st.integers(1, 6),
)
def test_under_threads_every_last_change_is_seen_and_no_key_overlaps(
    changes: list[tuple[str, int]], fail_first: set[str], threads: int
) -> None:
    shop, clock = Workshop(fail_first), SystemClock()
    queue = WorkQueue[str](clock, Exponential(base=0.001))
    workers = Workers(queue, shop.reconcile, clock=clock, count=threads)
    workers.start()
    for key, priority in changes:
        shop.change(key)
        queue.add(key, priority)
    assert shop.wait(), f"saw {shop.seen}, wanted {shop.input}"
    assert workers.stop(10)
    assert not shop.overlapped
