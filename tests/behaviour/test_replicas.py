"""Two controllers share the accounts and regions, and when one goes the other takes over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from controller.api.events import EventKind
from controller.api.keys import Place
from controller.aws.calls import Caller
from controller.cli import statusfile
from controller.overview import Overview
from controller.reconciling.guarding import guarded
from controller.reconciling.notes import Kind, Note
from controller.reconciling.service import reconcile
from controller.settings import AccountSettings
from tests.support.playground import ALL_AT_ONCE, CLUSTER, REGION, Playground, plain_definition, route_yaml
from tests.support.replicas import Replica, Replicas

FAR = "eu-west-1"


@pytest.fixture
def both(play: Playground) -> Playground:
    """Two regions with a service each, and the same route to both."""
    places = {"main": AccountSettings(regions=(REGION, FAR))}
    play.settings = play.settings.model_copy(update={"accounts": places})
    play.service()
    far_of(play).create_cluster(clusterName=CLUSTER)
    far_service(play)
    play.sandbox.advance(120)
    write(play)
    return play


def far_service(play: Playground, name: str = "example") -> None:
    far = far_of(play)
    definition = far.register_task_definition(**plain_definition(name))["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    far.create_service(
        cluster=CLUSTER,
        serviceName=name,
        taskDefinition=definition,
        launchType="FARGATE",
        desiredCount=2,
        networkConfiguration=network,
    )


def far_of(play: Playground) -> Any:
    return play.sandbox.client("ecs", region=FAR)


def write(play: Playground, outputs: str = "[{name: stdout}]") -> None:
    here = route_yaml(outputs=outputs)
    play.write("here.yaml", here)
    play.write("there.yaml", here.replace("name: httpd", "name: far").replace("{cluster", f"{{region: {FAR}, cluster"))


def revision(play: Playground, region: str = REGION, name: str = "example") -> int:
    return int(str(play.sandbox.service(CLUSTER, name, region=region)["taskDefinition"]).rsplit(":", 1)[1])


def registered(play: Playground) -> int:
    return len(play.sandbox.revisions("example"))


def test_each_replica_shows_what_all_of_them_look_after_and_what_happened_is_told_once(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle()
    services = [f"main/{REGION}/{CLUSTER}/example", f"main/{FAR}/{CLUSTER}/example"]
    for one in two.all:
        overview = Overview(one.app.world, one.controller, one.app.shards, one.journal, both.sandbox.clock.now)
        assert sorted(overview.status()["services"]) == sorted(services)
        assert {row["ready"] for row in overview.status()["services"].values()} == {True}
        assert {event.about for event in overview.events()} == {"", *services}
        for service in services:
            assert [event.kind for event in overview.history(service)][-1] is EventKind.ROLLOUT_STARTED
    told = [entry.event for one in two.all for entry in one.journal.after()]
    assert [event.kind for event in told].count(EventKind.SPECS_CHANGED) == 1
    assert [event.kind for event in told].count(EventKind.ROLLOUT_STARTED) == 2


def test_two_replicas_share_two_regions_and_each_writes_to_its_own(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    assert [len(one.held) for one in two.all] == [1, 1]
    two.settle()
    assert (revision(both), revision(both, FAR)) == (2, 2)
    for one in two.all:
        told = {key.place.region for key in one.controller.board._services}
        assert told == {shard.partition("/")[2] for shard in one.held}


def test_what_two_replicas_tell_is_one_status(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle()
    found = statusfile.read(both.settings)
    assert {name: one["ready"] for name, one in found["services"].items()} == {
        f"main/{REGION}/{CLUSTER}/example": True,
        f"main/{FAR}/{CLUSTER}/example": True,
    }
    ready = {name: some[0]["status"] for name, some in found["routes"].items()}
    assert ready == {"web/httpd": "True", "web/far": "True"}


def test_a_metric_tells_who_holds_what(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    near = two.holder(REGION)
    two.settle(1)
    assert f'logroute_lease_held{{account="main",region="{REGION}",shard=""}} 1.0' in near.told()
    near.leases.close(0)
    assert f'logroute_lease_held{{account="main",region="{REGION}",shard=""}} 0.0' in near.told()
    assert 'logroute_services{state="RollingOut"} 0.0' in near.told()


def test_what_a_killed_replica_left_behind_is_taken_over_within_thirty_seconds(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(4)
    gone = two.holder(REGION)
    gone.dead = True
    both.deploy(plain_definition())
    two.time(28)
    [left] = two.awake()
    assert left.held == {f"main/{REGION}", f"main/{FAR}"}
    two.settle(4)
    assert both.is_routed()


@pytest.mark.parametrize("call", ["ecs:RegisterTaskDefinition", "ecs:UpdateService", "s3:PutObject"])
def test_a_kill_in_the_middle_of_a_rollout_costs_no_second_revision(
    play: Playground, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    two = Replicas(play)
    two.time(20)
    first = two.holder(REGION)

    class Killed(BaseException):
        pass

    kill_after(first, call, Killed, monkeypatch)
    with pytest.raises(Killed):
        first.step()
    first.dead = True
    monkeypatch.undo()
    two.time(28)
    two.settle(4)
    assert play.is_routed()
    assert registered(play) == 2
    assert two.holder(REGION) is not first


def asleep_once(two: Replicas, first: Replica) -> tuple[Callable[..., None], list[str]]:
    """Stands still when it is called the first time, while others go on and the specs change."""
    slept: list[str] = []

    def sleep(*_: Any, **__: Any) -> None:
        if not slept:
            slept.append("once")
            with two.asleep(first):
                two.time(40)
                two.play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
                two.settle(4)

    return sleep, slept


def test_who_slept_through_its_lease_writes_nothing_when_it_wakes(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still while UpdateService waits for the call budget, with everything looked at."""
    play.service()
    play.write("httpd.yaml", route_yaml())
    two = Replicas(play)
    two.time(20)
    first = two.holder(REGION)
    sleep, slept = asleep_once(two, first)
    limiter: Any = first.app.world.home_site.account.ecs._call._limiter  # type: ignore[attr-defined]
    acquire = limiter.acquire

    def then_sleeps(service: str, operation: str) -> Any:
        bucket = acquire(service, operation)
        if operation == "UpdateService":
            sleep()
        return bucket

    monkeypatch.setattr(limiter, "acquire", then_sleeps)
    first.step()
    assert slept
    assert two.holder(REGION) is not first
    assert (revision(play), registered(play)) == (3, 3)
    two.settle(3)
    assert (revision(play), registered(play)) == (3, 3)


