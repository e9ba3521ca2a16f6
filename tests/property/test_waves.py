"""However rollouts end, and whenever passes and restarts come: batches in order, no more at once than may, all reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.api.kinds import Rollout
from controller.planning.memory import ASLEEP, Held, ServiceMemory, Stage
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.planning.waves import Change, State, new_changes
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.notes import Note, Notes
from controller.reconciling.waves import Waves
from controller.state.ledger import Ledger
from tests.support.aws import MemoryStore

PLACE = Place("main", "us-east-1")
TAG = "f" * 64
MOVING = ServiceMemory("r", "b", "d", TAG, Stage.ROLLING)
SETTLED = replace(MOVING, stage=Stage.SETTLED)


@dataclass
class Fleet:
    """Services that want a router, a store, and what is remembered; `waves` is a process, which may be killed."""

    rollout: Rollout
    keys: list[ServiceKey]
    stages: Mapping[ServiceKey, int]
    store: MemoryStore = field(default_factory=MemoryStore)
    memories: dict[str, ServiceMemory] = field(default_factory=dict)
    queue: list[ServiceKey] = field(default_factory=list)
    begun: list[ServiceKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        ledger = Ledger(self.store, "waves", Change.from_plain)
        notes = Notes(self.store, "notes", lambda: 0.0)
        ledger.load()
        notes.ledger.load()
        self.waves, self.ledger, self.notes = Waves(ledger, notes, self.memories.get), ledger, notes
        self.queue.clear()

    def plan(self, key: ServiceKey) -> ServicePlan:
        memory = self.memories.get(str(key))
        plan = ServicePlan(key, Kind.NOTHING, asks=TAG, rollout=self.rollout, stage=self.stages[key])
        if memory and memory.held:
            failed = Hold(Reason.ROLLED_BACK, "it failed")
            return replace(plan, kind=Kind.ROUTE, reasons=(Because(Reason.NEW_ROUTE, ""),)).held_by(failed)
        if memory:
            return replace(plan, kind=Kind.WATCH if memory.stage is Stage.ROLLING else Kind.NOTHING)
        return replace(plan, kind=Kind.ROUTE, reasons=(Because(Reason.NEW_ROUTE, ""),))

    def a_pass(self) -> None:
        self.waves.pass_begins()
        plans = {key: self.plan(key) for key in self.keys}
        holds = self.waves.passed(plans, "revision", 0.0)
        self.queue += [key for key, plan in plans.items() if plan.changes and not plan.hold and key not in holds]

    def work(self) -> None:
        """One key, as a worker does it."""
        if self.queue:
            key = self.queue.pop(0)
            plan = self.plan(key)
            if (admitted := self.waves.admit(plan, 0.0)).changes and not admitted.hold:
                self.memories[str(key)] = MOVING
                self.begun.append(key)
            self.waves.settled(admitted, key)
            self.queue += self.waves.due(0.0)

    def end(self, key: ServiceKey, how: str) -> None:
        """A rollout that ends, and the look at it."""
        before = self.memories[str(key)]
        ends = {
            "asleep": replace(before, progress=ASLEEP),
            "failed": replace(SETTLED, held={"d": Held("it failed", "", 0.0)}),
        }
        self.memories[str(key)] = ends.get(how, SETTLED)
        self.waves.settled(self.plan(key), key)
        self.queue += self.waves.due(0.0)

    @property
    def running(self) -> list[ServiceKey]:
        return [key for key in self.keys if (one := self.memories.get(str(key))) and is_moving(one)]

    @property
    def order(self) -> dict[ServiceKey, int]:
        """Key → its batch."""
        (change,) = new_changes([self.plan_before(key) for key in self.keys], "revision", 0.0)
        return {ServiceKey.parse(key): batch for key, batch in change.batch_of().items()}

    def plan_before(self, key: ServiceKey) -> ServicePlan:
        return ServicePlan(key, Kind.ROUTE, asks=TAG, rollout=self.rollout, stage=self.stages[key])


def is_moving(memory: ServiceMemory) -> bool:
    return memory.stage is Stage.ROLLING and memory.progress != ASLEEP


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    count = draw(st.integers(1, 12))
    keys = [ServiceKey(PLACE, "c", f"s{number:02}") for number in range(count)]
    batch = draw(st.sampled_from(["1", "2", "5", "10%", "50%", "100%"]))
    rollout = Rollout.model_validate({"batch": batch, "maxParallel": draw(st.integers(0, 4)), "pauseOnFailure": True})
    return Fleet(rollout, keys, {key: draw(st.integers(0, 2)) for key in keys})


def looked_after(fleet: Fleet) -> None:
    """What must hold at any moment."""
    most = fleet.rollout.max_parallel
    assert not most or len(fleet.running) <= most
    assert len(set(fleet.begun)) == len(fleet.begun)
    batches = fleet.order
    for key in fleet.running:
        before = [one for one, batch in batches.items() if batch < batches[key]]
        assert all(str(one) in fleet.memories and one not in fleet.running for one in before)


@given(fleets(), st.data())
def test_batches_go_in_order_and_everybody_is_reached(fleet: Fleet, data: st.DataObject) -> None:
    fleet.a_pass()
    for _ in range(12 * len(fleet.keys) + 12):
        steps = ["pass", "work", "work", "kill", *(["end"] * 2 if fleet.running else [])]
        step = data.draw(st.sampled_from(steps))
        if step == "pass":
            fleet.a_pass()
        elif step == "kill":
            fleet.start()
            fleet.a_pass()
        elif step == "end":
            fleet.end(data.draw(st.sampled_from(fleet.running)), data.draw(st.sampled_from(["done", "asleep"])))
        else:
            fleet.work()
        looked_after(fleet)
    finish(fleet)
    assert len(fleet.begun) == len(fleet.keys)
    fleet.a_pass()
    assert fleet.waves.plain() == []
    assert dict(fleet.ledger.items()) == {}


@given(fleets(), st.data())
def test_after_a_failure_nothing_more_begins(fleet: Fleet, data: st.DataObject) -> None:
    fleet.a_pass()
    while not fleet.running:
        fleet.work()
    fleet.end(data.draw(st.sampled_from(fleet.running)), "failed")
    begun = list(fleet.begun)
    if data.draw(st.booleans()):
        fleet.start()
    finish(fleet)
    assert fleet.begun == begun
    if len(begun) < len(fleet.keys):
        (told,) = fleet.waves.plain()
        assert (told["state"], told["services"][State.WAITING]) == ("paused", len(fleet.keys) - len(begun))


def finish(fleet: Fleet) -> None:
    """All that runs ends well, and a pass comes now and then."""
    for _ in range(3 * len(fleet.keys) + 3):
        fleet.a_pass()
        while fleet.queue:
            fleet.work()
        for key in fleet.running:
            fleet.end(key, "done")
        looked_after(fleet)


@given(fleets())
def test_a_pause_lets_nothing_begin_and_a_resume_lets_it_go_on(fleet: Fleet) -> None:
    fleet.a_pass()
    told = fleet.waves.plain()
    notes = Notes(fleet.store, "notes", lambda: 0.0)
    notes.ledger.load()
    notes.write(NoteKind.ROLLOUT_PAUSED, told[0]["id"], Note("ann", 0.0))
    if len(fleet.keys) > 1:
        fleet.start()
        finish(fleet)
        assert fleet.begun == []
        notes.ledger.load()
        notes.write(NoteKind.ROLLOUT_RESUMED, told[0]["id"], Note("ann", 0.0))
        fleet.start()
        finish(fleet)
        assert len(fleet.begun) == len(fleet.keys)
