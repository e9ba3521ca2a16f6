"""What the controller does, as metrics and log lines."""

from __future__ import annotations

from collections import Counter

import structlog

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.problems import Severity
from controller.applying.apply import Done
from controller.planning.model import Kind
from controller.reconciling.board import StatusBoard
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey
from controller.sources.errors import SourceError
from controller.telemetry.metrics import Metrics
from controller.telemetry.table import DRIFT_KINDS


class Teller:
    """reconciling.controller.Telling, and aws.calls.Observer."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._log = metrics, structlog.get_logger()
        self._drifting: dict[ServiceKey, Reason] = {}

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

    def surveyed(self, seen: Survey, board: StatusBoard) -> None:
        self._metrics.planned(dict(Counter(plan.kind.value for plan in seen.plans.values())))
        self._board(board)
        for place, wrong in seen.wrong_configs.items():
            for path, found in wrong.items():
                kind = Reason.CONFIG_MISSING if found == "missing" else Reason.CONFIG_ALTERED
                self._metrics.drift_found(kind.value)
                self._log.warning("config object put back", place=str(place), path=path, found=found.value)
                self._metrics.drift_repaired(kind.value)
        self._metrics.unreadable_state(len(seen.unreadable))
        for part, why in seen.unreadable.items():
            self._log.error("state could not be read", part=part, error=why)
        for key, failed in seen.failures.items():
            self._log.error("service could not be planned", service=str(key), exc_info=failed)
        for lost in seen.lost_configs:
            self._log.error("config object lost for good", error=lost)
        for place, error in seen.errors.items():
            self._log.error("place could not be read", place=str(place), error=error)
        for place, read in seen.seen.items():
            for cluster, denied in read.errors.items():
                self._log.error("cluster could not be read", place=str(place), cluster=cluster, error=denied)

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None:
        plan = step.plan
        if plan is None:
            return
        self._drift(key, step)
        if plan.ended:
            self._metrics.rollout_ended(plan.ended)
        said = {"service": str(key), "reasons": [f"{one.reason}: {one.message}" for one in plan.reasons]}
        if step.outcome.done is Done.WROTE:
            revision = step.outcome.revision
            self._log.info("rolled out", revision=revision, digest=plan.digest, action=plan.kind.value, **said)
        elif plan.kind is Kind.HOLD_DIGEST:
            self._log.error("rolled back", **said)
        elif plan.kind is Kind.CONTEST:
            self._log.error("contested", **said)
        elif plan.hold:
            self._log.info("held", hold=plan.hold.reason.value, why=plan.hold.message, **said)
        for one in step.outcome.said:
            self._log.info("done", service=str(key), reason=one.reason.value, message=one.message)
        self._board(board)

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

    def _drift(self, key: ServiceKey, step: Step) -> None:
        """Found once, however often it is looked at; repaired when our revision was taken."""
        plan = step.plan
        assert plan is not None  # noqa: S101
        kinds = [one.reason for one in plan.reasons if one.reason.value in DRIFT_KINDS] if plan.changes else []
        if kinds and self._drifting.get(key) is not kinds[0]:
            self._drifting[key] = kinds[0]
            self._metrics.drift_found(kinds[0].value)
        if step.outcome.done is Done.WROTE and key in self._drifting:
            self._metrics.drift_repaired(self._drifting.pop(key).value)
        if plan.kind is Kind.ADOPT:
            self._drifting.pop(key, None)

    def _board(self, board: StatusBoard) -> None:
        self._metrics.services(board.by_reason())
        self._metrics.hints(board.by_hint())
        self._metrics.routes(board.routes())
