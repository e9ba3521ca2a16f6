"""The conditions of routes as series: totals of all, details of as many as a Prometheus can bear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from controller.api.conditions import Condition, Status
from controller.telemetry.series import Series

MAX_ROUTES = 1_000

RouteStatuses = Mapping[tuple[str, str], Iterable[Status]]
"""(namespace, name) → the conditions of that route; one that is not among them is unknown."""

_WORD = {True: "True", False: "False", None: "Unknown"}
_NUMBER = {True: 1.0, False: 0.0, None: -1.0}


def totals(routes: RouteStatuses) -> Series:
    """(condition, status) → how many routes."""
    all_of = (_by_condition(statuses) for statuses in routes.values())
    return Counter((name, _WORD[status]) for one in all_of for name, status in one.items())


def details(routes: RouteStatuses, limit: int = MAX_ROUTES) -> Series:
    """(namespace, route, condition) → 1, 0 or -1. Of more than `limit` routes, those in trouble come first."""
    all_of = {route: _by_condition(statuses) for route, statuses in routes.items()}
    shown = sorted(all_of, key=lambda route: (all_of[route][Condition.READY] is True, route))[:limit]
    return {(*route, name): _NUMBER[status] for route in shown for name, status in all_of[route].items()}


def _by_condition(statuses: Iterable[Status]) -> dict[str, bool | None]:
    unknown: dict[str, bool | None] = {condition.value: None for condition in Condition}
    return unknown | {each.condition.value: each.status for each in statuses}
