"""The guards' word on a pass: what was counted, what is approved, what waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from controller.planning.guards import Permit, permit
from controller.reconciling.approvals import Approvals
from controller.reconciling.keeper import Specs
from controller.reconciling.survey import Survey
from controller.reconciling.world import STATE, World


def guarded(world: World, specs: Specs, seen: Survey, now: Callable[[], float], *, record: bool) -> Permit:
    """Approvals are only read where something would be blocked, so that a quiet pass costs nothing here.

    With `record` a blocked plan is written down, so that it can be approved. Raises AwsError.
    """
    site = world.home_site
    store = site.install.store
    approvals = Approvals(site.account.bucket(store.bucket), store.key(STATE), now)
    guard = world.guard
    if guard.everything:
        everything = approvals.first_run(remembers_nothing=world.remembers_nothing(), record=record)
        guard = replace(guard, everything=everything)
    plans = list(seen.plans.values())

    def ask(approved: frozenset[str]) -> Permit:
        return permit(plans, guard, approved, managed=len(plans), empty_source=specs.empty)

    first = ask(frozenset())
    if not first.digest:
        return first
    found = ask(approvals.lines())
    if found.digest and record:
        approvals.block(found)
    return found
