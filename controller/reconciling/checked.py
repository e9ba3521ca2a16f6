"""A config that its engine refuses is not rolled out: the engine's word on a plan, before it is carried out."""

from __future__ import annotations

from controller.api.conditions import Reason
from controller.checking.checker import Checker
from controller.checking.model import Result
from controller.planning.model import Hold, Kind, ServicePlan


def checked(plan: ServicePlan, checker: Checker | None, *, start: bool) -> ServicePlan:
    """The plan, held where the engine refuses its config. Nothing else is asked about: not a service in sync, a
    restore, or a plan that is held already.

    `start`: an engine may be started. Without it only what was found before counts, so that a pass over many
    services does not wait for engines: the workers start them.
    """
    desired = plan.desired
    if checker is None or plan.kind is not Kind.ROUTE or plan.hold or desired is None or runs_already(plan):
        return plan
    ask = checker.check if start else checker.known
    verdict = ask(desired.configs, desired.engine)
    if verdict is None or verdict.result is not Result.REJECTED:
        return plan
    return plan.held_by(Hold(Reason.CONFIG_REJECTED, verdict.text))


def runs_already(plan: ServicePlan) -> bool:
    """The service runs these very configs in this very image: the engine has taken them."""
    if plan.desired is None or plan.desired.overlay is None or plan.before is None:
        return False
    image = plan.desired.overlay.router.get("image")
    images = {one.get("image") for one in plan.before.get("containerDefinitions", ())}
    return image in images and {one.path for one in plan.desired.configs} <= set(plan.running.configs)
