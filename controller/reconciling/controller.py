"""The controller: polls the source, looks at every place, hands single services to workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.aws.ports import AwsError, LeaseLost
from controller.planning.guards import UNCOUNTED, Counted, Permit
from controller.planning.model import Hold, ServicePlan
from controller.planning.waves import is_explained
from controller.reconciling.adoption import adopt
from controller.reconciling.asked import drop_answered
from controller.reconciling.board import StatusBoard
from controller.reconciling.guarding import count_in, guarded
from controller.reconciling.keeper import SpecKeeper, Specs
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.plans import PlanBook
from controller.reconciling.preflight import MOST
from controller.reconciling.service import reconcile
from controller.reconciling.shards import Shards
from controller.reconciling.survey import Survey, in_turn, survey_place
from controller.reconciling.telling import Telling
from controller.reconciling.waves import NEXT_PASS
from controller.reconciling.world import World
from controller.runtime.queue import WorkQueue
from controller.sources.errors import SourceError

ROLLOUT, LOOK = 10, 0
"""Priorities in the queue: what has to be written, and what is only to be looked at again."""
READ_ONLY = Hold(Reason.READ_ONLY, "readOnly is set: this controller plans and reports, and writes nothing")


class Controller:
    """Wired by app.py. `poll_source`, `poll_notes` and `resync` are periodic tasks, `reconcile` is what workers do.

    Each place has a queue, and so workers, of its own: calls that hang or wait in one take none from another.
    """

    def __init__(
        self,
        world: World,
        keeper: SpecKeeper,
        queues: Mapping[Place, WorkQueue[ServiceKey]],
        telling: Telling,
        monotonic: Callable[[], float],
        shards: Shards | None = None,
    ) -> None:
        """`shards` None: all is this replica's to do."""
        self._world, self._keeper, self._queues, self._telling = world, keeper, queues, telling
        self._monotonic, self._shards = monotonic, shards or Shards(world)
        self._shards.on_gained, self._shards.on_lost = self._gained, self._lost
        self._deciding = threading.Lock()
        self._agreed: dict[Place, Specs] = {}
        """The specs of the last pass over each place: workers act on nothing that no pass has counted."""
        self._permit, self._counted = Permit(), dict[Place, Counted]()
        self._uncounted = set[Place]()
        """Places lost since the guards' last word: what was counted there is old."""
        self._noticed: Mapping[str, tuple[str, float]] | None = None
        """What people had said when it was last polled. Workers, and the pass over the controller's own place, read
        the ledger too: what is new in it tells nothing of who else has heard of it.
        """
        self.board = StatusBoard(
            lambda place: world.sites[place].waves.plain(), world.sites, world.shard_of, world.without_secrets
        )
        self.plans = PlanBook()
        self.finished_pass: float | None = None
        """Clock reading at the end of the last pass that could read at least one place."""
        self.gained: float | None = None
        """Clock reading when a place became ours to look after."""
        self.on_change: Callable[[], None] = lambda: None
        """There are specs, and they changed, or somebody asked for something."""
        self.on_waiting: Callable[[Place], None] = lambda _place: None
        """A service of the place waits for nothing but the next pass."""
        self.counts_between_passes = False
        """Events tell what to look at, and passes are far between."""
        self.on_gained: Callable[[], None] = lambda: None

    def _gained(self, place: Place) -> None:
        self.gained = self._monotonic()
        self._agreed.pop(place, None)  # a pass may have agreed on it after it was lost
        self._telling.gained(place)
        self.on_gained()

    def _lost(self, place: Place) -> None:
        """Nothing of it is told any more: another replica knows better. Whoever decides just now may wait for S3, and
        who beats must not.
        """
        self._agreed.pop(place, None)
        self._uncounted.add(place)
        self.board.forget(place)
        self.plans.forget(place)
        self._telling.lost(place)

    def stands_by(self) -> bool:
        """Other replicas look after everything."""
        return self._shards.stands_by()

    @property
    def has_specs(self) -> bool:
        return self._keeper.specs is not None

    def poll_source(self) -> None:
        """Raises SourceError, AwsError; the specs in force then stay as they are."""
        self._world.routes.ensure_loaded()
        before = self._keeper.specs
        try:
            self._keeper.poll()
            self.board.source("")
            self._telling.source_read()
        except SourceError as error:
            self.board.source(str(error), error.refused)
            self._telling.source_failed(error)
            raise
        finally:
            if self._keeper.specs is not None and self._keeper.specs is not before:
                self._telling.source_changed(self._keeper.specs)
                self.on_change()

    def poll_notes(self) -> None:
        """What a person asked for since the last pass begins at once. Raises AwsError."""
        if not self._agreed:
            return  # the first pass reads it anyway, or another replica does
        notes = self._world.notes
        before = notes.said() if self._noticed is None else self._noticed
        notes.ledger.load()
        self._noticed = notes.said()
        taken_back = any(key.startswith(f"{NoteKind.SUSPENDED} ") for key in before.keys() - self._noticed.keys())
        if taken_back or self._noticed.items() - before.items():
            self.on_change()

    def resync(self, place: Place | None = None) -> bool:
        """One pass over a place, or over one after the other; whether any was ours to make. Not to be called before the
        first snapshot: without specs nothing is decided.
        """
        made = [self._turn_to(one) for one in ([place] if place else sorted(self._world.sites))]
        return any(made)

    def _turn_to(self, place: Place) -> bool:
        with self._shards.work(place) as ours:
            try:
                if ours:
                    self._pass_over(place)
            except LeaseLost:
                if self._shards.holds(place):
                    raise
            return ours

    def _pass_over(self, place: Place) -> None:
        """Places wait for each other only where the guards, who count all of them, have their word."""
        specs, site = self._keeper.specs, self._world.sites[place]
        assert specs is not None  # noqa: S101
        if self._world.read_only:
            self._look_over(place, specs)
            return
        fresh = self._agreed.get(place) is not specs
        site.groups.forget()
        site.waves.pass_begins()
        seen = survey_place(
            self._world,
            specs,
            place,
            repair=True,
            halfway=partial(self._begin_repairs, place, specs),
        )
        if not self._shards.holds(place):
            return
        with self._deciding:
            permit = self._guarded(specs, seen, record=True)
            fresh = fresh or bool(seen.asked)
            self._permit, self._agreed[place] = permit, specs
            if place not in seen.errors:
                drop_answered(self._world, {place: seen.asked})
        self._telling.judged(permit, self._world.notes.all(NoteKind.APPROVED))
        seen = in_turn(self._world, specs, seen.under(permit))
        if not self._shards.keeps(place):
            return
        self._show(place, seen, specs)
        self._forget_what_is_gone(seen)
        self._telling.surveyed(seen, self.board)
        adopted = adopt(site, seen.plans, seen.adoptions)
        for plan in seen.pending:
            if plan.key not in adopted and (plan.hold is None or plan.hold.seconds is not None):
                self._queues[place].add(plan.key, ROLLOUT if plan.changes else LOOK, fresh=fresh)
        if opening := site.waves.opens(site.account.ecs.now()):
            key, seconds = opening
            self._queues[place].add_after(key, seconds + 1, ROLLOUT)  # a second later: clocks differ a little
        if all(self._agreed.get(one) is specs for one in self._shards.held()):
            self._keeper.forget(specs, partial(self._world.routes_in_use, specs.revision, self._shards.holds))
        if seen.saw_something:
            self.finished_pass = self._monotonic()

    def _show(self, place: Place, seen: Survey, specs: Specs) -> None:
        self.board.surveyed(seen, specs)
        self.plans.surveyed(seen, specs, self._world.sites[place].account.ecs.now())

    def _look_over(self, place: Place, specs: Specs) -> None:
        """What would be done, told, and nothing of it done. No worker asks IAM, so each pass does, about some roles."""
        if preflight := self._world.sites[place].vetting.preflight:
            preflight.most = MOST
        seen = survey_place(self._world, specs, place, repair=False)
        with self._deciding:
            seen = seen.under(self._guarded(specs, seen, record=False))
        seen = seen.holding(dict.fromkeys((plan.key for plan in seen.changes), READ_ONLY))
        self._show(place, seen, specs)
        self._telling.surveyed(seen, self.board)
        if seen.saw_something:
            self.finished_pass = self._monotonic()

    def _begin_repairs(self, place: Place, specs: Specs, seen: Survey) -> None:
        """What nobody's changed spec explains goes on before the rest of a long pass."""
        with self._deciding:
            self._permit = self._guarded(specs, seen, record=False)
            self._agreed[place] = specs
        for plan in seen.under(self._permit).pending:
            if plan.hold is None and not is_explained(plan):
                self._queues[place].add(plan.key, ROLLOUT if plan.changes else LOOK)

    def _guarded(self, specs: Specs, seen: Survey, *, record: bool) -> Permit:
        while self._uncounted:
            self._counted.pop(self._uncounted.pop(), None)
        return guarded(self._world, specs, seen, record=record, counted=self._counted, ours=self._shards.holds)

    def reconcile(self, key: ServiceKey) -> float | None:
        place = self._world.shard_of(key)
        with self._shards.work(place) as ours:
            return self._reconcile(place, key) if ours else self._shards.again(place)

    def _reconcile(self, place: Place, key: ServiceKey) -> float | None:
        specs = self._agreed.get(place)
        if specs is None:
            return None
        try:
            step = reconcile(self._world.sites[place], specs, key, partial(self._judged, place, specs))
        except LeaseLost:
            return self._shards.again(place)
        except AwsError as error:
            self._hand_out(place)
            self._failed(key, Reason.AWS_ERROR, str(error))
            raise
        except Exception as error:
            self._failed(key, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
            raise
        if not self._shards.keeps(place):
            return None
        self._hand_out(place)
        self.board.stepped(key, step)
        self._telling.stepped(key, step, self.board)
        if step.plan and step.plan.hold in (UNCOUNTED, NEXT_PASS):
            self.on_waiting(place)
        return step.again

    def _judged(self, place: Place, specs: Specs, plan: ServicePlan) -> ServicePlan:
        """The guards' word; where no pass has seen what an event told of, it is counted now, beside what they have."""
        judged = self._permit.apply(plan)
        if judged.hold is not UNCOUNTED or not self.counts_between_passes:
            return judged
        with self._deciding:
            self._permit = count_in(self._world, specs, place, plan, self._permit, self._counted)
            return self._permit.apply(plan)

    def _failed(self, key: ServiceKey, reason: Reason, error: str) -> None:
        if self._shards.keeps(self._world.shard_of(key)):
            self.board.failed(key, reason, error)
            self._telling.failed(key, reason, error, self.board)

    def _hand_out(self, place: Place) -> None:
        """Those whose turn came by what a worker did."""
        site = self._world.sites[place]
        for key in site.waves.due(site.account.ecs.now()):
            self._queues[place].add(key, ROLLOUT)

    def save_status(self) -> None:
        """Of each place that is ours, where it changed. Raises AwsError."""
        if self._world.read_only:
            return
        for place in self._shards.held():
            self.board.save(place, self._world.objects, self._world.status_key(place))

    def _forget_what_is_gone(self, seen: Survey) -> None:
        """Services that a cluster, read whole, no longer has."""
        for place, read in seen.seen.items():
            ledger = self._world.sites[place].memories
            keys = (ServiceKey.parse(text) for text, _memory in ledger.items())
            whole = read.clusters - read.errors.keys()
            gone = (key for key in keys if key.cluster in whole and key not in read.services)
            ledger.update(dict.fromkeys(map(str, gone)))
