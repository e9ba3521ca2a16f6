"""Whatever a pass plans, and whatever was approved: nothing that counts slips through unseen."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.api.values import amount
from controller.planning.guards import Guard, count, counts, line, permit
from controller.planning.model import Because, Hold, Kind, ServicePlan

PLACE = Place("main", "us-east-1")
KEYS = [ServiceKey(PLACE, "c", f"s{number}") for number in range(8)]
reasons = st.sampled_from([Reason.NEW_ROUTE, Reason.SPEC_CHANGED, Reason.ROUTER_MISSING, Reason.ROUTE_GONE])
holds = st.sampled_from([None, None, Hold(Reason.SUSPENDED, "x"), Hold(Reason.WAITING_FOR_DEPLOYMENT, "x", 15.0)])
plans = st.lists(
    st.builds(
        ServicePlan,
        st.sampled_from(KEYS),
        st.sampled_from(Kind),
        reasons.map(lambda reason: (Because(reason, ""),)),
        holds,
    ),
    unique_by=lambda plan: plan.key,
)
guards = st.builds(Guard, st.sampled_from(["0%", "20%", "50%"]), st.integers(0, 4), st.booleans())
everybody = [f"{key} {kind} " for key in KEYS for kind in (Kind.ROUTE, Kind.RESTORE)]
approvals = st.frozensets(st.sampled_from(everybody), max_size=10)


@given(plans, guards, approvals, st.booleans())
def test_what_was_not_approved_goes_on_only_where_all_that_counts_is_little(
    some: list[ServicePlan], guard: Guard, approved: frozenset[str], empty: bool
) -> None:
    found = permit([count(some, guard)], guard, approved, empty_source=empty)
    counted = [plan for plan in some if counts(plan, guard)]
    free = [plan for plan in counted if found.apply(plan).hold is None]
    if any(line(plan) not in approved for plan in free):
        assert not empty
        assert not guard.everything
        assert len(counted) <= max(guard.max_count, amount(guard.max_share, len(some)))
    assert all(found.apply(plan).hold is plan.hold for plan in counted if line(plan) in approved)
    assert all(found.apply(plan) is plan for plan in some if plan not in counted)


@given(plans, guards, st.booleans(), st.data())
def test_an_approval_covers_its_plan_and_any_part_of_it(
    some: list[ServicePlan], guard: Guard, empty: bool, data: st.DataObject
) -> None:
    blocked = permit([count(some, guard)], guard, frozenset(), empty_source=empty).blocked
    part = data.draw(st.lists(st.sampled_from(some), unique_by=lambda plan: plan.key)) if some else []
    known = [plan for plan in part if not counts(plan, guard) or line(plan) in blocked]
    found = permit([replace(count(known, guard), managed=len(some))], guard, blocked, empty_source=empty)
    assert not found.digest
    assert all(found.apply(plan) is plan for plan in known)


@given(plans, guards, approvals)
def test_what_no_pass_counted_waits_for_one(some: list[ServicePlan], guard: Guard, approved: frozenset[str]) -> None:
    found = permit([], guard, approved, empty_source=False)
    for plan in some:
        hold = found.apply(plan).hold
        assert (hold is None) == (plan.hold is None and not counts(plan, guard))
