"""What others have to say of a plan before it is carried out: the engine of its config, IAM of the rights it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controller.api.conditions import Reason
from controller.checking.checker import Checker
from controller.checking.model import Result
from controller.desired.model import ConfigStore
from controller.planning.model import Hold, Kind, ServicePlan
from controller.reconciling.preflight import Preflight
from controller.specs.model import Route


@dataclass(frozen=True, slots=True)
class Vetting:
    """None: nobody asks."""

    checker: Checker | None = None
    preflight: Preflight | None = None

    def vet(self, plan: ServicePlan, routes: Iterable[Route], store: ConfigStore, *, start: bool) -> ServicePlan:
        """The plan, held where one of them objects. `start`: the engine may be started, and IAM asked. Without it only
        what was found before counts, so that a pass over many services waits for neither: the workers do.
        """
        plan = checked(plan, self.checker, start=start)
        return self.preflight.check(plan, routes, store, ask=start) if self.preflight else plan


def checked(plan: ServicePlan, checker: Checker | None, *, start: bool) -> ServicePlan:
    """The plan, held where the engine refuses its config. Nothing else is asked about: not a service in sync, a
    restore, or a plan that is held already.
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
