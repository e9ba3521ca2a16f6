"""The metrics of one controller, in domain words; names and labels are those of table.py."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Mapping, Sized
from datetime import datetime
from typing import Protocol

from controller.api.keys import Place
from controller.telemetry import conditions, table
from controller.telemetry.board import Board
from controller.telemetry.conditions import RouteStatuses
from controller.telemetry.series import Labels
from controller.telemetry.table import Metric


class Queue(Protocol):
    """What a scrape reads from the work queue; runtime's WorkQueue has it."""

    def depth(self) -> int: ...

    def running_seconds(self) -> list[float]: ...


class Metrics:
    """Safe to use from any thread. Durations in seconds."""

    def __init__(self, version: str, python: str = platform.python_version()) -> None:
        self._board = Board(table.TABLE)
        self._board.gauge(table.BUILD_INFO).replace({(version, python): 1})
        self._before_scrape: Callable[[], None] = lambda: None

    def before_scrape(self, work: Callable[[], None]) -> None:
        """`work` is done at each scrape: for numbers that would be worked out in vain most of the time between two."""
        self._before_scrape = work

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """What a scrape gets, and its content type, for the Accept header of the request."""
        self._before_scrape()
        return self._board.render(accept)

    def expect(self, metric: Metric, series: Iterable[Labels]) -> None:
        """Make series of an open label exist, at zero: for closed sets that belong to other rooms."""
        self._board.expect(metric, series)

    # Work

    def reconciled(self, seconds: float, *, again: bool) -> None:
        self._board.count(table.RECONCILES, "requeue" if again else "success")
        self._board.observe(table.RECONCILE_SECONDS, seconds)

    def reconcile_failed(self, seconds: float, error: BaseException) -> None:
        self._board.count(table.RECONCILES, "error")
        self._board.count(table.RECONCILE_ERRORS, reason_of(error))
        self._board.observe(table.RECONCILE_SECONDS, seconds)

    def pass_ended(self, kind: str, seconds: float, succeeded_at: datetime | None) -> None:
        """`succeeded_at` None: it failed."""
        self._board.observe(table.PASS_SECONDS, seconds, kind)
        if succeeded_at is not None:
            self._board.gauge(table.PASS_LAST_SUCCESS).update({(kind,): succeeded_at.timestamp()})

    def watch_queues(self, queues: Collection[Queue]) -> None:
        """Read depth, and what is running, from all of them at each scrape."""

        def running() -> list[float]:
            return [seconds for queue in queues for seconds in queue.running_seconds()]

        self._board.gauge(table.QUEUE_DEPTH).follow(lambda: sum(queue.depth() for queue in queues))
        self._board.gauge(table.QUEUE_LONGEST).follow(lambda: max(running(), default=0.0))
        self._board.gauge(table.QUEUE_UNFINISHED).follow(lambda: sum(running()))

    def watch_cache(self, revisions: Sized) -> None:
        self._board.gauge(table.CACHED_REVISIONS).follow(lambda: len(revisions))

    def queue_added(self) -> None:
        self._board.count(table.QUEUE_ADDS)

    def queue_retried(self) -> None:
        self._board.count(table.QUEUE_RETRIES)

    def queue_waited(self, seconds: float) -> None:
        self._board.observe(table.QUEUE_WAIT_SECONDS, seconds)

    def queue_worked(self, seconds: float) -> None:
        self._board.observe(table.QUEUE_WORK_SECONDS, seconds)

    # Specs

    def source_revision(self, revision: str) -> None:
        self._board.gauge(table.SOURCE_INFO).replace({(revision,): 1})

    def source_failed(self, reason: str) -> None:
        self._board.count(table.SOURCE_FAILURES, reason)

    def invalid_specs(self, number: int) -> None:
        self._board.gauge(table.INVALID_SPECS).replace({(): number})

    def routes(self, routes: RouteStatuses) -> None:
        """All the routes there are."""
        self._board.gauge(table.ROUTES).replace(conditions.totals(routes))
        self._board.gauge(table.ROUTE_CONDITION).replace(conditions.details(routes))

    # Services

    def services(self, by_reason: Mapping[str, int]) -> None:
        """All the services that routes select or that carry our mark."""
        self._board.gauge(table.SERVICES).replace({(reason,): count for reason, count in by_reason.items()})

    def hints(self, by_kind: Mapping[str, int]) -> None:
        self._board.gauge(table.HINTS).replace({(kind,): count for kind, count in by_kind.items()})

    def changes(self, by_state: Mapping[str, int], services: Mapping[str, int]) -> None:
        """Those that go in waves."""
        self._board.gauge(table.CHANGES).replace({(state,): count for state, count in by_state.items()})
        self._board.gauge(table.CHANGE_SERVICES).replace({(state,): count for state, count in services.items()})

    def unreadable_state(self, number: int) -> None:
        self._board.gauge(table.UNREADABLE_STATE).replace({(): number})

    def places(self, unread: Mapping[tuple[str, str], bool]) -> None:
        """Account and region → whether the last pass over it failed, in whole or in part."""
        self._board.gauge(table.PLACE_UNREAD).update({place: float(failed) for place, failed in unread.items()})

    def read_only(self, *, on: bool) -> None:
        self._board.gauge(table.READ_ONLY).replace({(): float(on)})

    def lease(self, place: Place, *, held: bool) -> None:
        self._board.gauge(table.LEASE_HELD).update({(place.account, place.region, place.shard): float(held)})

    def lost_configs(self, number: int) -> None:
        self._board.gauge(table.LOST_CONFIGS).replace({(): number})

    def planned(self, by_action: Mapping[str, int]) -> None:
        """The last plan of all services, as numbers of actions."""
        self._board.gauge(table.PLAN_ACTIONS).replace({(action,): n for action, n in by_action.items()})

    def drift_found(self, kind: str) -> None:
        self._board.count(table.DRIFT_FOUND, kind)

    def drift_repaired(self, kind: str) -> None:
        self._board.count(table.DRIFT_REPAIRED, kind)

    def config_checked(self, result: str) -> None:
        """`result`: one of table.CHECK_RESULTS."""
        self._board.count(table.CONFIG_CHECKS, result)

    def hook(self, forge: str, result: str) -> None:
        """`result`: one of table.HOOK_RESULTS."""
        self._board.count(table.HOOKS, forge, result)

    def notified(self, sink: str, result: str) -> None:
        """`result`: one of table.NOTIFICATION_RESULTS."""
        self._board.count(table.NOTIFICATIONS, sink, result)

    def history_dropped(self, number: int) -> None:
        self._board.gauge(table.HISTORY_DROPPED).replace({(): number})

    def event_heard(self, result: str) -> None:
        """`result`: one of table.EVENT_RESULTS."""
        self._board.count(table.EVENTS, result)

    def events_healthy(self, place: Place, *, healthy: bool) -> None:
        key = (place.account, place.region, place.shard)
        self._board.gauge(table.EVENTS_HEALTHY).update({key: float(healthy)})

    def rollout_ended(self, result: str) -> None:
        """`result`: one of table.ROLLOUT_RESULTS."""
        self._board.count(table.ROLLOUTS, result)

    def garbage(self, by_kind: Mapping[str, int], collected: Mapping[str, int]) -> None:
        """`by_kind`: of table.GARBAGE_KINDS; `collected`: of table.COLLECTED_KINDS."""
        self._board.gauge(table.GARBAGE).replace({(kind,): number for kind, number in by_kind.items()})
        for kind, number in collected.items():
            self._board.count(table.GARBAGE_COLLECTED, kind, by=number)

    # AWS

    def aws_called(self, service: str, operation: str) -> None:
        """One request, each retry counted."""
        self._board.count(table.AWS_CALLS, service, operation)

    def aws_failed(self, service: str, operation: str, code: str) -> None:
        self._board.count(table.AWS_ERRORS, service, operation, code)

    def aws_throttled(self, service: str, operation: str) -> None:
        self._board.count(table.AWS_THROTTLES, service, operation)

    def aws_limiter_waited(self, place: Place, family: str, seconds: float) -> None:
        self._board.count(table.AWS_LIMITER_SECONDS, place.account, place.region, family, by=seconds)


def reason_of(error: BaseException) -> str:
    """The most specific expected class of an error; a closed set, however the error is called."""
    names = (base.__name__ for base in type(error).__mro__)
    return next((name for name in names if name in table.ERROR_REASONS), "Unexpected")
