"""A pass that has to read many definitions takes its time, and what cannot wait does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.reconciling import survey
from controller.reconciling.keeper import Specs
from controller.reconciling.survey import Survey
from tests.support.playground import CLUSTER, PREFIX, STORE, Playground, plain_definition, route_yaml

OLD, NEW = [f"old-{number}" for number in range(4)], [f"new-{number}" for number in range(6)]


@pytest.fixture
def during(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """The next pass reads definitions at one in forty seconds; in the middle of them something happens, once."""
    monkeypatch.setattr(survey, "MANY", 3)
    for name in OLD:
        play.service(name, definition=plain_definition(name))
    play.write("old.yaml", route_yaml("old", services='["old-*"]'))
    play.settle()
    assert all(map(play.is_routed, OLD))
    for name in NEW:
        play.service(name, definition=plain_definition(name))
    play.write("new.yaml", route_yaml("new", services='["new-*"]'))

    def arrange(happens: Callable[[], None]) -> None:
        ecs = play.app.world.home_site.account.ecs
        describe, read = ecs.describe_task_definition, []

        def slowly(reference: str, *, cached: bool = True) -> object:
            if "new-" in reference and cached:
                read.append(reference)
                play.sandbox.advance(40)
                if len(read) == 3:
                    happens()
            return describe(reference, cached=cached)

        monkeypatch.setattr(ecs, "describe_task_definition", slowly)

    return arrange


def test_a_config_object_that_is_lost_meanwhile_is_back_before_the_pass_ends(
    play: Playground, during: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (lost,) = play.configs()
    seen: list[bool] = []

    def lose() -> None:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{lost}")

    during(lose)
    surveyed = play.controller.board.surveyed

    def at_the_end(found: Survey, specs: Specs) -> None:
        seen.append(lost in play.configs())
        surveyed(found, specs)

    monkeypatch.setattr(play.controller.board, "surveyed", at_the_end)
    play.controller.poll_source()
    play.controller.resync()
    assert seen == [True]


def test_a_repair_is_begun_before_the_definitions_are_read(
    play: Playground, during: Callable[[Callable[[], None]], None]
) -> None:
    """The worker has its turn while the pass is in the middle of reading."""
    play.deploy(plain_definition("old-1", image="httpd:2.4.65"), "old-1")
    play.sandbox.advance(600)
    repaired: list[bool] = []

    def work() -> None:
        play.drain()
        repaired.append(play.is_routed("old-1"))

    during(work)
    play.controller.poll_source()
    play.controller.resync()
    assert repaired == [True]
    assert not any(map(play.is_routed, NEW))
    play.drain()
    assert all(map(play.is_routed, NEW))
    assert play.ecs.describe_services(cluster=CLUSTER, services=["old-1"])["services"][0]["status"] == "ACTIVE"
