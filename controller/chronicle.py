"""What happened, as events: what was not so at the last look, told once. See api.events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from controller.api.conditions import Reason
from controller.api.events import Event, EventKind
from controller.api.keys import Place, ServiceKey
from controller.api.problems import Severity
from controller.applying.apply import Done
from controller.applying.configs import Found
from controller.planning.diff import unified
from controller.planning.guards import Permit
from controller.planning.model import Because, Kind, ServicePlan
from controller.reconciling.board import StatusBoard
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Note
from controller.reconciling.service import Step
from controller.reconciling.service_state import MOVING
from controller.reconciling.standing import CONFIGS
from controller.reconciling.survey import Survey
from controller.sources.errors import SourceError
from controller.telemetry.standing import Standing

QUIET = frozenset(
    {*MOVING, Reason.SUSPENDED, Reason.WARN_ONLY, Reason.PLAN_BLOCKED, Reason.ROLLED_BACK, Reason.CONTESTED}
    | {Reason.READ_ONLY, Reason.ROLLOUT_PAUSED, Reason.UNPROVEN}
)
"""Holds that pass by themselves, or of which another event tells."""
ASKED_FOR = frozenset({Reason.NEW_ROUTE, Reason.SPEC_CHANGED, Reason.ROUTE_GONE, Reason.PINNED_REVISION})
"""What a plan mends that nobody broke."""
DEPLOYED = frozenset(
    {Reason.ROUTER_MISSING, Reason.REVERTED, Reason.ROUTER_CHANGED, Reason.LOG_DRIVER_CHANGED, Reason.ROUTER_FAILING}
)
"""What somebody's deploy, or set-back, broke."""
FAILURES = frozenset({Reason.AWS_ERROR, Reason.INTERNAL_ERROR})
ENDS = {
    "succeeded": (EventKind.ROLLOUT_SUCCEEDED, "the rollout is complete, and its router stayed up"),
    "rolled_back": (EventKind.ROLLED_BACK, "the rollout was rolled back"),
    "failed": (EventKind.ROLLED_BACK, "the rollout failed: LogRoute went back"),
}
STARTS = {
    Kind.ROUTE: "the router is rolled out",
    Kind.RESTORE: "the router is taken out, the originals go back",
    Kind.ROLL_BACK: "LogRoute goes back to the revision before",
    Kind.REPOINT: "rules and schedules are moved",
}


INSTALLATION = ("spec", "source", "suspended")
"""Scopes of what is about no place."""
SHOWN = 10
"""Services of a blocked plan that are named."""


