"""How every route and service stands, for metrics and `logroute status`; one JSON object in the config store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from controller.api.conditions import Reason, Status
from controller.api.keys import Place, ServiceKey
from controller.aws.ports import ObjectStore
from controller.planning.model import Because, Hold
from controller.reconciling.conditions import conditions, suspended_by
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.service_state import ServiceState, state_of
from controller.reconciling.survey import Survey

FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last pass over a place told, its services aside."""

    selected: Mapping[str, tuple[ServiceKey, ...]]
    lost: Mapping[str, Because]
    errors: Mapping[str, str]
    lost_configs: tuple[str, ...]
    standing: Mapping[ServiceKey, tuple[Because, ...]]
    denied: Mapping[ServiceKey, str]
    freezes: Mapping[ServiceKey, Hold]

    @classmethod
    def of(cls, seen: Survey, place: Place, frozen: Mapping[str, Hold]) -> _Seen:
        """The maps of `seen` may hold those of other places too: they do no harm."""
        read, news = seen.seen[place], seen.groups.get(place)
        errors = {str(place): str(error) for error in [seen.errors.get(place)] if error}
        errors |= {f"{place}/{cluster}".rstrip("/"): str(error) for cluster, error in read.errors.items()}
        errors |= {f"{place}/{cluster}": "the cluster does not exist" for cluster in read.missing_clusters}
        denied = dict(seen.denied)
        if news and news.error:
            errors[f"{place}: log groups"] = str(news.error)
            denied |= {key: str(news.error) for key in news.denied}
        return cls(
            seen.selected,
            seen.lost,
            {**errors, **seen.unreadable},
            tuple(str(one) for one in seen.lost_configs.get(place, ())),
            seen.standing,
            denied,
            _freezes(frozen, seen),
        )


class StatusBoard:
    """Thread-safe. What a pass saw replaces all of its place; what a worker did replaces one service."""

    def __init__(
        self,
        rollouts: Callable[[Place], list[dict[str, Any]]] = lambda _place: [],
        places: Iterable[Place] = (),
        shard_of: Callable[[ServiceKey], Place] = lambda key: key.place,
        without_secrets: Callable[[Any], Any] = lambda plain: plain,
    ) -> None:
        """`rollouts` tells which changes go over the services of a place; `places`: those of the settings; `shard_of`:
        the place that looks after a service.
        """
        self._without_secrets = without_secrets
        self._rollouts, self._places, self._shard_of = rollouts, sorted(map(str, places)), shard_of
        self._lock = threading.Lock()
        self._services: dict[ServiceKey, ServiceState] = {}
        self._seen: dict[Place, _Seen] = {}
        self._specs: Specs | None = None
        self._frozen: Mapping[str, Hold] = {}
        self._source_error, self._refused = "", ""
        self._saved: dict[Place, bytes] = {}
        self._etags: dict[Place, str] = {}
        self.version = 0
        """Another one after each change."""
        self.garbage: Mapping[str, Any] = {}
        """What the last look for it found, since the start."""

    def surveyed(self, seen: Survey, specs: Specs) -> None:
        frozen = {**seen.suspended, **specs.frozen}
        with self._lock:
            self.version += 1
            self._frozen, self._specs = frozen, specs
            for place in seen.seen:
                self._seen[place] = _Seen.of(seen, place, frozen)
            kept = {key: state for key, state in self._services.items() if self._shard_of(key) not in seen.seen}
            self._services = kept | {key: self._told(key, state_of(plan)) for key, plan in seen.plans.items()}
            for place, etag in seen.status_etag.items():
                if etag != self._etags.get(place):
                    self._saved.pop(place, None)  # lost, or somebody else wrote it

    def forget(self, place: Place) -> None:
        """Another replica tells of it."""
        with self._lock:
            self.version += 1
            self._seen.pop(place, None)
            self._saved.pop(place, None)
            self._services = {key: state for key, state in self._services.items() if self._shard_of(key) != place}

    def stepped(self, key: ServiceKey, step: Step) -> None:
        with self._lock:
            self.version += 1
            if step.plan is None:
                self._services.pop(key, None)
            else:
                self._services[key] = self._told(key, state_of(step.plan, step.outcome.done))

    def failed(self, key: ServiceKey, reason: Reason, error: str) -> None:
        with self._lock:
            self.version += 1
            self._services[key] = ServiceState(reason, error, held=True, changes=True)

    def _told(self, key: ServiceKey, state: ServiceState) -> ServiceState:
        about = self._seen.get(self._shard_of(key))
        if about is None:
            return state
        standing, denied = about.standing.get(key, ()), about.denied.get(key, "")
        needing = state.needing(standing, denied) if standing or denied else state
        return _frozen(needing, about.freezes.get(key))

    def _freeze_of(self, key: ServiceKey) -> Hold | None:
        about = self._seen.get(self._shard_of(key))
        return about.freezes.get(key) if about else None

    def routes_of(self, key: ServiceKey) -> tuple[str, ...]:
        """Routes that selected the service when its place was last looked at."""
        with self._lock:
            about = self._seen.get(self._shard_of(key))
        return tuple(route for route, keys in about.selected.items() if key in keys) if about else ()

    def source(self, error: str, refused: str = "") -> None:
        """Why the source could not be read, and the revision that was refused; empty where it could."""
        with self._lock:
            if (error, refused) != (self._source_error, self._refused):
                self.version += 1
            self._source_error, self._refused = error, refused

    def routes(self, place: Place | None = None) -> dict[tuple[str, str], tuple[Status, ...]]:
        """(namespace, name) → its conditions, for those with a target in one place, or in any that was looked at."""
        with self._lock:
            specs, frozen = self._specs, self._frozen
            parts = tuple(part for one, part in self._seen.items() if place in (None, one))
            if specs is None:
                return {}
            selected: dict[str, tuple[ServiceKey, ...]] = {}
            for part in parts:  # a route may select services in several parts of a place
                selected |= {key: (*selected.get(key, ()), *some) for key, some in part.selected.items()}
            known = selected.keys() | {key for part in parts for key in part.lost}
            routes = [route for route in specs.force.routes if route.key in known]
            states = {
                key: [self._services[one].for_route(key) for one in selected.get(key, ()) if one in self._services]
                for key in (route.key for route in routes)
            }
        lost = {key: why for part in parts for key, why in part.lost.items()}
        freezes = {key: hold for part in parts for key, hold in part.freezes.items()}
        found: dict[tuple[str, str], tuple[Status, ...]] = {}
        for route in routes:
            namespace, _, name = route.key.partition("/")
            broken = route.key in specs.force.carried
            found[(namespace, name)] = conditions(
                states[route.key],
                lost.get(route.key),
                broken=broken,
                suspended=suspended_by(route.key, frozen, (freezes.get(one) for one in selected.get(route.key, ()))),
            )
        return found

    def rollouts(self, place: Place | None = None) -> list[dict[str, Any]]:
        """The open changes of one place, or of all, the oldest first."""
        places = sorted(self._seen) if place is None else [place]
        found = [{"place": str(one), **told} for one in places for told in self._rollouts(one)]
        return sorted(found, key=lambda one: (one["begun"], one["id"]))

    def by_reason(self) -> dict[str, int]:
        counts: dict[str, int] = {reason.value: 0 for reason in Reason}
        with self._lock:
            for state in self._services.values():
                counts[state.reason.value] += 1
        return counts

    def by_hint(self) -> dict[str, int]:
        with self._lock:
            return Counter(hint.reason.value for state in self._services.values() for hint in state.hints)

    def plain(self, place: Place | None = None) -> dict[str, Any]:
        """Of one place, or of all."""
        routes, rollouts = self.routes(place), self.rollouts(place)
        with self._lock:
            parts = [part for one, part in self._seen.items() if place in (None, one)]
            selecting = _selecting(parts)
            services = [pair for pair in sorted(self._services.items()) if place in (None, self._shard_of(pair[0]))]
            return {
                "format": FORMAT,
                "places": self._places,
                "revision": self._specs.revision if self._specs else "",
                "sourceError": self._source_error,
                **({"refused": self._refused} if self._refused else {}),
                "errors": {where: why for part in parts for where, why in part.errors.items()},
                "lostConfigs": [path for part in parts for path in part.lost_configs],
                "routes": {"/".join(key): [_status(one) for one in some] for key, some in sorted(routes.items())},
                "services": {
                    str(key): _service(state, self._freeze_of(key), tuple(selecting.get(key, ())))
                    for key, state in services
                },
                "rollouts": rollouts,
                "suspended": {
                    name: {"bySpec": self._specs is not None and name in self._specs.frozen, "message": hold.message}
                    for name, hold in sorted(self._frozen.items())
                    if hold.reason is Reason.SUSPENDED
                },
                "garbage": self.garbage,
                "problems": [problem.as_json() for problem in self._specs.problems] if self._specs else [],
            }

    def save(self, place: Place, objects: ObjectStore, key: str) -> bool:
        """Write what is told of a place where it changed since the last save. Raises AwsError."""
        if self._specs is None and not self._source_error:
            return False
        body = orjson.dumps(self._without_secrets(self.plain(place)), option=orjson.OPT_INDENT_2)
        if body == self._saved.get(place):
            return False
        self._etags[place] = objects.put(key, body, content_type="application/json")
        self._saved[place] = body
        return True


