"""How every route and service stands, for metrics and `logroute status`; one JSON object in the config store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from controller.api.conditions import Condition, Reason, Status
from controller.api.keys import Place, ServiceKey
from controller.applying.apply import Done
from controller.aws.ports import ObjectStore
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey

FORMAT = 1
TOLD_AS_HELD = (Kind.HOLD_DIGEST, Kind.ROLL_BACK, Kind.CONTEST)
MOVING = (
    Reason.ROLLING_OUT,
    Reason.WAITING_FOR_DEPLOYMENT,
    Reason.WAITING_FOR_TURN,
    Reason.OUTSIDE_WINDOW,
)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`held`: something stops what the service needs; `changes`: it needs something."""

    reason: Reason
    message: str
    held: bool
    changes: bool
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """Routes without a part in it → reason and message."""
    hints: tuple[Because, ...] = ()
    drift: tuple[Because, ...] = ()
    """In what the world differs from the specs, whatever holds the repair."""
    denied: str = ""
    """The call that AWS refused for want of a right."""

    @property
    def ready(self) -> bool:
        return not self.held and not self.changes and self.reason is not Reason.ROLLING_OUT

    def drifted(self) -> ServiceState | None:
        """The state as the condition Drifted tells it: by what differs, and not by what holds the repair."""
        if self.drift:
            return replace(self, reason=self.drift[0].reason, message=self.drift[0].message)
        return self if self.changes else None

    def permissions(self) -> Status | None:
        """PermissionsReady, where there is something to say."""
        said = (Because(self.reason, self.message), *self.hints)
        lacks = next((one for one in said if one.reason is Reason.PERMISSIONS_MISSING), None)
        if lacks is None and self.denied:
            lacks = Because(Reason.AWS_ERROR, self.denied)
        if lacks:
            return Status(Condition.PERMISSIONS_READY, False, lacks.reason, lacks.message)
        unknown = next((one for one in self.hints if one.reason is Reason.PERMISSIONS_UNKNOWN), None)
        return Status(Condition.PERMISSIONS_READY, None, unknown.reason, unknown.message) if unknown else None

    def needing(self, standing: tuple[Because, ...], denied: str) -> ServiceState:
        """With what stands outside its definition. Without a config or a group no new task starts; a retention
        harms no log.
        """
        state = replace(self, drift=(*self.drift, *standing), denied=denied)
        if not standing or self.reason is not Reason.IN_SYNC:
            return state
        blocking = next((one for one in standing if one.reason is not Reason.LOG_GROUP_RETENTION), None)
        shown = blocking or standing[0]
        return replace(state, reason=shown.reason, message=shown.message, held=blocking is not None)

    def for_route(self, route: str) -> ServiceState:
        """How the service stands as this route sees it."""
        if why := self.left_out.get(route):
            reason, message = why
            return ServiceState(Reason(reason), message, held=True, changes=False)
        return self


IN_SYNC = ServiceState(Reason.IN_SYNC, "", held=False, changes=False)


def state_of(plan: ServicePlan, done: Done = Done.NOTHING) -> ServiceState:
    state = _state_of(plan, done)
    drift = plan.reasons if plan.changes and done is not Done.WROTE else ()
    if not (plan.left_out or plan.hints or drift):
        return state  # ten thousand that are in sync are one
    return replace(state, left_out=plan.left_out, hints=plan.hints, drift=drift)


def _state_of(plan: ServicePlan, done: Done) -> ServiceState:
    if plan.hold:
        return ServiceState(plan.hold.reason, plan.hold.message, held=True, changes=plan.changes)
    why = plan.reasons[0] if plan.reasons else None
    if done is Done.WROTE and plan.kind is not Kind.ROLL_BACK:
        return ServiceState(Reason.ROLLING_OUT, why.message if why else "", held=False, changes=False)
    if why and plan.kind in TOLD_AS_HELD:
        return ServiceState(why.reason, why.message, held=True, changes=False)
    if why and not plan.changes and why.reason in (Reason.ROLLING_OUT, Reason.UNPROVEN, Reason.ROLLOUT_STUCK):
        return ServiceState(why.reason, why.message, held=why.reason is Reason.ROLLOUT_STUCK, changes=False)
    if plan.changes and why:
        return ServiceState(why.reason, why.message, held=False, changes=True)
    return IN_SYNC


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
                suspended=_suspended(route.key, frozen, (freezes.get(one) for one in selected.get(route.key, ()))),
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


NOBODY = Because(Reason.NO_SERVICE, "no service matches its target")


def conditions(
    states: Iterable[ServiceState],
    lost: Because | None = None,
    *,
    broken: bool,
    suspended: tuple[bool, ServiceState | None] = (False, None),
) -> tuple[Status, ...]:
    """A route's conditions from its services': the worst decides, and is named."""
    some = list(states)
    bad = next((state for state in some if not state.ready), None)
    held = next((state for state in some if state.held and state.reason not in MOVING), None)
    moving = next((state for state in some if state.reason in MOVING or (state.changes and not state.held)), None)
    drifted = next((found for state in some if (found := state.drifted())), None)
    permissions = sorted(filter(None, (state.permissions() for state in some)), key=lambda one: one.status is None)
    invalid = ServiceState(Reason.INVALID_SPEC, "its last good version is in force", held=False, changes=False)
    worst = bad or (invalid if broken else None)
    if not some or lost:
        why = lost or NOBODY
        worst = ServiceState(why.reason, why.message, held=False, changes=False)
    return (
        _say(Condition.READY, worst is None, worst),
        _say(Condition.RECONCILING, moving is not None, moving),
        _say(Condition.STALLED, held is not None or broken, held or (invalid if broken else None)),
        _say(Condition.DRIFTED, drifted is not None, drifted),
        _say(Condition.SUSPENDED, *suspended),
        *permissions[:1],
    )


@lru_cache(maxsize=1024)
def _say(condition: Condition, status: bool, state: ServiceState | None) -> Status:
    found = state or IN_SYNC
    return Status(condition, status, found.reason, found.message)


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


def _suspended(
    route: str, frozen: Mapping[str, Hold], freezes: Iterable[Hold | None]
) -> tuple[bool, ServiceState | None]:
    """A route that is not suspended itself still says what freezes a service of it."""
    own = frozen.get(route)
    itself = own is not None and own.reason is Reason.SUSPENDED
    hold = own or next(filter(None, freezes), None)
    return itself, ServiceState(hold.reason, hold.message, held=True, changes=False) if hold else None
