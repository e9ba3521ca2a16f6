"""What a scrape shows of services and routes is what the board says, whatever happened since the last one."""

from __future__ import annotations

from unittest.mock import Mock

from hypothesis import given
from hypothesis import strategies as st

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.applying.apply import Done, Outcome
from controller.observed.inventory import Inventory
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.board import StatusBoard
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey
from controller.telemetry.metrics import Metrics
from controller.telling import Teller

PLACE = Place("main", "eu-central-1")
KEYS = [ServiceKey(PLACE, "web", f"s{number}") for number in range(6)]
SELECTED = {"web/all": tuple(KEYS), "web/few": tuple(KEYS[:2]), "web/none": ()}
HOLDS = st.none() | st.sampled_from([Reason.SUSPENDED, Reason.ROLLED_BACK]).map(lambda reason: Hold(reason, "held"))
REASONS = st.sampled_from([Reason.IN_SYNC, Reason.NEW_ROUTE, Reason.ROUTER_MISSING]).map(
    lambda one: Because(one, "why")
)


@st.composite
def plans(draw: st.DrawFn, key: ServiceKey) -> ServicePlan:
    return ServicePlan(
        key, draw(st.sampled_from([Kind.NOTHING, Kind.ROUTE, Kind.WATCH])), (draw(REASONS),), draw(HOLDS)
    )


STEPS = st.sampled_from(KEYS).flatmap(
    lambda key: st.tuples(st.just(key), st.none() | plans(key), st.sampled_from([Done.NOTHING, Done.WROTE]))
)
"""None: the service is gone."""


def specs() -> Specs:
    routes = [Mock(key=key) for key in SELECTED]
    return Mock(force=Mock(routes=routes, carried={"web/few"}), frozen={}, revision="r", problems=())


def survey(some: list[ServicePlan]) -> Survey:
    read = Inventory(PLACE, {}, frozenset({"web"}))
    return Survey({plan.key: plan for plan in some}, SELECTED, {PLACE: read})


@given(first=st.tuples(*map(plans, KEYS)), steps=st.lists(STEPS), scraped=st.sets(st.integers(0, 20)))
def test_what_a_scrape_shows_is_what_one_who_counts_anew_finds(
    first: tuple[ServicePlan, ...], steps: list[tuple[ServiceKey, ServicePlan | None, Done]], scraped: set[int]
) -> None:
    board, metrics = StatusBoard(), Metrics("test")
    teller, seen = Teller(metrics), survey(list(first))
    board.surveyed(seen, specs())
    teller.surveyed(seen, board)
    for number, (key, plan, done) in enumerate(steps):
        step = Step(plan, Outcome(done), None)
        board.stepped(key, step)
        teller.stepped(key, step, board)
        if number in scraped:
            metrics.render()
    assert told(metrics) == anew(board)


def test_a_step_that_failed_is_counted_too() -> None:
    board, metrics = StatusBoard(), Metrics("test")
    teller, seen = Teller(metrics), survey([ServicePlan(KEYS[0], Kind.NOTHING)])
    board.surveyed(seen, specs())
    teller.surveyed(seen, board)
    metrics.render()
    board.failed(KEYS[0], Reason.AWS_ERROR, "no")
    assert 'logroute_services{state="AwsError"} 1.0' in told(metrics)


def test_a_step_counts_nothing_of_the_board() -> None:
    """Ten thousand services and routes would make it a fifth of a second."""
    board = Mock(wraps=StatusBoard(), version=1)
    metrics = Metrics("test")
    Teller(metrics).stepped(KEYS[0], Step(ServicePlan(KEYS[0], Kind.NOTHING), Outcome(Done.NOTHING), None), board)
    assert not board.method_calls
    metrics.render()
    metrics.render()
    assert [name for name, *_ in board.method_calls].count("routes") == 1


def told(metrics: Metrics) -> list[str]:
    """What is said of services and routes."""
    names = ("logroute_services", "logroute_route", "logroute_change")
    return [line for line in metrics.render()[0].decode().splitlines() if line.startswith(names)]


def anew(board: StatusBoard) -> list[str]:
    metrics = Metrics("test")
    metrics.services(board.by_reason())
    metrics.hints(board.by_hint())
    metrics.changes({}, {})
    metrics.routes(board.routes())
    return told(metrics)
