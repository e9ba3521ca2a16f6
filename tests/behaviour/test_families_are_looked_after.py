"""What holds for services holds for task families: routers of others, guards, people who undo it, and leaving."""

from __future__ import annotations

import json

import pytest

from tests.behaviour.test_adoption import adopting, canon, routed_by_hand
from tests.behaviour.test_families import FAMILY, containers, families_yaml, is_routed, latest, told
from tests.behaviour.test_guards import BATCHES, approve
from tests.support.playground import Playground, plain_definition

NAMES = [f"nightly-{number}" for number in range(5)]
ORPHAN = "  deletionPolicy: orphan\n"
CI_IMAGE = "httpd:2.4.65"


@pytest.fixture
def jobs(play: Playground) -> Playground:
    """A family of jobs that has its router."""
    play.register(plain_definition(FAMILY))
    play.write("jobs.yaml", families_yaml())
    play.settle()
    assert is_routed(play)
    return play


@pytest.fixture
def many(play: Playground) -> Playground:
    """More families than the guard lets go at once."""
    for name in NAMES:
        play.register(plain_definition(name))
    play.write("jobs.yaml", families_yaml())
    play.settle()
    assert routed(play) == NAMES
    return play


def routed(play: Playground) -> list[str]:
    return [name for name in NAMES if is_routed(play, name)]


# A router of somebody else's


def test_a_family_with_a_foreign_router_is_left_and_the_way_is_said(play: Playground) -> None:
    play.register(routed_by_hand(FAMILY))
    play.write("jobs.yaml", families_yaml())
    play.settle()
    assert play.revisions(FAMILY) == 1
    assert told(play)["reason"] == "ForeignRouter"
    assert "set adopt: true in the LogRouterClass default" in json.dumps(told(play))


def test_with_adopt_a_family_s_own_router_gives_way_and_comes_back_whole(play: Playground) -> None:
    play.register(routed_by_hand(FAMILY))
    before = canon({"taskDefinition": latest(play)})
    play.write("class.yaml", adopting())
    play.write("jobs.yaml", families_yaml())
    play.settle()
    assert set(containers(play)) == {"log_router", "app"}
    assert play.revisions(FAMILY) == 2
    play.remove("jobs.yaml")
    play.settle()
    assert canon({"taskDefinition": latest(play)}) == before


# Guards


def test_many_families_that_would_be_restored_at_once_wait_for_approval(
    many: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.remove("jobs.yaml")
    many.settle()
    assert routed(many) == NAMES
    assert {told(many, name)["reason"] for name in NAMES} == {"PlanBlocked"}
    digest = told(many, NAMES[0])["message"].rsplit(" ", 1)[-1]
    assert approve(many, monkeypatch, digest) == 0
    many.settle(times=BATCHES)
    assert routed(many) == []


def test_a_few_families_that_leave_wait_for_nobody(many: Playground) -> None:
    many.write("jobs.yaml", families_yaml(f"['nightly-*', '!{NAMES[0]}', '!{NAMES[1]}']"))
    many.settle()
    assert routed(many) == NAMES[2:]


def test_many_families_that_lost_the_router_at_once_wait_for_approval(many: Playground) -> None:
    for name in NAMES:
        many.register(plain_definition(name, image=CI_IMAGE))
    many.settle()
    assert routed(many) == []
    assert {told(many, name)["reason"] for name in NAMES} == {"PlanBlocked"}


# People who undo it


def test_a_family_that_is_set_back_three_times_within_an_hour_is_left_alone(jobs: Playground) -> None:
    for _ in range(2):
        jobs.register(plain_definition(FAMILY))
        jobs.settle(times=1)
        assert is_routed(jobs)
    jobs.register(plain_definition(FAMILY))
    jobs.settle(times=4)
    assert not is_routed(jobs)
    assert told(jobs)["reason"] == "Contested"
    jobs.write("jobs.yaml", families_yaml(extra="  priority: 5\n").replace("stdout", "'null'"))
    jobs.settle()
    assert is_routed(jobs)


def test_deploys_of_new_images_without_the_router_are_no_contest(jobs: Playground) -> None:
    for number in range(4):
        jobs.register(plain_definition(FAMILY, image=f"httpd:2.4.{60 + number}"))
        jobs.settle(times=1)
        assert is_routed(jobs)
    assert [one["reason"] for one in told(jobs)["hints"]] == ["InjectInCI"]


# Leaving


def test_an_orphaned_family_keeps_its_router_and_says_so(play: Playground) -> None:
    play.register(plain_definition(FAMILY))
    play.write("jobs.yaml", families_yaml(extra=ORPHAN))
    play.settle()
    play.remove("jobs.yaml")
    play.start()
    play.settle()
    assert is_routed(play)
    assert told(play)["reason"] == "Orphaned"
    assert play.revisions(FAMILY) == 2