class Chronicle:
    """reconciling.telling.Telling. Thread-safe: workers and passes tell at once."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        now: Callable[[], float],
        home: Place,
        *,
        by: str = "",
        speaks: Callable[[], bool] = lambda: True,
        approver: Callable[[ServicePlan], str] = lambda _plan: "",
    ) -> None:
        """`now` in seconds since the epoch. `by`: who runs the command that this is. `speaks`: whether what is about no
        place is ours to tell, which is so for the replica that holds `home`. `approver`: who approved what the plan
        does, "" where nobody had to.
        """
        self._send, self._now, self._home = tell, now, home
        self._speaks, self._approver, self._by = speaks, approver, by
        self._specs: Specs | None = None
        self._standing = Standing()
        self._source = ""
        self._troubled: set[ServiceKey] = set()
        """Of which something was told, since the start: the others need no second look."""
        self._blocked: frozenset[str] = frozenset()

    def works_by(self, specs: Specs) -> None:
        """From now on; nobody is told of it."""
        self._source, self._specs = specs.revision, specs

    # reconciling.telling.Telling

    def source_changed(self, specs: Specs) -> None:
        self.works_by(specs)
        if not self._speaks():
            return
        routes = len(specs.force.routes)
        said = f"{routes} routes in force" + (f": {specs.why}" if specs.why else "")
        self._tell(EventKind.SPECS_CHANGED, "", said, by=specs.by)
        broken: dict[str, dict[str, str]] = {}
        for one in specs.problems:
            if one.severity is Severity.ERROR:
                where = f"{one.file}:{one.line}:{one.column}" if one.line else one.file
                broken.setdefault(one.file, {})[f"{one.code} {one.message}"] = f"{where}: {one.message}"
        for file, found in broken.items():
            for identity, message in self._standing.new("spec", file, found):
                self._tell(EventKind.SPEC_INVALID, file, message, identity.partition(" ")[0], by=specs.by)
        for mended in self._standing.only("spec", broken):
            self._tell(EventKind.SPEC_MENDED, str(mended), f"{mended} has no errors any more", by=specs.by)

    def source_failed(self, error: SourceError) -> None:
        if not self._speaks():
            return
        for reason, message in self._standing.new("source", "", {error.reason.value: str(error)}):
            self._tell(EventKind.SOURCE_FAILED, "", message, reason)

    def source_read(self) -> None:
        if self._standing.only("source", ()):
            self._tell(EventKind.SOURCE_READ, "", "the source can be read again")

    def surveyed(self, seen: Survey, board: StatusBoard) -> None:
        for plan in seen.plans.values():
            self._look(plan, board)
        for key, failed in seen.failures.items():
            self._fails(key, board, Reason.INTERNAL_ERROR, f"{type(failed).__name__}: {failed}")
        for place in seen.seen:
            self._unread(place, seen)
            if place not in seen.errors:
                self._configs(place, seen)
                self._groups(place, seen)
        if self._speaks():
            self._people(seen)

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None:
        del key
        plan = step.plan
        if plan is None:
            return
        if step.outcome.done is Done.WROTE:
            self._wrote(plan, step.outcome.revision, board)
        elif plan.kind is Kind.CONTEST:
            self._service(EventKind.CONTESTED, plan, board, _joined(plan.reasons), Reason.CONTESTED)
        if plan.ended:
            kind, said = ENDS[plan.ended]
            bad = kind is EventKind.ROLLED_BACK
            self._service(
                kind, plan, board, _joined(plan.reasons) if bad else said, Reason.ROLLED_BACK if bad else None
            )
        self._look(plan, board, wrote=step.outcome.done is Done.WROTE)
        for one in step.outcome.said:
            self._service(EventKind.REPAIRED, plan, board, one.message, one.reason)

    def failed(self, key: ServiceKey, reason: Reason, error: str, board: StatusBoard) -> None:
        self._fails(key, board, reason, error)

    def judged(self, permit: Permit, approved: Mapping[str, Note]) -> None:
        if not self._speaks():
            return
        for digest, note in approved.items():
            if self._standing.first("approved", f"{digest} {note.at}"):
                self._tell(
                    EventKind.APPROVED, "", f"{note.why}: {len(note.lines)} services", digest=digest, by=note.who
                )
        if permit.blocked and permit.blocked != self._blocked:
            services = sorted(line.rsplit(" ", 2)[0] for line in permit.blocked)
            more = f" and {len(services) - SHOWN} more" if len(services) > SHOWN else ""
            said = f"{permit.why}: {', '.join(services[:SHOWN])}{more}"
            what = f"{said}; approve with: logroute approve {permit.digest[:12]}"
            self._tell(EventKind.PLAN_BLOCKED, "", what, Reason.PLAN_BLOCKED.value, digest=permit.digest)
        self._blocked = permit.blocked

    def gained(self, place: Place) -> None:
        """What nobody told, for it was nobody's to tell yet. The lease itself is for metrics and logs."""
        if self._specs and place == self._home:
            self.source_changed(self._specs)

    def lost(self, place: Place) -> None:
        """What stood there its next holder tells."""
        self._standing.forget(f"{place} ")
        if place == self._home:
            for scope in INSTALLATION:
                self._standing.forget(scope)

    # What a look at one service says

    def _look(self, plan: ServicePlan, board: StatusBoard, *, wrote: bool = False) -> None:
        if not (plan.reasons or plan.hold or plan.hints or plan.key in self._troubled):
            return
        self._troubled.add(plan.key)
        scope = f"{plan.key.place} service"
        hold = plan.hold if plan.hold and plan.hold.reason not in QUIET and plan.hold.seconds is None else None
        if plan.hold and plan.hold.reason in FAILURES:
            self._fails(plan.key, board, plan.hold.reason, plan.hold.message)
            return
        drifts = plan.changes and plan.kind is not Kind.ROLL_BACK and not wrote
        drift = {one.reason.value: one.message for one in plan.reasons if drifts and one.reason not in ASKED_FOR}
        for reason, message in self._standing.new(f"{scope} drift", plan.key, drift):
            self._service(
                EventKind.DRIFT_FOUND, plan, board, message, Reason(reason), by=self._who(plan, Reason(reason))
            )
        held = {hold.reason.value: hold.message} if hold else {}
        before = self._standing.known(f"{scope} held", plan.key)
        for reason, message in self._standing.new(f"{scope} held", plan.key, held):
            self._service(EventKind.HELD, plan, board, message, Reason(reason))
        if before and not held:
            self._service(EventKind.RELEASED, plan, board, f"no longer {', '.join(sorted(before))}")
        hints = {one.reason.value: one.message for one in plan.hints}
        for reason, message in self._standing.new(f"{scope} hints", plan.key, hints):
            self._service(EventKind.HINT, plan, board, message, Reason(reason))

    def _wrote(self, plan: ServicePlan, revision: str, board: StatusBoard) -> None:
        said = f"{STARTS.get(plan.kind, plan.kind.value)}: {_joined(plan.reasons)}"
        self._tell(
            EventKind.REPOINTED if plan.kind is Kind.REPOINT else EventKind.ROLLOUT_STARTED,
            str(plan.key),
            said,
            plan.reasons[0].reason.value if plan.reasons else "",
            routes=board.routes_of(plan.key),
            revision=revision,
            base=plan.base,
            digest=plan.digest,
            by=self._approver(plan) or self._by or self._who(plan, *(one.reason for one in plan.reasons)),
            diff="\n".join(unified(plan)),
        )

    def _who(self, plan: ServicePlan, *reasons: Reason) -> str:
        """Whose doing it is that the service needs something: who committed the specs, or registered the revision."""
        if any(one in ASKED_FOR for one in reasons):
            return self._specs.by if self._specs else ""
        return plan.registered_by if any(one in DEPLOYED for one in reasons) else ""

    def _fails(self, key: ServiceKey, board: StatusBoard, reason: Reason, error: str) -> None:
        for found, message in self._standing.new(f"{key.place} service held", key, {reason.value: error}):
            self._tell(EventKind.FAILED, str(key), message, found, routes=board.routes_of(key))

    # What a pass over a place says

    def _unread(self, place: Place, seen: Survey) -> None:
        read, error = seen.seen[place], seen.errors.get(place)
        found = {str(place): {"error": str(error)}} if error else {}
        found |= {f"{place}/{name}".rstrip("/"): {"error": str(one)} for name, one in read.errors.items()}
        for where, errors in found.items():
            for _, message in self._standing.new(f"{place} unread", where, errors):
                self._tell(EventKind.PLACE_UNREAD, where, message, Reason.UNREACHABLE.value)
        self._standing.only(f"{place} unread", found)

    def _configs(self, place: Place, seen: Survey) -> None:
        wrong, lost = seen.wrong_configs.get(place, {}), {one.path: one for one in seen.lost_configs.get(place, ())}
        for path, found in wrong.items():
            if path in lost:
                continue
            self.config_put_back(place, path, found, seen.naming.get(path, ()))
        for path, one in lost.items():
            for _, message in self._standing.new(f"{place} lost", path, {"lost": str(one)}):
                self._tell(EventKind.CONFIG_LOST, str(place), message, Reason.CONFIG_MISSING.value)
        self._standing.only(f"{place} lost", lost)

    def config_put_back(self, place: Place, path: str, found: Found, services: Collection[ServiceKey]) -> None:
        said, reason = f"config object {path} was {found}, and was put back", CONFIGS[found].value
        for about in (str(place), *map(str, services)):
            self._tell(EventKind.REPAIRED, about, said, reason)

    def _groups(self, place: Place, seen: Survey) -> None:
        news = seen.groups.get(place)
        if news is None:
            return
        for one in news.drifts:
            kind = EventKind.REPAIRED if one.repaired else EventKind.DRIFT_FOUND
            said = {one.reason.value: one.message}
            if one.repaired or self._standing.new(f"{place} groups", one.name, said):
                self._tell(kind, str(place), one.message, one.reason.value)
        self._standing.only(f"{place} groups", {one.name for one in news.drifts if not one.repaired})

    def _people(self, seen: Survey) -> None:
        now = {name: {"why": hold.message} for name, hold in seen.suspended.items()}
        for name, why in now.items():
            for _, message in self._standing.new("suspended", name, why):
                self._tell(EventKind.SUSPENDED, name, message, Reason.SUSPENDED.value)
        for resumed in self._standing.only("suspended", now):
            self._tell(EventKind.RESUMED, str(resumed), f"{resumed} was resumed")
        for name, note in seen.asked.items():
            if self._standing.first("asked", f"{name} {note.at}"):
                self._tell(EventKind.ASKED, name, f"a look was asked for {note}", by=note.who)

    def _service(
        self,
        kind: EventKind,
        plan: ServicePlan,
        board: StatusBoard,
        message: str,
        reason: Reason | None = None,
        *,
        by: str = "",
    ) -> None:
        why = reason.value if reason else ""
        self._tell(kind, str(plan.key), message, why, routes=board.routes_of(plan.key), digest=plan.digest, by=by)

    def _tell(self, kind: EventKind, about: str, message: str, reason: str = "", **more: object) -> None:
        event = Event(self._now(), kind, about, message, reason, source=self._source, **more)  # type: ignore[arg-type]
        self._send(event)


def _joined(reasons: Iterable[Because]) -> str:
    return "; ".join(one.message for one in reasons)
