"""The controller as a process: every task, worker and server of it, started and stopped together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from controller import __version__, wiring
from controller import app as composition
from controller.api.keys import Place, ServiceKey
from controller.aws.limiter import FAMILIES
from controller.aws.ports import AwsError
from controller.notifying.commits import CommitStatus
from controller.notifying.sender import Sender
from controller.notifying.sinks import sinks
from controller.overview import Overview
from controller.planning.model import Kind
from controller.reconciling.controller import LOOK, Controller
from controller.reconciling.garbage import look
from controller.reconciling.listening import Asks, Listener
from controller.reconciling.telling import Several
from controller.runtime.clock import SystemClock
from controller.runtime.leases import BEAT, RUN
from controller.runtime.loop import Periodic
from controller.runtime.queue import WorkQueue
from controller.runtime.stopping import Stoppable, Stopper, stop_all
from controller.runtime.workers import Workers
from controller.secret_reader import SecretReader
from controller.settings import HookSettings, Settings
from controller.sources.errors import Reason as SourceReason
from controller.sourcing import repository
from controller.telemetry import table
from controller.telemetry.journal import Journal
from controller.telemetry.metrics import Metrics
from controller.telemetry.observer import Observer
from controller.telling import Teller
from controller.web.app import Shown, create_app
from controller.web.health import Health
from controller.web.hooks import Hooks
from controller.web.live import Live
from controller.web.server import Server, parse_address

WORKERS = 4
"""For each account and region. A service is some ten calls of 50 ms, and ECS registers one revision a second."""
STOP_SECONDS = 9.0
"""Seconds that a stop may take; ECS and Kubernetes users expect ten at the most."""
STATUS_SECONDS = 10.0
HISTORY_SECONDS = 5.0
CANARY_SECONDS = 300.0
FAILING_SECONDS = 30.0
"""The longest wait between two requests to a queue that cannot be read."""
NOT_OURS_SECONDS = 5.0
"""Between two looks whether a place, and so its queue, has become ours."""
PASS_SPACE = 60.0
"""Seconds between two passes that events ask for: one over ten thousand services is a thousand requests."""
SOURCE_GAP = 1.0
"""Seconds between two polls of the source, however many hooks come in."""
LAST_WORD = 1.0
"""Seconds for what is to be said still."""
LAST_WRITE = 0.5
"""Seconds for a write that is on its way still."""
GARBAGE_SECONDS = 24 * 3600.0
GARBAGE_RETRY = 3600.0
"""A sweep costs a call or two for each service."""
FIRST_PASS_SECONDS = 1800.0
"""A first pass over ten thousand services that nothing is remembered of takes a quarter of an hour."""


class Daemon:
    """Nothing runs before `run`. Raises SettingsError, SourceError, AwsError, ListenError where it cannot."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._clock, self._stopper = settings, SystemClock(), Stopper()
        self._metrics = _metrics()
        self._metrics.read_only(on=settings.read_only)
        self._observer = Observer(self._metrics)
        self._teller = Teller(self._metrics, repairs=not settings.read_only)
        self._app = composition.build(
            settings,
            observer=self._teller,
            waited=self._metrics.aws_limiter_waited,
            told=self._teller.config_checked,
        )
        self._leases = None if settings.read_only else composition.share(self._app, RUN, observer=self._teller)
        self._places = sorted(self._app.world.sites)
        self._journal, self._history = Journal(), wiring.history(self._app)
        if not settings.read_only:
            self._journal.listeners.append(self._history.tell)
        self._reader = SecretReader(self._app.secrets, self._clock.monotonic)
        self._senders = self._made_senders()
        self._journal.listeners += [sender.tell for sender in self._senders]
        self._queues: dict[Place, WorkQueue[ServiceKey]] = {
            place: WorkQueue(clock=self._clock, observer=self._observer) for place in self._places
        }
        self._controller = self._made_controller()
        self._workers = [
            Workers(queue, self._controller.reconcile, clock=self._clock, count=WORKERS, observer=self._observer)
            for queue in self._queues.values()
        ]
        self._source = self._periodic("source", self._controller.poll_source, settings.poll, gap=SOURCE_GAP)
        self._notes = self._periodic("notes", self._controller.poll_notes, settings.poll, gap=SOURCE_GAP)
        self._listeners = self._made_listeners()
        self._passes = {
            place: self._periodic(f"resync {place}", partial(self._controller.resync, place), self._interval(place))
            for place in self._places
        }
        self._collector = self._app.collector()
        self._tasks = [self._source, self._notes, *self._other_tasks(), *self._listening_tasks()]
        self._beats = self._lease_tasks()
        self._garbage = self._garbage_tasks()
        starting = _Starting(list(self._passes.values()))
        self._controller.on_change = starting.specs_changed
        self._controller.on_gained = partial(starting.gained, self._garbage)
        self._watch_metrics()
        self._overview = Overview(
            self._app.world, self._controller, self._app.shards, self._journal, self._clock.monotonic
        )
        self._tasks += self._commit_tasks()
        self._server = self._made_server()

    def run(self) -> int:
        """Until SIGTERM or Ctrl-C."""
        log = structlog.get_logger()
        with self._stopper.on_signals():
            self._server.start()
            log.info(
                "started",
                version=__version__,
                source=self._settings.source,
                listen=self._server.url,
                places=[str(place) for place in self._places],
                replica=self._leases.replica if self._leases else "",
                read_only=self._settings.read_only,
            )
            for part in self._workers:
                part.start()
            for sender in self._senders:
                sender.start()
            for task in (*self._beats, *self._tasks, *self._garbage):
                task.start()
            self._stopper.wait()
            log.info("stopping", reason=self._stopper.reason)
            log.info("stopped", finished=self._stop())
        return 0

    def _stop(self) -> bool:
        """What goes on is finished, or cut off where it takes too long; whether all was finished."""
        if self._collector:
            self._collector.stop()
        parts: tuple[Stoppable, ...] = (
            *self._tasks,
            *self._passes.values(),
            *self._garbage,
            *self._workers,
            self._server,
        )
        ended = stop_all(self._clock, STOP_SECONDS, *parts)
        with suppress(AwsError):
            self._history.flush()
        with suppress(AwsError):  # the next start tells the same, a little later
            self._controller.save_status()
        with suppress(AwsError):  # others wait until it is plain that we are gone
            ended &= all(one.stop(STOP_SECONDS) for one in self._beats)
            ended &= self._leases.close(0.0 if ended else LAST_WRITE) if self._leases else True
        stop_all(self._clock, LAST_WORD, *self._senders)  # a chat that hangs is no reason to call the stop unfinished
        return ended

    def _made_controller(self) -> Controller:
        chronicle = wiring.chronicle(self._app, self._journal.tell, lambda: self._clock.now().timestamp())
        self._telling = Several([self._teller, chronicle])
        return Controller(
            self._app.world,
            self._app.keeper,
            self._queues,
            self._telling,
            self._clock.monotonic,
            self._app.shards,
        )

    def _made_senders(self) -> list[Sender]:
        """Who is told. Nobody, by who may write nothing: another controller tells the same."""
        settings, home = self._settings, self._app.accounts[self._app.world.home_place]
        if settings.read_only:
            return []
        now = lambda: self._clock.now().timestamp()  # noqa: E731 - the clock's, each time
        found = sinks(settings.notifications, settings.owner, self._reader, home.topic, now)
        series = [(one.name, result) for one in found for result in table.NOTIFICATION_RESULTS]
        self._metrics.expect(table.NOTIFICATIONS, series)
        return [Sender(one, self._clock, self._metrics.notified) for one in found]

    def _commit_tasks(self) -> list[Periodic]:
        """Raises SettingsError."""
        settings = self._settings
        if settings.commit_status is None or settings.read_only:
            return []
        speaks = partial(self._app.shards.holds, self._app.world.home_place)
        told = CommitStatus(
            settings.commit_status,
            repository(settings),
            settings.owner,
            self._reader,
            self._overview.status,
            lambda: speaks() and self._controller.finished_pass is not None,
        )
        return [self._periodic("commit-status", told.tell, STATUS_SECONDS)]

    def _other_tasks(self) -> list[Periodic]:
        controller, settings = self._controller, self._settings
        tasks = [
            self._periodic("status", controller.save_status, STATUS_SECONDS),
        ]
        if not settings.read_only:
            tasks.append(self._periodic("history", self._keep_history, HISTORY_SECONDS))
        return tasks

    def _made_listeners(self) -> dict[Place, Listener]:
        controller, queues = self._controller, self._queues

        def look(key: ServiceKey) -> None:
            queues[self._app.world.shard_of(key)].add(key, LOOK)

        def resync(place: Place) -> None:
            self._passes[place].nudge_spaced(PASS_SPACE)

        asks = Asks(self._source.nudge, self._notes.nudge, resync, look)
        made = {
            place: wiring.listener(self._app, place, asks, self._telling, self._metrics.event_heard)
            for place in self._places
        }
        found = {place: one for place, one in made.items() if one}
        controller.counts_between_passes = bool(found)
        if found:
            controller.on_waiting = resync
        return found

    def _listening_tasks(self) -> list[Periodic]:
        tasks = []
        for place, listener in self._listeners.items():
            tasks.append(self._periodic(f"events {place}", listener.listen, partial(_listening_pause, listener)))
            tasks.append(self._periodic(f"canary {place}", partial(self._sing, listener), CANARY_SECONDS))
        return tasks

    def _sing(self, listener: Listener) -> bool:
        """And see whether the last one was heard."""
        self._metrics.events_healthy(listener.place, healthy=listener.healthy())
        self._passes[listener.place].recheck()
        return listener.sing()

    def _interval(self, place: Place) -> Callable[[], float]:
        """Seconds between two passes over a place: many where its events come through."""
        settings, listener = self._settings, self._listeners.get(place)
        if listener is None:
            return lambda: settings.resync
        return lambda: max(settings.resync, settings.events.resync) if listener.healthy() else settings.resync

    def _keep_history(self) -> bool:
        self._metrics.history_dropped(self._history.dropped)
        return self._history.flush()

    def _lease_tasks(self) -> list[Periodic]:
        if self._leases is None:
            return []
        return [self._periodic("leases", self._leases.tick, BEAT, backoff=lambda _failures: 1.0)]

    def _garbage_tasks(self) -> list[Periodic]:
        if self._collector is None:
            return []
        sweep = partial(look, self._collector, self._teller, self._controller.board)
        return [self._periodic("garbage", sweep, GARBAGE_SECONDS, backoff=lambda _failures: GARBAGE_RETRY)]

    def _periodic(
        self,
        name: str,
        task: Callable[[], object],
        interval: float | Callable[[], float],
        *,
        backoff: Callable[[int], float] | None = None,
        gap: float = 0.0,
    ) -> Periodic:
        return Periodic(name, task, interval, clock=self._clock, backoff=backoff, observer=self._observer, gap=gap)

    def _watch_metrics(self) -> None:
        """With every series that an alert may look for, at zero."""
        metrics, wholes = self._metrics, {one.whole for one in self._places}
        metrics.watch_queues(self._queues.values())
        metrics.watch_cache(self._app.revisions)
        waits = [(place.account, place.region, family) for place in wholes for family in FAMILIES]
        metrics.expect(table.AWS_LIMITER_SECONDS, waits)
        if self._leases:
            metrics.expect(table.LEASE_HELD, [(place.account, place.region, place.shard) for place in self._places])

    def _made_server(self) -> Server:
        host, port = parse_address(self._settings.listen)
        controller = self._controller
        health = Health(
            self._clock,
            last_pass=lambda: controller.finished_pass,
            has_specs=lambda: controller.has_specs,
            stands_by=controller.stands_by,
            gained=lambda: controller.gained,
            limit=3 * max(self._settings.resync, self._settings.events.resync if self._listeners else 0) + 300,
            grace=FIRST_PASS_SECONDS,
        )
        return Server(create_app(self._metrics.render, health, self._shown()), host, port, closing=self._live.close)

    def _shown(self) -> Shown:
        settings, overview = self._settings, self._overview
        self._live = Live(overview.version)
        reader = self._reader
        hooks = {
            forge: partial(reader.all, found)
            for forge in HookSettings.model_fields
            if (found := getattr(settings.hooks, forge))
        }
        return Shown(
            overview,
            overview,
            partial(reader.all, settings.api.token),
            Hooks(hooks, self._source.nudge, self._clock, self._metrics.hook),
            self._live,
        )


def _listening_pause(listener: Listener) -> float:
    """The wait is in the request."""
    if listener.failing:
        return FAILING_SECONDS
    return 0.05 if listener.shards.holds(listener.place) else NOT_OURS_SECONDS


class _Starting:
    """Without specs there is no pass: the first begins with the first snapshot."""

    def __init__(self, passes: Sequence[Periodic]) -> None:
        self._passes, self._begun, self._lock = passes, False, threading.Lock()

    def specs_changed(self) -> None:
        with self._lock:
            for one in self._passes:
                one.nudge() if self._begun else one.start()
            self._begun = True

    def gained(self, others: Sequence[Periodic]) -> None:
        with self._lock:
            for one in (*(self._passes if self._begun else ()), *others):
                one.nudge()


def _metrics() -> Metrics:
    """With every series that an alert may look for, at zero."""
    metrics = Metrics(__version__)
    metrics.expect(table.SOURCE_FAILURES, [(reason.value,) for reason in SourceReason])
    metrics.expect(table.PLAN_ACTIONS, [(kind.value,) for kind in Kind])
    return metrics
