"""When sweeps happen, how much each does, and what makes one let everything be."""

from __future__ import annotations

from typing import Any

import pytest

from controller.planning.garbage import Policy
from controller.reconciling import sweep as sweeping
from controller.reconciling.garbage import Stopping, Sweeper
from controller.telling import Teller
from tests.behaviour.test_garbage import DELETE, copy_of, days, forgotten, old, sweep
from tests.support.playground import PREFIX, STORE, Playground, plain_definition

__all__ = ["old"]
HOUR = 1 / 24


@pytest.fixture
def calls(play: Playground, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call to ECS from now on."""
    made: list[str] = []
    seen = Teller.aws_call

    def count(self: Teller, service: str, operation: str, code: str) -> None:
        made.append(operation)
        seen(self, service, operation, code)

    monkeypatch.setattr(Teller, "aws_call", count)
    play.start()
    return made


def sweeper(play: Playground, policy: Policy = DELETE, **more: Any) -> Sweeper:
    return Sweeper(play.app.world, policy, Teller(play.metrics), play.controller.board, **more)


def ticked(play: Playground, calls: list[str], policy: Policy = DELETE) -> bool:
    """Whether a tick of a process that has just started swept."""
    calls.clear()
    play.app.world.home_site.account.ecs.list_clusters()  # the passes ask ECS, and so know its time
    sweeper(play, policy).tick()
    return "ListTaskDefinitions" in calls


def test_it_sweeps_once_a_day_whatever_restarts(play: Playground, calls: list[str]) -> None:
    assert ticked(play, calls)
    assert not ticked(play, calls)
    days(play, 23 * HOUR)
    assert not ticked(play, calls)
    days(play, 2 * HOUR)
    assert ticked(play, calls)


def test_a_sweep_that_was_in_doubt_is_made_again_within_the_hour(play: Playground, calls: list[str]) -> None:
    fault = play.sandbox.add_fault(
        calls="ecs:ListTaskDefinitions", effect="error", code="AccessDeniedException", status=400, times=0
    )
    assert ticked(play, calls)
    play.sandbox.remove_fault(fault)
    assert not ticked(play, calls)
    days(play, 2 * HOUR)
    assert ticked(play, calls)
    days(play, 2 * HOUR)
    assert not ticked(play, calls)


def test_off_costs_no_call(play: Playground, calls: list[str]) -> None:
    sweeper(play, Policy("off")).tick()
    assert calls == []


def test_where_active_revisions_name_every_config_a_sweep_is_a_few_lists(
    play: Playground, old: tuple[str, str], calls: list[str]
) -> None:
    assert old
    sweep(play)
    calls.clear()
    sweep(play)
    assert sorted({call for call in calls if not call.endswith("Object")}) == ["ListObjectsV2", "ListTaskDefinitions"]


def test_no_body_is_read_twice_in_whatever_process(play: Playground, old: tuple[str, str], calls: list[str]) -> None:
    forgotten(play, old[1])
    sweep(play)
    play.start()
    calls.clear()
    sweep(play)
    assert "DescribeTasks" in calls
    assert "DescribeTaskDefinition" not in calls


def test_a_sweep_reads_only_so_many_bodies_and_the_next_goes_on(
    play: Playground, old: tuple[str, str], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, revision = old
    for number in range(7):
        play.register(plain_definition(f"other{number}"))
    monkeypatch.setattr(sweeping, "MOST_LEARNED", 4)
    forgotten(play, revision)
    told = []
    for _ in range(3):
        calls.clear()
        told.append([doubt.split(" of ")[0] for doubt in sweep(play).doubts])
        assert calls.count("DescribeTaskDefinition") <= 4
    assert told == [["5 task definitions"], ["1 task definitions"], []]
    days(play, 31)
    sweep(play)
    assert path not in play.configs()


def test_a_stop_ends_a_sweep_at_once_and_nothing_goes(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    with pytest.raises(Stopping):
        sweeper(play, stopping=lambda: True).sweep()
    sweeper(play, stopping=lambda: True).tick()
    assert path in play.configs()


@pytest.mark.parametrize("state", ["garbage/marks", f"garbage/known/main/{'ap-northeast-1'}", "services/main"])
def test_state_that_cannot_be_read_lets_nothing_go(play: Playground, old: tuple[str, str], state: str) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    keys = [row["Key"] for row in play.s3.list_objects_v2(Bucket=STORE, Prefix=f"{PREFIX}/_state/{state}")["Contents"]]
    for key in keys:
        play.s3.put_object(Bucket=STORE, Key=key, Body=b"{")
    play.start()
    assert any("is not readable" in doubt for doubt in sweep(play).doubts)
    assert path in play.configs()


def test_what_was_written_meanwhile_stays(play: Playground, old: tuple[str, str]) -> None:
    """The delete is conditional: somebody else's bytes are not what was judged. Their grace begins anew."""
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    play.sandbox.add_fault(calls="s3:DeleteObject", effect="error", code="PreconditionFailed", status=412, times=1)
    assert sweep(play).removed == []
    assert path in play.configs()
    for wait in (1, 29):
        days(play, wait)
        assert sweep(play).removed == []
    days(play, 2)
    assert len(sweep(play).removed) == 1


def test_deletes_that_are_denied_are_told_and_cost_nothing(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    play.sandbox.add_fault(calls="s3:DeleteObject", effect="error", code="AccessDenied", status=403, times=0)
    assert "s3:DeleteObject" in sweep(play).doubts[0]
    assert {path, copy_of(path)} <= play.objects().keys()
