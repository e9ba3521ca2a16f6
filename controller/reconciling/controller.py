"""The controller: polls the source, looks at everything, hands single services to workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.aws.ports import AwsError
from controller.planning.guards import Permit
from controller.reconciling.board import StatusBoard
from controller.reconciling.guarding import guarded
from controller.reconciling.keeper import SpecKeeper, Specs
from controller.reconciling.service import Step, reconcile
from controller.reconciling.survey import Survey, survey
from controller.reconciling.world import STATE, STATUS, World
from controller.runtime.queue import WorkQueue
from controller.sources.errors import SourceError

ROLLOUT, LOOK = 10, 0
"""Priorities in the queue: what has to be written, and what is only to be looked at again."""


class Telling(Protocol):
    """Who is told what happened; telemetry implements it."""

    def source_changed(self, specs: Specs) -> None: ...

    def source_failed(self, error: SourceError) -> None: ...

    def surveyed(self, seen: Survey, board: StatusBoard) -> None: ...

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None: ...


class Controller:
    """Wired by app.py. `poll_source`, `poll_notes` and `resync` are periodic tasks, `reconcile` is what workers do."""

    def __init__(
        self,
        world: World,
        keeper: SpecKeeper,
        queue: WorkQueue[ServiceKey],
        telling: Telling,
        monotonic: Callable[[], float],
    ) -> None:
        self._world, self._keeper, self._queue, self._telling = world, keeper, queue, telling
        self._monotonic = monotonic
        self._agreed: tuple[Specs, Permit] | None = None
        """The specs of the last pass and the guards' word on it: workers act on nothing that no pass has counted."""
        self.board = StatusBoard()
        self.finished_pass: float | None = None
        """Clock reading at the end of the last pass that could read at least one place."""
        self.on_change: Callable[[], None] = lambda: None

    @property
    def has_specs(self) -> bool:
        return self._keeper.specs is not None

    def poll_source(self) -> None:
        """Raises SourceError, AwsError; the specs in force then stay as they are."""
        self._world.routes.ensure_loaded()
        try:
            changed = self._keeper.poll()
        except SourceError as error:
            self.board.source(str(error))
            self._telling.source_failed(error)
            raise
        self.board.source("")
        if changed and self._keeper.specs is not None:
            self._telling.source_changed(self._keeper.specs)
            self.on_change()

    def poll_notes(self) -> None:
        """What a person asked for since the last pass begins at once. Raises AwsError."""
        if self._agreed is None:
            return  # the first pass reads it anyway
        notes = self._world.notes.ledger
        before = dict(notes.items())
        notes.load()
        if dict(notes.items()) != before:
            self.on_change()

    def resync(self) -> None:
        """One pass over everything. Not to be called before the first snapshot: without specs nothing is decided."""
        specs = self._keeper.specs
        assert specs is not None  # noqa: S101
        for site in self._world.sites.values():
            site.groups.forget()
        seen = survey(self._world, specs, repair=True)
        fresh = self._agreed is None or specs is not self._agreed[0] or bool(seen.asked)
        permit = guarded(self._world, specs, seen, record=True)
        seen = seen.under(permit)
        self._agreed = (specs, permit)
        self.board.surveyed(seen, specs)
        self._forget_what_is_gone(seen)
        self._telling.surveyed(seen, self.board)
        for plan in seen.pending:
            if plan.hold is None or plan.hold.seconds is not None:
                self._queue.add(plan.key, ROLLOUT if plan.changes else LOOK, fresh=fresh)
        self._keeper.forget(self._world.routes_in_use)
        if seen.saw_something:
            self.finished_pass = self._monotonic()

    def reconcile(self, key: ServiceKey) -> float | None:
        if self._agreed is None:
            return None
        specs, permit = self._agreed
        try:
            step = reconcile(self._world.site_of(key), specs, key, permit)
        except AwsError as error:
            self.board.failed(key, Reason.AWS_ERROR, str(error))
            raise
        except Exception as error:
            self.board.failed(key, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
            raise
        self.board.stepped(key, step)
        self._telling.stepped(key, step, self.board)
        return step.again

    def save_status(self) -> None:
        """Raises AwsError."""
        site = self._world.home_site
        self.board.save(site.account.bucket(site.install.store.bucket), site.install.store.key(STATE, STATUS))

    def _forget_what_is_gone(self, seen: Survey) -> None:
        """Services that a cluster, read whole, no longer has."""
        for place, read in seen.seen.items():
            ledger = self._world.sites[place].memories
            for text, _memory in list(ledger.items()):
                key = ServiceKey.parse(text)
                if key.cluster in read.clusters and key.cluster not in read.errors and key not in read.services:
                    ledger.put(text, None)