def test_who_slept_in_the_middle_of_a_call_ends_that_one_and_the_other_puts_it_right(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    two = Replicas(play)
    two.time(20)
    first = two.holder(REGION)
    sleep, slept = asleep_once(two, first)
    client: Any = first.app.world.home_site.account.ecs._call.client  # type: ignore[attr-defined]
    client.meta.events.register("provide-client-params.ecs.UpdateService", sleep)
    first.step()
    assert slept
    two.settle(4)
    assert (revision(play), registered(play)) == (3, 3)
    assert b"json_lines" in next(iter(configs_of(play).values()))


def configs_of(play: Playground) -> dict[str, bytes]:
    """That of the definition which runs."""
    [router] = [one for name, one in play.containers().items() if name == "log_router"]
    [arn] = [one["value"] for one in router["environment"] if one["name"].startswith("aws_fluent_bit_init_s3")]
    return {key: body for key, body in play.configs().items() if str(arn).endswith(key)}


def kill_after(replica: Replica, call: str, killed: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is made, and the process is no more before it hears the answer."""
    sent = Caller._sent

    def then_dies(self: Caller, operation: str, *rest: Any) -> Any:
        answer = sent(self, operation, *rest)
        if f"{self._service}:{operation}" == call and replica.leases.held:
            raise killed
        return answer

    monkeypatch.setattr(Caller, "_sent", then_dies)


def test_who_is_cut_off_from_the_lease_store_writes_nothing_after_its_time(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(4)
    near = two.holder(REGION)
    near.asleep = True  # its beats do not get through
    both.sandbox.advance(16)
    both.deploy(plain_definition())
    both.sandbox.advance(120)
    before = registered(both)
    near.step()
    assert registered(both) == before
    assert not both.is_routed()


def test_restores_that_two_replicas_find_are_counted_together(both: Playground) -> None:
    """One in each region is within the guard's one of two, both together are not."""
    guards = both.settings.guards.model_copy(update={"max_count": 1, "max_share": "10%"})
    both.settings = both.settings.model_copy(update={"guards": guards})
    two = Replicas(both)
    two.time(20)
    two.settle(4)
    both.remove("here.yaml")
    both.remove("there.yaml")
    two.settle(3)
    assert (revision(both), revision(both, FAR)) == (2, 2)
    states = {one["reason"] for one in statusfile.read(both.settings)["services"].values()}
    assert states == {"PlanBlocked"}


def test_a_request_to_reconcile_is_carried_out_by_each_replica_once_and_then_gone(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(3)
    notes = two.all[0].app.world.notes
    notes.write(Kind.RECONCILE, "web/httpd", Note("somebody", notes.now()))
    one, other = two.all
    one.controller.poll_notes()
    one.controller.resync()
    [left] = notes.all(Kind.RECONCILE).values()
    assert left.answered == tuple(one.leases.held)
    other.step()
    notes.ledger.load()
    assert not notes.all(Kind.RECONCILE)


@pytest.mark.soak  # a quarter of a minute; its neighbour is a sample
def test_a_route_that_only_the_other_replica_wrote_down_is_known_to_be_gone(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(3)
    far = two.holder(FAR)
    both.remove("there.yaml")
    two.settle(4)
    assert revision(both, FAR) != 2
    body = far_of(both).describe_task_definition(taskDefinition=f"example:{revision(both, FAR)}")["taskDefinition"]
    assert [one["name"] for one in body["containerDefinitions"]] == ["app"]
    assert far.controller.board.plain(Place("main", FAR))["services"] == {}


def test_a_replica_that_stops_hands_over_at_once_and_nothing_is_written_twice(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(4)
    before = registered(both)
    gone = two.holder(REGION)
    assert gone.leases.close(0)
    gone.dead = True
    two.time(4)
    [left] = two.awake()
    assert left.held == {f"main/{REGION}", f"main/{FAR}"}
    two.settle(3)
    assert registered(both) == before
    assert {one["ready"] for one in statusfile.read(both.settings)["services"].values()} == {True}


@pytest.mark.soak  # a quarter of a minute; its neighbour is a sample
def test_a_gone_route_is_remembered_while_the_other_replica_has_a_service_of_it(both: Playground) -> None:
    """The first knew the other region once, and its memory of that time names no route."""
    both.remove("there.yaml")
    two = Replicas(both, 1)
    two.time(20)
    two.settle(2)
    join(two)
    write(both)
    two.settle(3)
    assert revision(both, FAR) == 2
    both.remove("there.yaml")
    two.settle(4)
    assert revision(both, FAR) == 1
    two.all[0].app.world.routes.load()
    two.settle(2)
    assert [key for key, _ in two.all[0].app.world.routes.items()] == ["web/httpd"]


def test_a_route_that_the_home_s_replica_never_saw_is_known_to_be_gone(both: Playground) -> None:
    """It was committed and taken back between two polls of the one, and carried out by the other."""
    both.remove("there.yaml")
    two = Replicas(both)
    two.time(20)
    two.settle(2)
    write(both)
    for _ in range(3):
        two.holder(FAR).step()
        two.time(120)
    assert revision(both, FAR) == 2
    both.remove("there.yaml")
    two.settle(4)
    assert revision(both, FAR) == 1


def join(two: Replicas) -> None:
    two.all.append(Replica(two.play))
    two.time(20)
    assert two.holder(FAR) is two.all[1]


def test_who_takes_a_region_over_hears_first_what_people_said_while_it_slept(both: Playground) -> None:
    """A change that was paused meanwhile stays so."""
    far_service(both, "second")
    both.write("class.yaml", ALL_AT_ONCE.replace("100%", "1"))
    both.remove("there.yaml")
    two = Replicas(both)
    two.time(20)
    two.settle(4)
    far = two.holder(FAR)
    with two.asleep(far):
        two.time(40)
        awake = two.holder(FAR)
        both.write("there.yaml", route_yaml("far", '["*"]').replace("{cluster", f"{{region: {FAR}, cluster"))
        awake.step()
        [change] = awake.controller.board.rollouts()
        notes = awake.app.world.notes
        notes.write(Kind.ROLLOUT_PAUSED, change["id"], Note("somebody", notes.now()))
        two.time(240)
    two.time(20)
    assert two.holder(FAR) is far
    far.step()
    assert [revision(both, FAR, name) for name in ("example", "second")] == [2, 1]
    assert [one["state"] for one in far.controller.board.rollouts()] == ["paused"]


def test_who_starts_counts_what_was_counted_where_it_has_not_looked_yet(both: Playground) -> None:
    """Two repairs are more than the guard allows, whichever region is looked at first."""
    guards = both.settings.guards.model_copy(update={"max_count": 1, "max_share": "10%"})
    both.settings = both.settings.model_copy(update={"guards": guards})
    two = Replicas(both, 1)
    two.time(20)
    two.settle(4)
    for ecs in (both.ecs, far_of(both)):
        ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
    two.time(240)
    [one] = two.all
    one.controller.resync()
    one.dead = True
    two.all.append(Replica(both))
    two.time(40)
    other = two.holder(REGION)
    other.controller.poll_source()
    other.controller.resync(Place("main", REGION))
    other.drain()
    assert (revision(both), revision(both, FAR)) == (1, 1)


def test_what_ends_after_its_place_was_taken_over_is_told_no_more(
    both: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = Replicas(both)
    two.time(20)
    far = two.holder(FAR)
    far.controller.poll_source()
    far.controller.resync()

    def slow(*args: Any) -> Any:
        step = reconcile(*args)
        with two.asleep(far):
            two.time(40)
        far.beat()
        return step

    monkeypatch.setattr("controller.reconciling.controller.reconcile", slow)
    far.drain()
    assert not far.holds(FAR)
    assert far.controller.board.by_reason()["RollingOut"] == 0


def test_a_lease_is_given_up_while_the_guards_wait_for_s3(both: Playground) -> None:
    """Who beats waits for nobody: else all leases were lost."""
    two = Replicas(both, 1)
    two.time(20)
    [one] = two.all
    one.step()
    with one.controller._deciding:
        beat = threading.Thread(target=one.leases.close, args=(0,), daemon=True)
        beat.start()
        beat.join(10)
        assert not beat.is_alive()


def test_a_pass_that_ends_after_its_place_was_taken_over_leaves_nothing_behind(
    both: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do its specs count, once the place comes back, before a pass has looked at it again."""
    two = Replicas(both)
    two.time(20)
    far = two.holder(FAR)
    far.controller.poll_source()

    def slow(*args: Any, **more: Any) -> Any:
        with two.asleep(far):
            two.time(40)
        far.beat()
        return guarded(*args, **more)

    monkeypatch.setattr("controller.reconciling.controller.guarded", slow)
    far.controller.resync()
    assert not far.holds(FAR)
    assert sum(far.controller.board.by_reason().values()) == 0
    two.time(20)
    assert far.holds(FAR)
    far.drain()
    assert revision(both, FAR) == 1
    assert far.controller._agreed == {}


def test_a_region_that_left_the_settings_is_told_no_more(both: Playground) -> None:
    two = Replicas(both, 1)
    two.time(20)
    two.settle()
    both.remove("there.yaml")
    both.settings = both.settings.model_copy(update={"accounts": {"main": AccountSettings(regions=(REGION,))}})
    for one in two.all:
        one.leases.close(0)
    two = Replicas(both, 1)
    two.time(20)
    two.settle()
    assert list(statusfile.read(both.settings)["services"]) == [f"main/{REGION}/{CLUSTER}/example"]


def test_a_replica_that_cannot_read_the_source_says_so_whatever_it_holds(both: Playground) -> None:
    two = Replicas(both)
    two.time(20)
    two.settle(1)
    far = two.holder(FAR)
    far.controller.board.source("the source is unreachable")
    far.controller.save_status()
    assert statusfile.read(both.settings)["sourceError"] == "the source is unreachable"