def _status(status: Status) -> dict[str, Any]:
    word = {True: "True", False: "False", None: "Unknown"}[status.status]
    return {
        "condition": status.condition.value,
        "status": word,
        "reason": status.reason.value,
        "message": status.message,
    }


def _selecting(parts: Iterable[_Seen]) -> dict[ServiceKey, list[str]]:
    """Service → the routes that select it."""
    found: dict[ServiceKey, list[str]] = {}
    for part in parts:
        for route, keys in part.selected.items():
            for key in keys:
                found.setdefault(key, []).append(route)
    return found


def _service(state: ServiceState, freeze: Hold | None, routes: tuple[str, ...]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "ready": state.ready,
        "reason": state.reason.value,
        "message": state.message,
        "suspended": freeze is not None and freeze.reason is Reason.SUSPENDED,
        "drift": [{"reason": one.reason.value, "message": one.message} for one in state.drift],
        "routes": list(routes),
    }
    if state.hints:
        plain["hints"] = [{"reason": one.reason.value, "message": one.message} for one in state.hints]
    return plain


def _freezes(frozen: Mapping[str, Hold], seen: Survey) -> dict[ServiceKey, Hold]:
    """Service → what keeps it from being written, as far as somebody said so: itself first, then a route of it."""
    found: dict[ServiceKey, Hold] = {}
    if frozen:
        found |= {key: frozen[str(key)] for key in seen.plans if str(key) in frozen}
    for name, hold in frozen.items():
        for key in seen.selected.get(name, ()):
            found.setdefault(key, hold)
    return found


def _frozen(state: ServiceState, freeze: Hold | None) -> ServiceState:
    """What is in sync, and would not be put right if it were not, says so."""
    if freeze is None or state.reason is not Reason.IN_SYNC or freeze.reason is not Reason.SUSPENDED:
        return state
    return replace(state, reason=freeze.reason, message=freeze.message)
