"""Blue/green, linear and canary deployments under the ECS controller: both revisions live, traffic moves.

Amazon ECS developer guide, "Amazon ECS blue/green service deployments workflow"; API reference,
ServiceDeployment.lifecycleStage, LinearConfiguration, CanaryConfiguration. A rollback needs no stages here:
the old revision still has all of its tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from controller.sandbox.model import Json
from controller.sandbox.model.services import Deployment, Service, ServiceDeployment
from controller.sandbox.model.stages import Progress, Step
from controller.sandbox.model.world import World
from controller.sandbox.rollout import deployments, hooks
from controller.sandbox.rollout.moves import Moves

STRATEGIES = frozenset({"BLUE_GREEN", "LINEAR", "CANARY"})
_ALL = 100.0
_LONGEST_STAGE = 86400.0  # developer guide: a lifecycle stage lasts up to 24 hours
_BEFORE_GREEN = frozenset({"RECONCILE_SERVICE", "PRE_SCALE_UP"})


def governs(service: Service) -> bool:
    """Whether the service is amid such a deployment. Its first one has no revision to shift traffic from."""
    record = service.current_record
    return (
        record is not None
        and record.ongoing
        and record.rollback is None
        and bool(record.sources)
        and record.configuration["strategy"] in STRATEGIES
    )


def steps(configuration: Json, least: float, *, reconcile: bool) -> Iterator[Step]:
    """All that a deployment goes through; each stage lasts `least` seconds or longer."""
    if reconcile:
        yield Step("RECONCILE_SERVICE", least, 0, 0)
    for stage in ("PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP"):
        yield Step(stage, least, 0, 0)
    for stage in ("TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT"):
        yield Step(stage, least, _ALL, 0)
    before = 0.0
    for percent, minutes in _shifts(configuration):
        yield Step("PRE_PRODUCTION_TRAFFIC_SHIFT", least, _ALL, before)
        yield Step("PRODUCTION_TRAFFIC_SHIFT", max(least, minutes * 60), _ALL, percent)
        before = percent
    yield Step("POST_PRODUCTION_TRAFFIC_SHIFT", least, _ALL, _ALL)
    yield Step("BAKE_TIME", configuration.get("bakeTimeInMinutes", 0) * 60, _ALL, _ALL)
    yield Step("CLEAN_UP", least, _ALL, _ALL)


def _shifts(configuration: Json) -> Iterator[tuple[float, int]]:
    """The percentages of production traffic that the new revision gets, and the minutes that each lasts."""
    linear: Json = configuration.get("linearConfiguration", {})
    canary: Json = configuration.get("canaryConfiguration", {})
    if configuration["strategy"] == "LINEAR":
        step, minutes = linear.get("stepPercent", 10.0), linear.get("stepBakeTimeInMinutes", 6)
        number = 1
        while (percent := round(number * step, 1)) < _ALL:
            yield percent, minutes
            number += 1
    elif configuration["strategy"] == "CANARY" and (percent := canary.get("canaryPercent", 5.0)) < _ALL:
        yield percent, canary.get("canaryBakeTimeInMinutes", 10)
    yield _ALL, 0  # no bake time after the last shift but the deployment's own


def advance(world: World, service: Service, record: ServiceDeployment) -> None:
    """Go on from stage to stage as far as time, tasks and hooks allow, or back where a hook says so."""
    if record.progress is None:
        reconcile = len(service.draining_deployments) > 1
        planned = deque(steps(record.configuration, world.settings.stage_seconds, reconcile=reconcile))
        record.progress = Progress(planned.popleft(), world.now, planned)
        hooks.meet(world, record, record.progress)
    progress = record.progress
    while (problem := _problem(world, progress)) is None and _passed(world, service, record, progress):
        progress.step, progress.since = progress.ahead.popleft(), world.now
        record.updated_at = world.now
        hooks.meet(world, record, progress)
    if problem:
        deployments.fail(world, service, record.deployment, problem)


def _problem(world: World, progress: Progress) -> str | None:
    if problem := hooks.problem(world, progress):
        return problem
    if progress.step.stage == "SCALE_UP" and world.now >= progress.since + _LONGEST_STAGE:
        return "Service deployment failed: the lifecycle stage SCALE_UP timed out."
    return None


def _passed(world: World, service: Service, record: ServiceDeployment, progress: Progress) -> bool:
    """Whether the current stage is over. The last one ends with the deployment."""
    if not progress.ahead or world.now < progress.since + progress.step.seconds or hooks.waiting(progress):
        return False
    if progress.step.stage == "RECONCILE_SERVICE":
        blue = _blue(service)
        return not any(one.tasks for one in service.draining_deployments if one is not blue)
    if progress.step.stage == "SCALE_UP":
        return record.deployment.well >= service.desired_count
    return True


def waits(world: World, progress: Progress) -> Iterator[float]:
    """Seconds from now at which time alone may change something."""
    moments = [progress.since + progress.step.seconds, progress.since + _LONGEST_STAGE]
    moments += [hook.expires_at for hook in progress.hooks if hook.waiting]
    yield from (moment - world.now for moment in moments if moment > world.now)


def moves(service: Service) -> Moves:
    """Blue keeps all of its tasks until the clean-up, green gets all of its own; whatever is older goes."""
    found, record, blue = Moves(), service.current_record, _blue(service)
    if record is None or record.progress is None:
        return found
    stage = record.progress.step.stage
    for one in service.draining_deployments:
        found.scale(one, service.desired_count if one is blue and stage != "CLEAN_UP" else 0)
    found.scale(record.deployment, 0 if stage in _BEFORE_GREEN else service.desired_count)
    return found


def spared(service: Service) -> Deployment | None:
    """Blue until the clean-up: it stays even without tasks, and nothing is steady beside it."""
    record = service.current_record
    if record and record.progress and record.progress.step.stage != "CLEAN_UP" and governs(service):
        return _blue(service)
    return None


def _blue(service: Service) -> Deployment | None:
    """The revision that production traffic comes from: the last one that completed.

    Whether ECS rather keeps one that had got its traffic and was superseded while it baked is not
    documented; such a one has never completed, and nothing rolls back to it, so that it goes here.
    """
    draining = service.draining_deployments
    last = service.last_completed
    return last if last in draining else (draining[0] if draining else None)
