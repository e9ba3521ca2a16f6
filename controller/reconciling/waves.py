"""Whose turn it is: the changes of one account and region, and how far each is, as passes and workers see them.

Changes outlive a kill in a ledger; how far their members are is told by the memories of the services. So a restart goes
on where it was, and nothing is written for a step.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.kinds import Rollout
from controller.planning.memory import ServiceMemory
from controller.planning.model import NO_ROUTE, Hold, Kind, ServicePlan
from controller.planning.waves import (
    OPEN,
    WAITS,
    Change,
    State,
    is_explained,
    is_on_its_way,
    joins,
    new_changes,
    state_of,
)
from controller.planning.windows import opens_in
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.notes import Note, Notes
from controller.state.ledger import Ledger

MANY = 60
"""Rollouts in a place that may be looked at every 15 seconds: four looks a second, of ten reads that are allowed."""
NEXT_PASS = Hold(Reason.WAITING_FOR_TURN, "the next pass gives it its turn")


@dataclass(slots=True)
class _Open:
    """A change with members that have not ended. `rollout`: as its waiting members have it now, or else the others."""

    change: Change
    batch_of: Mapping[str, int]
    states: dict[str, State] = field(default_factory=dict)
    """Of those that it still asks for."""
    rollout: Rollout = NO_ROUTE
    unknown: str = ""
    """Why it is not known what people said about it."""
    paused: Note | None = None
    aborted: Note | None = None
    left: list[int] = field(default_factory=list)
    """Batch → how many of it have not ended."""
    counts: Counter[State] = field(default_factory=Counter)
    failed: dict[str, None] = field(default_factory=dict)
    """Members. Each of thousands that wait asks whether there are any."""
    current: int = 0
    queue: deque[str] = field(default_factory=deque)
    """Of the current batch and those before it: who waits, and some who waited."""

    @classmethod
    def of(cls, change: Change, states: dict[str, State]) -> _Open:
        left = [0] * len(change.batches)
        found = cls(change, change.batch_of(), states, left=left, counts=Counter(states.values()))
        for key, state in states.items():
            found.left[found.batch_of[key]] += state in OPEN
            found.failed |= {key: None} if state is State.FAILED else {}
        found._move_on(0)
        return found

    def put(self, key: str, state: State) -> None:
        batch, before = self.batch_of[key], self.states[key]
        self.states[key] = state
        self.counts[before] -= 1
        self.counts[state] += 1
        self.failed.pop(key, None)
        self.failed |= {key: None} if state is State.FAILED else {}
        self.left[batch] += (state in OPEN) - (before in OPEN)
        if state in OPEN and batch < self.current:  # nobody waited for it while it was aside; now the rest does
            self._move_on(batch)
            return
        if state is State.WAITING and batch <= self.current:
            self.queue.append(key)
        if not self.left[self.current]:
            self._move_on(self.current)

    def _move_on(self, start: int) -> None:
        """To the first batch that has not ended."""
        ahead = (number for number in range(start, len(self.left)) if self.left[number])
        self.current = next(ahead, len(self.left) - 1)
        members = self.batch_of.items()
        self.queue = deque(
            key for key, batch in members if batch <= self.current and self.states.get(key) is State.WAITING
        )

    def stopped(self) -> Hold | None:
        if self.unknown:
            return Hold(Reason.UNKNOWN, f"whether change {self.change.id} is paused is not known: {self.unknown}")
        if self.aborted:
            why = f"change {self.change.id} was aborted {self.aborted}; it stays as it is until a spec changes it"
            return Hold(Reason.ROLLOUT_ABORTED, why)
        if self.paused:
            return Hold(Reason.ROLLOUT_PAUSED, f"change {self.change.id} was paused {self.paused}")
        if self.rollout.pause_on_failure and (failed := self.failures()):
            names = ", ".join(ServiceKey.parse(key).service for key in failed[:3])
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""  # noqa: PLR2004 - as many as are named
            why = f"{names}{more} failed; change a spec, or run: logroute rollout resume {self.change.id}"
            return Hold(Reason.ROLLOUT_PAUSED, f"change {self.change.id} is paused: {why}")
        return None

    def failures(self) -> list[str]:
        """Those that nobody has acknowledged."""
        return [key for key in self.failed if key not in self.change.acknowledged]

    def turn(self, key: str) -> Hold | None:
        if self.batch_of[key] <= self.current:
            return None
        where = f"batch {self.batch_of[key] + 1} of {len(self.change.batches)}; batch {self.current + 1} is not over"
        return Hold(Reason.WAITING_FOR_TURN, f"change {self.change.id}: it goes in {where}")

    @property
    def over(self) -> bool:
        return not any(self.counts[state] for state in (*OPEN, State.ASIDE))


class Waves:
    """Thread-safe. A pass tells all plans of its place (`passed`), a worker asks before it writes (`admit`) and tells
    what came of it (`settled`, `failed`); `due` gives those whose turn has come, each once.
    """

    def __init__(
        self,
        ledger: Ledger[Change],
        notes: Notes,
        recall: Callable[[str], ServiceMemory | None],
    ) -> None:
        self.ledger, self._notes, self._recall = ledger, notes, recall
        self._lock = threading.RLock()
        self._open: dict[str, _Open] = {}
        self._member_of: dict[str, _Open] = {}
        self._busy: set[str] = set()
        """Services with a rollout of ours, and those whose turn it is."""
        self._parked: dict[str, ServicePlan] = {}
        """Repairs for which there was no room."""
        self._moved: set[str] = set()
        """What workers did since the pass began: it knows less of these than we do."""
        self._blind = "no pass has been made yet"

    def pass_begins(self) -> None:
        with self._lock:
            self._moved.clear()

    def passed(
        self,
        plans: Mapping[ServiceKey, ServicePlan],
        revision: str,
        now: float,
        unread: Callable[[ServiceKey], bool] = lambda _key: False,
    ) -> dict[ServiceKey, Hold]:
        """Who waits, and why; all others may go. Writes down what begins and what is over. `unread`: services that the
        pass could not look at. Raises AwsError.
        """
        with self._lock:
            self._blind = next(iter(self.ledger.unreadable().values()), "")
            some = {str(key): plan for key, plan in plans.items()}
            states = {key: self._state(key, plan) for key, plan in some.items()}
            self._busy = {key for key, state in states.items() if state is State.RUNNING}
            self._parked = {key: plan for key, plan in self._parked.items() if states.get(key) is State.WAITING}
            tags = {key: plan.asks for key, plan in some.items() if plan.asks}  # the others stay where they were
            if not self._blind:
                absent = {key: self._absent(key, unread) for key in self._named() if key not in some}
                self._begin(some, {**absent, **states}, tags, revision, now)
            self._look_at_notes()
            due = set(self._due(now))
            waiting = {key: plan for key, plan in plans.items() if states[str(key)] is State.WAITING}
            return dict(self._held(waiting, due, now))

    def _held(
        self, waiting: Mapping[ServiceKey, ServicePlan], due: Collection[str], now: float
    ) -> Iterator[tuple[ServiceKey, Hold]]:
        for key, plan in waiting.items():
            if str(key) not in due and (hold := self._hold(str(key), plan, now)):
                if not is_explained(plan):
                    self._parked[str(key)] = plan
                yield key, hold

    def _named(self) -> set[str]:
        changes = (*(one.change for one in self._open.values()), *(change for _, change in self.ledger.items()))
        return {key for change in changes for key in change.members}

    def _absent(self, key: str, unread: Callable[[ServiceKey], bool]) -> State:
        """A member that is in no plan is gone, or has its originals back; or nobody could look."""
        if is_on_its_way(self._recall(key)):
            return State.RUNNING
        return State.ASIDE if unread(ServiceKey.parse(key)) else State.DONE

    def _state(self, key: str, plan: ServicePlan) -> State:
        if key in self._moved:
            one = self._member_of.get(key)
            live = one.states.get(key) if one else None
            return live or (State.RUNNING if key in self._busy else state_of(plan, self._recall(key)))
        return state_of(plan, self._recall(key))

    def _begin(
        self,
        plans: Mapping[str, ServicePlan],
        states: Mapping[str, State],
        tags: Mapping[str, str],
        revision: str,
        now: float,
    ) -> None:
        kept = {one.change.id: one.change for one in self._open.values()} | dict(self.ledger.items())
        known = sorted(kept.values(), key=lambda one: (one.begun, one.id))
        belongs = {key: one for one in known for key, tag in one.members.items() if tags.get(key, tag) == tag}
        fresh = [plan for key, plan in plans.items() if key not in belongs and joins(plan, self._recall(key))]
        begun = list(new_changes(fresh, revision, now))
        belongs |= {key: one for one in begun for key in one.members}
        opened = {one.id: _Open.of(one, self._members(one, belongs, states)) for one in (*known, *begun)}
        over: dict[str, None] = {name: None for name, one in opened.items() if one.over}
        self.ledger.update({**{one.id: one for one in begun}, **over})
        for kind in (NoteKind.ROLLOUT_PAUSED, NoteKind.ROLLOUT_RESUMED, NoteKind.ROLLOUT_ABORTED):
            self._notes.keep(kind, over)
        self._open = {name: one for name, one in opened.items() if name not in over}
        self._member_of = {key: one for one in self._open.values() for key in one.states}
        for key, plan in plans.items():
            one = self._member_of.get(key)
            if one and (states[key] is State.WAITING or one.rollout is NO_ROUTE):
                one.rollout = plan.rollout

    def _members(self, change: Change, belongs: Mapping[str, Change], states: Mapping[str, State]) -> dict[str, State]:
        return {key: states[key] for key in change.members if belongs.get(key) is change}

    def _look_at_notes(self) -> None:
        """What people said about these changes, heard before S3 is asked for anything: it may say no. A resume
        acknowledges the failures there are, and is used up.
        """
        kinds = (NoteKind.ROLLOUT_PAUSED, NoteKind.ROLLOUT_RESUMED, NoteKind.ROLLOUT_ABORTED)
        for name, one in self._open.items():
            one.unknown = next(filter(None, (self._notes.unknown(kind, name) for kind in kinds)), "")
            one.paused = self._notes.get(NoteKind.ROLLOUT_PAUSED, name)
            one.aborted = self._notes.get(NoteKind.ROLLOUT_ABORTED, name)
        for name, one in self._open.items():
            if self._notes.get(NoteKind.ROLLOUT_RESUMED, name):
                one.change = replace(one.change, acknowledged=(*one.change.acknowledged, *one.failures()))
                if self.ledger.get(name):
                    self.ledger.put(name, one.change)
                self._notes.keep(NoteKind.ROLLOUT_PAUSED, {name: None})
                self._notes.keep(NoteKind.ROLLOUT_RESUMED, {name: None})
                one.paused = None

    def admit(self, plan: ServicePlan, now: float) -> ServicePlan:
        """Right before a write: held, or counted as running from now on."""
        if plan.hold or not plan.changes or plan.kind is Kind.ROLL_BACK:
            return plan
        key = str(plan.key)
        with self._lock:
            self._moved.add(key)
            self._busy.discard(key)
            if hold := self._hold(key, plan, now):
                self._wait(key, plan)
                return plan.held_by(hold)
            self._parked.pop(key, None)
            self._put(key, State.RUNNING)
            self._busy.add(key)
            return plan

    def settled(self, plan: ServicePlan | None, key: ServiceKey) -> None:
        """After a look at a service, whatever came of it."""
        with self._lock:
            name = str(key)
            memory = self._recall(name)
            state = State.DONE if plan is None else state_of(plan, memory)
            if plan is not None and plan.hold and plan.hold.reason in WAITS and not is_on_its_way(memory):
                return  # `admit` has seen to it
            if state is State.WAITING:
                state = State.RUNNING  # it was let through, and is looked at again in a moment
            self._moved.add(name)
            if state is State.RUNNING:
                self._busy.add(name)
            else:
                self._busy.discard(name)
            self._put(name, state)

    def failed(self, key: ServiceKey) -> None:
        """An error: it is tried again, and nobody waits for it meanwhile."""
        with self._lock:
            name = str(key)
            if not is_on_its_way(self._recall(name)):
                self._busy.discard(name)
                self._put(name, State.ASIDE)

    def due(self, now: float) -> list[ServiceKey]:
        """Those whose turn has come since the last time."""
        with self._lock:
            return [ServiceKey.parse(key) for key in self._due(now)]

    def opens(self, now: float) -> tuple[ServiceKey, float] | None:
        """One that waits for a window, and in how many seconds that opens, where no pass may come by in time."""
        with self._lock:
            parked = [(key, plan.rollout) for key, plan in self._parked.items()]
            first = [(one.queue[0], one.rollout) for one in self._open.values() if one.queue and not one.stopped()]
            found = [(opens_in(rollout.windows, now), key) for key, rollout in (*parked, *first) if rollout.windows]
            seconds, key = min(((wait, key) for wait, key in found if wait), default=(0.0, ""))
            return (ServiceKey.parse(key), seconds) if key else None

    def _due(self, now: float) -> Iterator[str]:
        for key, plan in list(self._parked.items()):
            if self._room(plan.rollout) and not _closed(plan.rollout, now):
                del self._parked[key]
                self._busy.add(key)
                yield key
        for one in self._open.values():
            if one.queue and (one.stopped() or _closed(one.rollout, now)):
                continue
            while one.queue and self._room(one.rollout):
                key = one.queue.popleft()
                if one.states[key] is State.WAITING and key not in self._busy:
                    self._busy.add(key)
                    yield key

    def _hold(self, key: str, plan: ServicePlan, now: float) -> Hold | None:
        if hold := _closed(plan.rollout, now):
            return hold
        if is_explained(plan):
            if self._blind:
                return Hold(Reason.UNKNOWN, f"which changes are under way is not known: {self._blind}")
            one = self._member_of.get(key)
            if one is None or one.change.members[key] != plan.asks:
                return NEXT_PASS
            if hold := one.stopped() or one.turn(key):
                return hold
        if not self._room(plan.rollout):
            most = plan.rollout.max_parallel
            return Hold(Reason.WAITING_FOR_TURN, f"{most} rollouts run in {plan.key.place}, as many as may at once")
        return None

    def _wait(self, key: str, plan: ServicePlan) -> None:
        if is_explained(plan):
            self._put(key, State.WAITING)
        else:
            self._parked[key] = plan

    def _put(self, key: str, state: State) -> None:
        if one := self._member_of.get(key):
            one.put(key, state)

    def _room(self, rollout: Rollout) -> bool:
        return not rollout.max_parallel or len(self._busy) < rollout.max_parallel

    @property
    def patience(self) -> float:
        """How much longer than usual the next look may take: many rollouts together must not use up the reads."""
        with self._lock:
            return max(1.0, len(self._busy) / MANY)

    def plain(self) -> list[dict[str, Any]]:
        """For the status: each change, how far it is, and what stops it."""
        with self._lock:
            return [_told(one) for one in self._open.values()]


def _closed(rollout: Rollout, now: float) -> Hold | None:
    if not rollout.windows or not (seconds := opens_in(rollout.windows, now)):
        return None
    return Hold(Reason.OUTSIDE_WINDOW, f"no window of its rollout is open; the next opens in {_span(seconds)}")


def _span(seconds: float) -> str:
    minutes = int(seconds + 59) // 60
    hours, days = minutes // 60, minutes // 1440
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else f"{minutes} min"


def _told(one: _Open) -> dict[str, Any]:
    stopped = one.stopped()
    state = "aborted" if one.aborted else "paused" if stopped else "running"
    return {
        "id": one.change.id,
        "revision": one.change.revision,
        "begun": one.change.begun,
        "state": state,
        "why": stopped.message if stopped else "",
        "batch": one.current + 1,
        "batches": len(one.change.batches),
        "services": {state.value: one.counts[state] for state in State},
    }
