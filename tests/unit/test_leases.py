"""Each shard is one replica's at a time, and none is left alone for long."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.runtime.leases import COMMAND, HELD, REPLICAS, TTL
from tests.support.lease_room import Replica, Room


def room_of(shards: int) -> Room:
    return Room([f"main/region-{number}" for number in range(shards)])


def counts(room: Room) -> list[int]:
    return [len(one.leases.held) for one in room.replicas]


def test_one_replica_holds_all_with_its_first_beat() -> None:
    room = room_of(3)
    only = room.replica("a")
    room.tick()
    assert counts(room) == [3]
    assert only.told == [(what, shard) for shard in room.shards for what in ("prepare", "gained")]


def test_a_second_replica_gets_its_part_and_a_third_too() -> None:
    room = room_of(7)
    room.replica("a")
    room.tick()
    room.replica("b")
    room.run(20)
    assert sorted(counts(room)) == [3, 4]
    room.replica("c")
    room.run(40)
    assert sorted(counts(room)) == [2, 2, 3]
    assert all(len(some) == 1 for some in room.holders().values())


def test_of_one_shard_the_second_replica_stands_by() -> None:
    room = room_of(1)
    room.replica("a")
    room.replica("b")
    room.run(100)
    assert counts(room) == [1, 0]


def test_a_killed_replica_is_replaced_within_thirty_seconds() -> None:
    for late in range(8):
        room = room_of(2)
        first, second = room.replica("a"), room.replica("b")
        room.run(20)
        room.tick(first)
        first.awake = False
        died = room.time
        room.time += late / 2
        while len(second.leases.held) < len(room.shards):
            room.run(4)
        assert room.time - died < 30


def test_a_replica_that_stops_is_replaced_with_the_next_beat() -> None:
    room = room_of(2)
    first, second = room.replica("a"), room.replica("b")
    room.run(20)
    assert first.leases.close(0)
    first.awake = False
    room.run(4)
    assert second.leases.held == room.shards
    assert not [name for name in room.records.there if name.startswith(f"{REPLICAS}run.a.")]


def test_who_slept_writes_nothing_afterwards_and_comes_back_as_another() -> None:
    room = room_of(1)
    first, second = room.replica("a"), room.replica("b")
    room.run(8)
    first.awake = False
    room.run(TTL + 9)
    assert (first.leases.enter("main/region-0"), second.leases.enter("main/region-0")) == (False, True)
    first.awake = True
    room.tick(first)
    assert first.told[-1] == ("lost", "main/region-0")
    assert not first.leases.holds("main/region-0")
    room.run(60)
    assert counts(room) == [0, 1]


def test_who_slept_without_being_missed_goes_on() -> None:
    room = room_of(1)
    only = room.replica("a")
    room.tick()
    room.time += 100
    assert not only.leases.holds("main/region-0")
    assert not only.leases.enter("")
    room.tick()
    assert only.leases.holds("main/region-0")
    assert ("lost", "main/region-0") not in only.told


def test_a_shard_that_is_given_up_waits_for_the_write_that_has_begun() -> None:
    room = room_of(2)
    first = room.replica("a")
    room.tick()
    for shard in room.shards:
        assert first.leases.enter(shard)
    second = room.replica("b")
    room.run(8)
    assert counts(room) == [1, 0]
    for shard in room.shards:
        first.leases.leave(shard)
    room.run(8)
    assert counts(room) == [1, 1]
    assert second.leases.held


def test_a_shard_is_not_taken_again_while_work_of_the_last_time_goes_on() -> None:
    room = room_of(1)
    only = room.replica("a")
    room.tick()
    del room.records.there[f"{HELD}main/region-0"]
    only.busy = {"main/region-0"}
    room.run(8)
    assert not only.leases.held
    only.busy = set()
    room.run(4)
    assert only.leases.held


def test_a_stop_does_not_wait_for_ever_and_keeps_the_lease_until_it_ends_by_itself() -> None:
    room = room_of(1)
    first = room.replica("a")
    room.tick()
    assert first.leases.enter("main/region-0")
    assert not first.leases.close(0.01)
    assert not first.leases.enter("main/region-0")
    first.awake = False
    second = room.replica("b")
    room.run(12)
    assert not second.leases.held
    room.run(12)
    assert second.leases.held


def test_a_beat_whose_answer_is_lost_costs_nothing() -> None:
    room = room_of(1)
    only = room.replica("a")
    room.tick()
    room.records.fail_after = [OSError("no answer")]
    room.time += 4
    with pytest.raises(OSError, match="no answer"):
        room.tick()
    room.run(4)
    assert only.told == [("prepare", "main/region-0"), ("gained", "main/region-0")]
    assert only.leases.holds("main/region-0")


def test_a_first_beat_and_a_lease_whose_answers_are_lost_are_found_again() -> None:
    room = room_of(1)
    only = room.replica("a")
    room.records.fail_after = [OSError("no answer")]
    with pytest.raises(OSError, match="no answer"):
        room.tick()
    put, room.records.fail_after = room.records.put, []

    def first_lease(name: str, body: bytes, *, over: str | None) -> str:
        version = put(name, body, over=over)
        if name.startswith(HELD):
            raise OSError("no answer")
        return version

    room.records.put = first_lease  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no answer"):
        room.tick()
    assert not only.leases.held
    room.records.put = put  # type: ignore[method-assign]
    room.run(4)
    assert only.leases.holds("main/region-0")
    assert len(room.records.there) == 2


def test_without_the_store_nobody_writes_and_afterwards_everything_goes_on() -> None:
    room = room_of(2)
    room.replica("a")
    room.replica("b")
    room.run(20)
    before = room.holders()
    for _ in range(6):
        room.time += 4
        for one in room.replicas:
            room.records.fail_before = [OSError("down")]
            with pytest.raises(OSError, match="down"):
                one.leases.tick()
    assert counts(room) == [0, 0]
    room.run(4)
    assert room.holders() == before


def test_a_lease_that_a_person_deletes_is_lost_and_taken_anew() -> None:
    room = room_of(1)
    only = room.replica("a")
    room.tick()
    del room.records.there[f"{HELD}main/region-0"]
    room.run(4)
    assert only.told[2:] == [("lost", "main/region-0"), ("prepare", "main/region-0"), ("gained", "main/region-0")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"holder": 3, "epoch": "x"}', b"\xff"])
def test_a_lease_that_is_none_of_ours_is_nobodys(body: bytes) -> None:
    room = room_of(1)
    room.records.put(f"{HELD}main/region-0", body, over=None)
    only = room.replica("a")
    room.tick()
    assert only.leases.holds("main/region-0")


def test_a_lease_tells_people_who_holds_it_and_how_often_it_changed_hands() -> None:
    room = room_of(1)
    first = room.replica("a")
    room.tick()
    first.leases.close(0)
    first.awake = False
    second = room.replica("b")
    room.tick(second)
    lease = json.loads(room.lease_of("main/region-0"))
    assert lease["holder"] == second.leases.replica
    assert lease["holder"].startswith("run.b.")
    third = room.replica("c")
    room.tick(third)
    assert third.leases.missing() == {"main/region-0": second.leases.replica}


def test_a_command_takes_all_that_is_free_and_nobody_makes_room_for_it_or_counts_on_it() -> None:
    room = room_of(2)
    controller, command = room.replica("a"), room.replica("hand", COMMAND)
    room.run(40)
    assert counts(room) == [2, 0]
    controller.leases.close(0)
    controller.awake = False
    room.run(4)
    assert counts(room) == [0, 2]
    other = room.replica("b")
    room.run(40)
    assert counts(room) == [0, 2, 0]
    command.leases.close(0)
    command.awake = False
    room.run(4)
    assert other.leases.held == room.shards


class Replicas(RuleBasedStateMachine):
    """Replicas start, sleep, wake, stop, and lose answers, in any order: two never hold one shard, and a while after
    the last trouble all shards are held and evenly so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.room = room_of(4)
        self.room.replica("r0")

    @rule()
    @precondition(lambda self: len(self.room.replicas) < 5)
    def start(self) -> None:
        self.room.replica(f"r{len(self.room.replicas)}")

    @rule(seconds=st.floats(0.1, 20))
    def time_passes(self, seconds: float) -> None:
        self.room.time += seconds

    @rule(data=st.data(), lost=st.sampled_from(["", "before", "after"]))
    def one_beats(self, data: st.DataObject, lost: str) -> None:
        one = self._some(data)
        errors = {"before": self.room.records.fail_before, "after": self.room.records.fail_after}.get(lost, [])
        errors.append(OSError(lost))
        with contextlib.suppress(OSError):
            one.leases.tick()
        self.room.records.fail_before.clear()
        self.room.records.fail_after.clear()

    @rule(data=st.data())
    def one_stops(self, data: st.DataObject) -> None:
        self._some(data).leases.close(0)

    @invariant()
    def nobody_shares(self) -> None:
        for some in self.room.holders().values():
            assert len(some) <= 1

    def teardown(self) -> None:
        self.room.run(200)
        assert all(len(some) == 1 for some in self.room.holders().values())
        assert max(counts(self.room)) - min(counts(self.room)) <= 1

    def _some(self, data: st.DataObject) -> Replica:
        return data.draw(st.sampled_from(self.room.replicas))


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
