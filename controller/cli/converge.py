"""`logroute plan` and `logroute apply`: one look at the world, and one way there."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from controller import app as composition
from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.problems import has_errors
from controller.applying.apply import Done, Outcome
from controller.aws.ports import AwsError
from controller.cli import plans
from controller.cli.console import fail, say, show
from controller.cli.holding import held
from controller.cli.progress import Progress, make_progress
from controller.cli.witness import Witness
from controller.planning.guards import Permit
from controller.planning.model import Kind, ServicePlan
from controller.planning.waves import WAITS
from controller.reconciling.adoption import adopt
from controller.reconciling.guarding import guarded
from controller.reconciling.keeper import Specs
from controller.reconciling.preflight import MOST
from controller.reconciling.service import Step, reconcile
from controller.reconciling.survey import Survey, in_turn, survey
from controller.runtime.leases import COMMAND
from controller.settings import load

NO_CHANGES, CHANGES, NOT_CONVERGED, ERROR = 0, 2, 3, 1
SECONDS_BETWEEN_LOOKS = 3.0
pause = time.sleep


def plan(config: Path | None, source: str | None, output: str) -> int:
    app = composition.build(load(config, source=source), remembers=False)
    app.asks_of(roles=MOST)
    specs = _specs(app)
    seen = survey(app.world, specs, repair=False)
    seen = seen.under(guarded(app.world, specs, seen, record=False))
    show(plans.FORMATS[output](seen, specs), end="")
    if _failed(seen, specs) | _unread(seen):
        return ERROR
    return CHANGES if seen.changes or seen.wrong_configs or _groups_to_mend(seen) else NO_CHANGES


def apply(config: Path | None, source: str | None, *, wait: bool) -> int:
    """Carries out what nothing holds, then watches what it started until that ends or stands still."""
    app = composition.build(load(config, source=source).for_writing())
    with held(composition.share(app, COMMAND)):
        return _apply(app, _specs(app), wait=wait)


def _apply(app: composition.App, specs: Specs, *, wait: bool) -> int:
    seen = survey(app.world, specs, repair=True)
    permit = guarded(app.world, specs, seen, record=True)
    seen = in_turn(app.world, specs, seen.under(permit))
    for problem in specs.problems:
        say(str(problem))
    progress, adopted = make_progress([plan.key for plan in seen.pending]), _adopted(app, seen)
    way = _Way(app, specs, permit, progress, Witness(app, specs, seen))
    with progress, closing(way.witness):
        steps = {plan.key: _first(way, plan, adopted) for plan in seen.pending}
        if wait:
            _watch(way, steps)
    app.keeper.forget(specs, app.world.routes_in_use)
    for line in (*plans.groups(seen), *plans.summary(steps)):
        show(line)
    if _failed(seen, specs) or any(step is None for step in steps.values()):
        return ERROR
    converged = all(_converged(step) for step in steps.values() if step) and not _groups_missing(seen)
    return NO_CHANGES if converged else NOT_CONVERGED


def _specs(app: composition.App) -> Specs:
    app.world.routes.ensure_loaded()
    app.keeper.poll()
    assert app.keeper.specs is not None  # noqa: S101 - a poll that returns has read something
    return app.keeper.specs


def _adopted(app: composition.App, seen: Survey) -> set[ServiceKey]:
    found: set[ServiceKey] = set()
    for place, site in app.world.sites.items():
        here = {key: one for key, one in seen.adoptions.items() if app.world.shard_of(key) == place}
        found |= adopt(site, seen.plans, here)
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """By what a command goes, and who hears of each step."""

    app: composition.App
    specs: Specs
    permit: Permit
    progress: Progress
    witness: Witness


def _first(way: _Way, plan: ServicePlan, adopted: Collection[ServiceKey]) -> Step | None:
    """What waits for its turn is looked at when that comes, and what is remembered already not at all."""
    waits = plan.hold is not None and plan.hold.reason in WAITS
    if not waits and plan.key not in adopted:
        return _step(way, plan.key)
    step = Step(plan, Outcome(Done.NOTHING), None)
    way.progress.moved(plan.key, plans.in_a_word(step))
    return step


def _step(way: _Way, key: ServiceKey) -> Step | None:
    """One look and one move; a service that fails is said, and stops no other."""
    try:
        step = reconcile(way.app.world.site_of(key), way.specs, key, way.permit.apply)
    except AwsError as error:
        way.progress.failed(key, str(error))
        return None
    except Exception as error:  # noqa: BLE001 - a bug that one service shows must not stop the others
        way.progress.failed(key, f"LogRoute failed on it, please report: {type(error).__name__}: {error}")
        return None
    way.progress.moved(key, plans.in_a_word(step))
    way.witness.stepped(key, step)
    return step


def _watch(way: _Way, steps: dict[ServiceKey, Step | None]) -> None:
    """Until nothing of ours is on its way. What somebody else must end first is not waited for."""
    deadline = _Deadline(max((route.router.rollout.timeout for route in way.specs.force.routes), default=900.0))
    while moving := [key for key, step in steps.items() if step and _moving(step)] or _due(way.app):
        before = [steps.get(key) for key in moving]
        pause(SECONDS_BETWEEN_LOOKS)
        for key in (*moving, *_due(way.app)):
            steps[key] = _step(way, key)
        if deadline.passed(moved=before != [steps[key] for key in moving]):
            fail(f"no progress for {deadline.seconds:.0f} s; what is on its way goes on without this command")
            return


def _due(app: composition.App) -> list[ServiceKey]:
    """Those whose turn it is now."""
    return [key for site in app.world.sites.values() for key in site.waves.due(site.account.ecs.now())]


class _Deadline:
    """A deadline of progress, not of time."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._since = seconds, time.monotonic()

    def passed(self, *, moved: bool) -> bool:
        if moved:
            self._since = time.monotonic()
        return time.monotonic() - self._since > self.seconds


