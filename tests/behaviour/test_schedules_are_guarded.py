"""Rules and schedules that would be moved without a changed spec are counted, as touches of services are."""

from __future__ import annotations

import pytest

from tests.behaviour.test_families import families_yaml, is_routed, told
from tests.behaviour.test_guards import BATCHES, approve
from tests.behaviour.test_schedules import REPOINT, add_rule, revision_of, rule
from tests.support.playground import Playground, plain_definition

NAMES = [f"nightly-{number}" for number in range(5)]
AN_HOUR = 3600


@pytest.fixture
def first(play: Playground) -> dict[str, str]:
    """Of each family the revision that its rule pinned at first; all were moved to ours since."""
    found = {name: play.register(plain_definition(name)) for name in NAMES}
    for name, arn in found.items():
        add_rule(play, name, arn)
    play.write("jobs.yaml", families_yaml(target=REPOINT))
    play.settle()
    assert pins(play) == [f"{name}:2" for name in NAMES]
    return found


def pins(play: Playground) -> list[str]:
    return [revision_of(rule(play, name)) for name in NAMES]


def set_back(play: Playground, some: dict[str, str]) -> None:
    """By whoever writes these rules from a template; it is read within the hour."""
    for name, arn in some.items():
        add_rule(play, name, arn)
    play.sandbox.advance(AN_HOUR)
    play.clock.advance(AN_HOUR)
    play.settle()


def digest(play: Playground) -> str:
    assert {told(play, name)["reason"] for name in NAMES} == {"PlanBlocked"}
    return str(told(play, NAMES[0])["message"].rsplit(" ", 1)[-1])


def test_rules_of_many_families_that_somebody_set_back_wait_for_approval(
    play: Playground, first: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_back(play, first)
    assert pins(play) == [f"{name}:1" for name in NAMES]
    assert approve(play, monkeypatch, digest(play)) == 0
    play.settle()
    assert pins(play) == [f"{name}:2" for name in NAMES]


def test_rules_of_a_few_families_that_somebody_set_back_are_moved_again(
    play: Playground, first: dict[str, str]
) -> None:
    set_back(play, {name: first[name] for name in NAMES[:3]})
    assert pins(play) == [f"{name}:2" for name in NAMES]


def test_rules_follow_what_was_approved_for_their_families_and_wait_no_second_time(
    play: Playground, first: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        play.register(plain_definition(name, image="httpd:2.4.65"))
    play.settle()
    approve(play, monkeypatch, digest(play))
    play.settle(times=BATCHES)
    assert pins(play) == [f"{name}:4" for name in NAMES]
    play.remove("jobs.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, digest(play))
    play.settle(times=BATCHES)
    assert pins(play) == [arn.rsplit("/", 1)[-1] for arn in first.values()]
    assert not any(is_routed(play, name) for name in NAMES)


@pytest.mark.usefixtures("first")
def test_rules_that_go_back_where_nothing_was_restored_are_counted_as_restores(play: Playground) -> None:
    """The routers are gone already, by a deploy of somebody else, and then the routes: nothing but the rules is left."""
    play.write("jobs.yaml", families_yaml(target=REPOINT, extra="  suspend: true\n"))
    play.step()
    for name in NAMES:
        play.register(plain_definition(name, image="httpd:2.4.65"))
    play.step()
    play.remove("jobs.yaml")
    play.settle()
    assert pins(play) == [f"{name}:2" for name in NAMES]
    assert digest(play)
