"""What the controller does, as metrics and log lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import structlog

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.api.problems import Severity
from controller.applying.apply import Done
from controller.applying.configs import Found
from controller.applying.group_watch import GroupNews
from controller.planning.guards import Permit
from controller.planning.model import Kind, ServicePlan
from controller.reconciling.board import StatusBoard
from controller.reconciling.garbage import Swept
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Note
from controller.reconciling.service import Step
from controller.reconciling.standing import CONFIGS
from controller.reconciling.survey import Survey
from controller.sources.errors import SourceError
from controller.telemetry.drift import DriftTally
from controller.telemetry.metrics import Metrics
from controller.telemetry.table import DRIFT_KINDS

SERVICES = "services"


class Teller:
    """reconciling.telling.Telling, and aws.calls.Observer."""

    def __init__(self, metrics: Metrics, *, repairs: bool = True) -> None:
        """`repairs`: whether what is wrong in the config store was put right when it is told."""
        self._repairs = repairs
        self._metrics, self._log = metrics, structlog.get_logger()
        self._drift = DriftTally(metrics)
        self._suspended: Mapping[str, str] = {}
        self._unreadable: dict[Place, int] = {}
        self._unread: dict[Place, bool] = {}
        self._planned: dict[Place, Counter[str]] = {}
        self._board: StatusBoard | None = None
        self._counted = -1
        """The board's version that the metrics tell of."""
        metrics.before_scrape(self._count)
        self._lost: dict[Place, int] = {}

    def source_changed(self, specs: Specs) -> None:
        self._metrics.source_revision(specs.revision)
        self._metrics.invalid_specs(sum(one.severity is Severity.ERROR for one in specs.problems))
        self._log.info(
            "specs changed",
            revision=specs.revision,
            routes=len(specs.force.routes),
            carried=sorted(specs.force.carried),
            gone=sorted(specs.force.gone),
        )
        for problem in specs.problems:
            self._log.warning("spec problem", **problem.as_json())

    def source_failed(self, error: SourceError) -> None:
        self._metrics.source_failed(error.reason)

    def source_read(self) -> None:
        """Each poll counts itself."""

    def config_put_back(self, place: Place, path: str, found: Found, services: Collection[ServiceKey]) -> None:
        scope = f"{place}: configs"
        self._drift.stands((scope, path), {CONFIGS[found].value})
        self._drift.repaired((scope, path))
        self._log.warning(
            "config object put back", place=str(place), path=path, found=found.value, services=len(services)
        )

    def judged(self, permit: Permit, approved: Mapping[str, Note]) -> None:
        """What is blocked is told with its services."""

    def failed(self, key: ServiceKey, reason: Reason, error: str, board: StatusBoard) -> None:
        """The runtime's observer counts and logs it."""

    def surveyed(self, seen: Survey, board: StatusBoard) -> None:
        for place in seen.seen:
            mine = (plan for plan in seen.plans.values() if seen.seen[place].holds(plan.key))
            self._planned[place] = Counter(plan.kind.value for plan in mine)
        self._board = board
        self._notes(seen)
        for plan in seen.plans.values():
            self._drifting(plan)
        for place in seen.seen:
            if place not in seen.errors:
                self._configs(place, seen)
            if news := seen.groups.get(place):
                self._groups(place, news)
        self._failures(seen)

    def _failures(self, seen: Survey) -> None:
        self._unreadable |= {place: len(seen.unreadable) for place in seen.seen}
        self._lost |= {place: len(seen.lost_configs.get(place, ())) for place in seen.seen}
        self._numbers()
        self._unread |= {place: place in seen.errors or bool(read.errors) for place, read in seen.seen.items()}
        for part, why in seen.unreadable.items():
            self._log.error("state could not be read", part=part, error=why)
        for key, failed in seen.failures.items():
            self._log.error("service could not be planned", service=str(key), exc_info=failed)
        for lost in (one for some in seen.lost_configs.values() for one in some):
            self._log.error("config object lost for good", error=str(lost))
        for place, error in seen.errors.items():
            self._log.error("place could not be read", place=str(place), error=error)
        for place, read in seen.seen.items():
            for cluster, denied in read.errors.items():
                self._log.error("cluster could not be read", place=str(place), cluster=cluster, error=denied)

    def _notes(self, seen: Survey) -> None:
        """What a person did since the last pass."""
        now = {name: hold.message for name, hold in seen.suspended.items()}
        for name, why in now.items():
            if self._suspended.get(name) != why:
                self._log.info("suspended", name=name, why=why)
        for name in self._suspended.keys() - now.keys():
            self._log.info("resumed", name=name)
        self._suspended = now
        for name, note in seen.asked.items():
            self._log.info("asked to reconcile", name=name, why=str(note))

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None:
        plan, self._board = step.plan, board
        if plan is None:
            return
        self._drifting(plan)
        if step.outcome.done is Done.WROTE:
            self._drift.repaired((SERVICES, key))
        if plan.ended:
            self._metrics.rollout_ended(plan.ended)
        said = {"service": str(key), "reasons": [f"{one.reason}: {one.message}" for one in plan.reasons]}
        if step.outcome.done is Done.WROTE:
            revision = step.outcome.revision
            done = "repointed" if plan.kind is Kind.REPOINT else "rolled out"
            self._log.info(done, revision=revision, digest=plan.digest, action=plan.kind.value, **said)
            for hint in plan.hints:
                self._log.warning("hint", service=str(key), reason=hint.reason.value, why=hint.message)
        elif plan.kind is Kind.HOLD_DIGEST:
            self._log.error("rolled back", **said)
        elif plan.kind is Kind.CONTEST:
            self._log.error("contested", **said)
        elif plan.hold:
            self._log.info("held", hold=plan.hold.reason.value, why=plan.hold.message, **said)
        for one in step.outcome.said:
            self._log.info("done", service=str(key), reason=one.reason.value, message=one.message)

    def gained(self, place: Place) -> None:
        self._metrics.lease(place, held=True)
        self._log.info("lease gained", place=str(place))

    def lost(self, place: Place) -> None:
        """Who tells of it now is another replica."""
        self._metrics.lease(place, held=False)
        for numbers in (self._unreadable, self._lost):
            numbers.pop(place, None)
        self._unread[place] = False
        self._planned.pop(place, None)
        self._numbers()
        self._log.info("lease given up or lost", place=str(place))

    def _numbers(self) -> None:
        """Of all places."""
        self._metrics.planned(sum(self._planned.values(), Counter()))
        self._metrics.unreadable_state(sum(self._unreadable.values()))
        self._metrics.lost_configs(sum(self._lost.values()))
        wholes = {(place.account, place.region) for place in self._unread}
        unread = {(place.account, place.region) for place, failed in self._unread.items() if failed}
        self._metrics.places({whole: whole in unread for whole in wholes})

    def swept(self, found: Swept) -> None:
        if found.why:
            self._log.warning("garbage was left alone", why=found.why, collected=len(found.gone))
        if found.why and not found.gone:
            return
        numbers = {"unused": len(found.unused), "due": len(found.due), "superseded": len(found.superseded)}
        gone = Counter("revision" if name.startswith("arn:") else "config" for name in found.gone)
        self._metrics.garbage(numbers, gone)
        for name in found.back:
            self._log.warning("config object is named again, and was put back", name=name)
        for name in (*found.due, *found.superseded):
            self._log.info("garbage", name=name, done=name in found.gone)
        self._log.info("garbage looked for", collected=len(found.gone), **numbers)

    def config_checked(self, result: str, text: str) -> None:
        """What an engine, or the lack of one, came to: checking.checker.Checker tells it once a config."""
        self._metrics.config_checked(result)
        self._log.info("config checked", result=result, why=text)

    def aws_call(self, service: str, operation: str, code: str) -> None:
        self._metrics.aws_called(service, operation)
        if code:
            self._metrics.aws_failed(service, operation, code)
            if "hrottl" in code or code in {"SlowDown", "RequestLimitExceeded", "TooManyRequestsException"}:
                self._metrics.aws_throttled(service, operation)

    def _drifting(self, plan: ServicePlan) -> None:
        """Drift that is held is drift. Of a service that could not be looked at nothing new is known."""
        if plan.hold and plan.hold.reason is Reason.AWS_ERROR:
            return
        found = {one.reason.value: one.message for one in plan.reasons if plan.changes}
        for kind in self._drift.stands((SERVICES, plan.key), found.keys() & set(DRIFT_KINDS)):
            self._log.warning("drift found", service=str(plan.key), kind=kind, why=found[kind])

    def _configs(self, place: Place, seen: Survey) -> None:
        wrong, scope = seen.wrong_configs.get(place, {}), f"{place}: configs"
        lost = {one.path for one in seen.lost_configs.get(place, ())}
        for path, found in wrong.items():
            new = self._drift.stands((scope, path), {CONFIGS[found].value})
            if new and not self._repairs:
                self._log.warning("drift found", place=str(place), path=path, kind=CONFIGS[found].value)
            elif self._repairs and path not in lost:
                self._drift.repaired((scope, path))
                self._log.warning("config object put back", place=str(place), path=path, found=found.value)
        self._drift.only(scope, lost if self._repairs else wrong.keys())

    def _groups(self, place: Place, news: GroupNews) -> None:
        scope = f"{place}: log groups"
        for one in news.drifts:
            new, said = self._drift.stands((scope, one.name), {one.reason.value}), {"kind": one.reason.value}
            if new or one.repaired:
                self._log.warning("drift found", place=str(place), why=one.message, repaired=one.repaired, **said)
            if one.repaired:
                self._drift.repaired((scope, one.name))
        self._drift.only(scope, {one.name for one in news.drifts})
        for remark in news.remarks:
            self._log.warning("log group cannot be changed", place=str(place), why=remark)
        if news.error:
            self._log.error("log groups could not be kept", place=str(place), error=str(news.error))

    def _count(self) -> None:
        """All of the board, at a scrape: after each step it would take longer than the step."""
        board = self._board
        if board is None or board.version == self._counted:
            return
        self._counted = board.version
        self._metrics.services(board.by_reason())
        self._metrics.hints(board.by_hint())
        rollouts = board.rollouts()
        services = sum((Counter(one["services"]) for one in rollouts), Counter[str]())
        self._metrics.changes(Counter(one["state"] for one in rollouts), services)
        self._metrics.routes(board.routes())