def _moving(step: Step) -> bool:
    watched = step.plan is not None and step.plan.kind is Kind.WATCH and step.plan.again is not None
    return watched or step.outcome.done in (Done.WROTE, Done.MOVED_ON, Done.UNCLEAR)


def _converged(step: Step) -> bool:
    """Nothing is held, on its way, or left to do."""
    plan: ServicePlan | None = step.plan
    if plan is None:
        return True
    return plan.hold is None and not _moving(step) and plan.kind not in (Kind.HOLD_DIGEST, Kind.CONTEST)


def _groups_to_mend(seen: Survey) -> bool:
    return any(not one.held for news in seen.groups.values() for one in news.drifts)


def _groups_missing(seen: Survey) -> bool:
    """A retention that may not be put right harms no log, and would never converge."""
    found = (one for news in seen.groups.values() for one in news.drifts if not one.repaired)
    return any(one.reason is Reason.LOG_GROUP_MISSING for one in found)


def _unread(seen: Survey) -> bool:
    """Services of which no plan could be made. `apply` tries these again, and tells by how that ends."""
    unread = {key: plan.hold for key, plan in sorted(seen.plans.items()) if plan.hold}
    errors = {key: hold for key, hold in unread.items() if hold.reason in (Reason.AWS_ERROR, Reason.INTERNAL_ERROR)}
    for key, hold in errors.items():
        fail(f"{key}: {hold.message}")
    return bool(errors)


def _failed(seen: Survey, specs: Specs) -> bool:
    for shard, why in seen.unreadable.items():
        fail(f"{shard}: {why}")
    for lost in (one for some in seen.lost_configs.values() for one in some):
        fail(str(lost))
    for place, news in seen.groups.items():
        if news.error:
            fail(f"{place}: {news.error}")
    for place, error in seen.errors.items():
        fail(f"{place}: {error}")
    for place, read in seen.seen.items():
        for cluster, error in read.errors.items():
            fail(f"{place}/{cluster}: {error}" if cluster else f"{place}: {error}")
    unread = any(read.errors for read in seen.seen.values()) or any(news.error for news in seen.groups.values())
    return bool(seen.errors or seen.lost_configs or seen.unreadable) or unread or has_errors(specs.problems)
