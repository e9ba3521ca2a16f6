"""What no changed spec explains is counted; beyond a share and a count, all of it waits for a person.

Restores always count: a wrong folder or branch looks like "every route was deleted". A route that the specs
add or change does not. A plan is licensed by the pass that counted it, so that no worker writes what no pass
has seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.values import amount
from controller.planning.model import Hold, Kind, ServicePlan

EXPLAINED = frozenset({Reason.NEW_ROUTE, Reason.SPEC_CHANGED, Reason.PINNED_REVISION})


UNCOUNTED = Hold(Reason.PLAN_BLOCKED, "it waits for the next pass, which counts what it would touch")


@dataclass(frozen=True, slots=True)
class Guard:
    """`max_share` of the services that are looked after (`20%` or a count), and `max_count`: beyond both, a pass
    is blocked. `everything`: nothing at all is written without approval (a first run that only plans).
    """

    max_share: str = "20%"
    max_count: int = 3
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """`licensed`: lines of counted plans that may be carried out. `digest` names what is blocked, "" for nothing."""

    licensed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    digest: str = ""
    why: str = ""
    guard: Guard = Guard()

    def apply(self, plan: ServicePlan) -> ServicePlan:
        """The plan, held where it counts and was not licensed."""
        if not counts(plan, self.guard) or line(plan) in self.licensed:
            return plan
        if line(plan) in self.blocked:
            return plan.held_by(
                Hold(Reason.PLAN_BLOCKED, f"{self.why}; approve with: logroute approve {self.digest[:12]}")
            )
        return plan.held_by(UNCOUNTED)


def line(plan: ServicePlan) -> str:
    """What an approval covers: service, kind of action, desired digest; base revisions aside."""
    return f"{plan.key} {plan.kind} {plan.digest}"


def _is_restore(one: str) -> bool:
    return one.rsplit(" ", 2)[1] == Kind.RESTORE


def digest_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def counts(plan: ServicePlan, guard: Guard) -> bool:
    if not plan.changes or (plan.hold is not None and plan.hold.seconds is None):
        return False  # what is held for good touches nothing
    if plan.kind is Kind.ROLL_BACK or any(one.reason is Reason.ROUTER_FAILING for one in plan.reasons):
        return False  # it ends what a spec's change, or a broken router, began
    return guard.everything or plan.kind is Kind.RESTORE or not any(one.reason in EXPLAINED for one in plan.reasons)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a pass over one place counted. `managed`: how many services are looked after there."""

    lines: frozenset[str]
    managed: int
    revision: str = ""
    """Of the source, whose specs it counted by."""

    def as_plain(self) -> dict[str, Any]:
        return {"lines": sorted(self.lines), "managed": self.managed, "revision": self.revision}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Counted:
        """TypeError, ValueError or KeyError where `plain` is none."""
        lines, managed = plain["lines"], plain["managed"]
        if not isinstance(lines, list) or not isinstance(managed, int) or managed < 0:
            raise TypeError("lines or managed is of another type")
        for one in lines:
            ServiceKey.parse(one.rsplit(" ", 2)[0])
        return cls(frozenset(lines), managed, str(plain["revision"]))


def count(plans: Iterable[ServicePlan], guard: Guard) -> Counted:
    every = list(plans)
    return Counted(frozenset(line(plan) for plan in every if counts(plan, guard)), len(every))


def permit(
    counted: Iterable[Counted],
    guard: Guard,
    approved: frozenset[str],
    *,
    empty_source: bool,
    everywhere: bool = True,
) -> Permit:
    """License all, or block what is not approved. `counted`: of the last pass over each place; `everywhere`: all of
    them by the same specs. Until then no restore goes on: a wrong folder would drain one place after the other.

    What is approved counts too: a plan that grew beyond its approval is no small one for that.
    """
    some = list(counted)
    lines = frozenset(one for place in some for one in place.lines)
    managed = sum(place.managed for place in some)
    open_lines = lines - approved
    why = _why(lines, guard, managed, empty_source=empty_source)
    if not why or not open_lines:
        return Permit(lines if everywhere else frozenset(filterfalse(_is_restore, lines)) | approved, guard=guard)
    return Permit(lines & approved, open_lines, digest_of(open_lines), why, guard)


def _why(lines: frozenset[str], guard: Guard, managed: int, *, empty_source: bool) -> str:
    limit = max(guard.max_count, amount(guard.max_share, managed))
    if not lines:
        return ""
    if guard.everything:
        return f"first run: {len(lines)} services would be written"
    if empty_source:
        return f"the source holds no specs at all, and {len(lines)} services would be restored or repaired"
    if len(lines) > limit:
        return f"{len(lines)} of {managed} services would be restored or repaired at once; the guard allows {limit}"
    return ""
