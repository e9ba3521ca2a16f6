"""A difference counts once when it is found and once when it is put right, however many passes see it."""

from __future__ import annotations

import pytest

from controller.telemetry.drift import DriftTally
from controller.telemetry.metrics import Metrics

WEB, API = ("services", "web"), ("services", "api")
ROUTER, DRIVER = "RouterChanged", "LogDriverChanged"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


@pytest.fixture
def tally(metrics: Metrics) -> DriftTally:
    return DriftTally(metrics)


def counted(metrics: Metrics, kind: str) -> tuple[str, ...]:
    """Found, repaired."""
    lines = metrics.render()[0].decode().splitlines()
    return tuple(
        line.rsplit(" ", 1)[-1]
        for name in ("found", "repaired")
        for line in lines
        if line.startswith(f'logroute_drift_{name}_total{{kind="{kind}"}}')
    )


def test_what_stands_is_counted_once_and_what_is_new_is_told(tally: DriftTally, metrics: Metrics) -> None:
    assert tally.stands(WEB, {ROUTER}) == [ROUTER]
    assert tally.stands(WEB, {ROUTER, DRIVER}) == [DRIVER]
    assert tally.stands(API, {ROUTER}) == [ROUTER]
    assert (counted(metrics, ROUTER), counted(metrics, DRIVER)) == (("2.0", "0.0"), ("1.0", "0.0"))


def test_all_that_stood_is_repaired_together(tally: DriftTally, metrics: Metrics) -> None:
    tally.stands(WEB, {ROUTER, DRIVER})
    tally.repaired(WEB)
    tally.repaired(WEB)
    assert (counted(metrics, ROUTER), counted(metrics, DRIVER)) == (("1.0", "1.0"), ("1.0", "1.0"))
    assert tally.stands(WEB, {ROUTER}) == [ROUTER], "it is found anew"


def test_what_somebody_else_put_right_is_not_our_repair(tally: DriftTally, metrics: Metrics) -> None:
    tally.stands(WEB, {ROUTER})
    tally.stands(WEB, ())
    tally.stands(API, {ROUTER})
    tally.only("services", {"web"})
    tally.repaired(WEB)
    tally.repaired(API)
    assert counted(metrics, ROUTER) == ("2.0", "0.0")


def test_other_scopes_are_left_alone(tally: DriftTally) -> None:
    tally.stands(("groups", "web"), {ROUTER})
    tally.only("services", set())
    assert tally.stands(("groups", "web"), {ROUTER}) == []
