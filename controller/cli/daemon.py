"""`logroute run`: the controller as a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from controller import __version__
from controller import app as composition
from controller.api.keys import Place, ServiceKey
from controller.aws.limiter import FAMILIES
from controller.aws.ports import AwsError
from controller.planning.model import Kind
from controller.reconciling.controller import Controller
from controller.reconciling.garbage import look
from controller.reconciling.telling import Several
from controller.runtime.clock import SystemClock
from controller.runtime.leases import BEAT, RUN, Leases
from controller.runtime.loop import Periodic
from controller.runtime.queue import WorkQueue
from controller.runtime.stopping import Stopper, stop_all
from controller.runtime.workers import Workers
from controller.settings import Settings, load
from controller.sources.errors import Reason as SourceReason
from controller.telemetry import table
from controller.telemetry.journal import Journal
from controller.telemetry.logs import configure
from controller.telemetry.metrics import Metrics
from controller.telemetry.observer import Observer
from controller.telling import Teller
from controller.web.app import create_app
from controller.web.health import Health
from controller.web.server import Server, parse_address

WORKERS = 4
"""For each account and region. A service is some ten calls of 50 ms, and ECS registers one revision a second."""
STOP_SECONDS = 9.0
"""Seconds that a stop may take; ECS and Kubernetes users expect ten at the most."""
STATUS_SECONDS = 10.0
HISTORY_SECONDS = 5.0
LAST_WRITE = 0.5
"""Seconds for a write that is on its way still."""
GARBAGE_SECONDS = 24 * 3600.0
GARBAGE_RETRY = 3600.0
"""A sweep costs a call or two for each service."""
FIRST_PASS_SECONDS = 1800.0
"""A first pass over ten thousand services that nothing is remembered of takes a quarter of an hour."""


def run(config: Path | None) -> int:
    """Until SIGTERM or Ctrl-C. Raises SettingsError, SourceError, AwsError, ListenError before it starts."""
    settings = load(config)
    configure()
    clock, stopper = SystemClock(), Stopper()
    metrics = _metrics()
    observer, teller = Observer(metrics), Teller(metrics, repairs=not settings.read_only)
    app = composition.build(settings, observer=teller, waited=metrics.aws_limiter_waited, told=teller.config_checked)
    leases = None if settings.read_only else composition.share(app, RUN, observer=teller)
    metrics.read_only(on=settings.read_only)
    places = sorted(app.world.sites)
    queues: dict[Place, WorkQueue[ServiceKey]] = {place: WorkQueue(clock=clock, observer=observer) for place in places}
    metrics.watch_queues(queues.values())
    waits = [(place.account, place.region, family) for place in {one.whole for one in places} for family in FAMILIES]
    metrics.expect(table.AWS_LIMITER_SECONDS, waits)
    if leases:
        metrics.expect(table.LEASE_HELD, [(place.account, place.region, place.shard) for place in places])
    metrics.watch_cache(app.revisions)
    journal, history = Journal(), app.history()
    if not settings.read_only:
        journal.listeners.append(history.tell)
    chronicle = app.chronicle(journal.tell, lambda: clock.now().timestamp())
    telling = Several([teller, chronicle])
    controller = Controller(app.world, app.keeper, queues, telling, clock.monotonic, app.shards)
    passes = [
        Periodic(f"resync {place}", partial(controller.resync, place), settings.resync, clock=clock, observer=observer)
        for place in places
    ]
    source = Periodic("source", controller.poll_source, settings.poll, clock=clock, observer=observer)
    notes = Periodic("notes", controller.poll_notes, settings.poll, clock=clock, observer=observer)
    status = Periodic("status", controller.save_status, STATUS_SECONDS, clock=clock, observer=observer)
    keep = Periodic("history", history.flush, HISTORY_SECONDS, clock=clock, observer=observer)
    kept = [] if settings.read_only else [keep]
    beats = _beats(leases, clock, observer)
    workers = [
        Workers(queue, controller.reconcile, clock=clock, count=WORKERS, observer=observer) for queue in queues.values()
    ]
    collector = app.collector()
    garbage = [_garbage(partial(look, collector, teller, controller.board), clock, observer)] if collector else []
    starting = _Starting(passes)
    controller.on_change = starting.specs_changed
    controller.on_gained = partial(starting.gained, garbage)
    server = _server(settings, controller, metrics, clock)
    with stopper.on_signals():
        server.start()
        log = structlog.get_logger()
        log.info(
            "started",
            version=__version__,
            source=settings.source,
            listen=server.url,
            places=[str(place) for place in places],
            replica=leases.replica if leases else "",
            read_only=settings.read_only,
        )
        for part in workers:
            part.start()
        for task in (*beats, source, notes, status, *kept, *garbage):
            task.start()
        stopper.wait()
        log.info("stopping", reason=stopper.reason)
        if collector:
            collector.stop()
        ended = stop_all(clock, STOP_SECONDS, source, notes, *passes, *garbage, status, *kept, *workers, server)
        with suppress(AwsError):
            history.flush()  # nothing waits where nothing may be written
        with suppress(AwsError):  # the next start tells the same, a little later
            controller.save_status()
        with suppress(AwsError):  # others wait until it is plain that we are gone
            ended &= all(one.stop(STOP_SECONDS) for one in beats)
            ended &= leases.close(0.0 if ended else LAST_WRITE) if leases else True
        log.info("stopped", finished=ended)
    return 0


def _beats(leases: Leases | None, clock: SystemClock, observer: Observer) -> list[Periodic]:
    if leases is None:
        return []
    return [Periodic("leases", leases.tick, BEAT, clock=clock, backoff=lambda _failures: 1.0, observer=observer)]


def _garbage(sweep: Callable[[], bool], clock: SystemClock, observer: Observer) -> Periodic:
    return Periodic(
        "garbage", sweep, GARBAGE_SECONDS, clock=clock, backoff=lambda _failures: GARBAGE_RETRY, observer=observer
    )


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


def _server(settings: Settings, controller: Controller, metrics: Metrics, clock: SystemClock) -> Server:
    host, port = parse_address(settings.listen)
    health = Health(
        clock,
        last_pass=lambda: controller.finished_pass,
        has_specs=lambda: controller.has_specs,
        stands_by=controller.stands_by,
        gained=lambda: controller.gained,
        limit=3 * settings.resync + 300,
        grace=FIRST_PASS_SECONDS,
    )
    return Server(create_app(metrics.render, health), host, port)
