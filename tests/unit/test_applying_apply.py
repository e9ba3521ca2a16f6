"""Plans made true: the order of writes, what a kill leaves behind, and revisions that are there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from controller.api.conditions import Reason
from controller.applying.apply import READ_LAG, Done
from controller.aws.accounts import AwsAccount, Options, Role
from controller.aws.ports import AccessDenied, AwsError, Throttled, Unreachable
from controller.planning.memory import Stage
from controller.planning.model import Hold, Kind
from controller.sandbox import Sandbox
from tests.support.aws import Answers, Turned, lose_answers, refused
from tests.support.sites import BUCKET, ENOUGH, PLACE, Bench, Killed, Wire

GROUPS = [{"name": "/logroute/extra", "retentionDays": 30}]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AwsAccount:
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    turned = Turned()
    return AwsAccount(PLACE, Role(), Options(1.0, sleep=turned.sleep, monotonic=turned.now))


@pytest.fixture
def bench(sandbox: Sandbox, account: AwsAccount) -> Bench:
    return Bench(sandbox, account)


def client_of(bench: Bench) -> Any:
    return bench.account.ecs._call.client


def test_a_route_is_rolled_out_and_remembered(bench: Bench) -> None:
    base, route = bench.running, bench.route()
    outcome = bench.step(route)
    assert (outcome.done, [outcome.revision]) == (Done.WROTE, bench.routed)
    assert bench.running == outcome.revision
    memory = bench.memory
    assert memory is not None
    assert (memory.stage, memory.base, memory.revision) == (Stage.ROLLING, base, outcome.revision)
    assert f"ecs-svc/{memory.deployment}" == bench.service["deployments"][0]["id"]
    bench.settle(route)
    assert bench.settled
    assert len(bench.revisions) == 2
    assert bench.memory is not None
    assert (bench.memory.stage, bench.memory.base) == (Stage.SETTLED, base)


def test_objects_come_before_groups_before_the_definition_before_the_service(bench: Bench) -> None:
    wire = Wire(bench.account)
    bench.step(bench.route(logGroups=GROUPS))
    writes = [re.sub(r"[0-9a-f]{64}|/[0-9a-f]{2}\.json", "…", one) for one in wire.asked if _writes(one)]
    state = f"PutObject {bench.name}/_state/services/main/us-east-1…"
    assert writes == [
        f"PutObject {bench.name}/_state/configs/…",
        f"PutObject {bench.name}/…/pipeline.conf",
        "CreateLogGroup",
        "PutRetentionPolicy",
        "CreateLogGroup",
        "RegisterTaskDefinition",
        state,
        "UpdateService",
        state,
    ]


def _writes(asked: str) -> bool:
    return asked.startswith(("Put", "Create", "Register", "Update", "Delete"))


def converged(bench: Bench, *, routed: bool) -> None:
    """What must hold after a kill and a restart, whenever it was."""
    assert bench.settled
    if not routed:
        assert (bench.running, bench.memory) == (bench.revisions[0]["taskDefinitionArn"], None)
        return
    assert bench.routed == [bench.running]
    assert len(bench.revisions) == 2
    memory = bench.memory
    assert memory is not None
    assert (memory.stage, memory.revision) == (Stage.SETTLED, bench.running)
    assert all(memory.configs)
    assert {path: bench.objects[path] for path in memory.configs} == {
        path: bench.objects[f"_state/configs/{path.partition('/')[0]}"] for path in memory.configs
    }


@pytest.mark.parametrize("answered", [False, True], ids=["before a request", "with an answer on the way"])
def test_a_kill_at_any_request_leaves_what_the_next_process_finishes(
    sandbox: Sandbox, account: AwsAccount, answered: bool
) -> None:
    """One revision in the end, wherever it was."""
    wire, number, finished = Wire(account), 0, False
    while not finished:
        bench, number = Bench(sandbox, account), number + 1
        route = bench.route()
        try:
            with wire.cut(number, answered=answered):
                bench.step(route)
            finished = True
        except Killed:
            bench.start()
        bench.settle(route, passes=5)
        converged(bench, routed=True)
    assert number > 12


def test_a_kill_at_any_request_of_a_restore_leaves_what_the_next_process_finishes(
    sandbox: Sandbox, account: AwsAccount
) -> None:
    wire, number, finished = Wire(account), 0, False
    while not finished:
        bench, number = Bench(sandbox, account), number + 1
        bench.settle(bench.route(), passes=2)
        try:
            with wire.cut(number, answered=False):
                bench.step()
            finished = True
        except Killed:
            bench.start()
        bench.settle(passes=3)
        converged(bench, routed=False)
        assert len(bench.revisions) == 2
    assert number > 6


def test_an_equal_revision_that_is_there_is_used_again(bench: Bench) -> None:
    """Registered by a process that died before it could write that down."""
    plan = bench.plan(bench.route())
    assert plan.after is not None
    there = bench.account.ecs.register_task_definition(plan.after)
    assert bench.step(bench.route()).revision == there == bench.running
    assert bench.routed == [there]


def test_restoring_uses_the_revision_that_ours_was_made_from(bench: Bench) -> None:
    base = bench.running
    bench.settle(bench.route())
    assert bench.step().revision == base == bench.running
    assert len(bench.revisions) == 2
    bench.settle()
    assert bench.memory is None


def test_an_inactive_base_is_not_rolled_out_but_copied(bench: Bench) -> None:
    base = bench.running
    bench.settle(bench.route())
    bench.ecs.deregister_task_definition(taskDefinition=base)
    outcome = bench.step()
    assert outcome.revision not in (base, *bench.routed)
    assert bench.running == outcome.revision
    bench.settle()
    assert bench.settled
    assert bench.revisions[-1]["containerDefinitions"] == bench.revisions[0]["containerDefinitions"]


def test_a_service_that_moved_on_since_the_look_is_left_alone(bench: Bench) -> None:
    plan = bench.plan(bench.route())
    theirs = bench.deploy("httpd:2")
    assert bench.site.applier.carry_out(plan).done is Done.MOVED_ON
    assert (bench.running, bench.routed, bench.memory) == (theirs, [], None)
    bench.sandbox.advance(ENOUGH)
    bench.settle(bench.route())
    assert bench.revisions[-1]["containerDefinitions"][0]["image"] == "httpd:2"
    assert bench.routed == [bench.running]


def test_a_service_that_is_gone_since_the_look_is_left_alone(bench: Bench) -> None:
    plan = bench.plan(bench.route())
    bench.ecs.update_service(cluster=bench.cluster, service=bench.name, desiredCount=0)
    bench.ecs.delete_service(cluster=bench.cluster, service=bench.name, force=True)
    with pytest.raises(AwsError):
        bench.site.applier.carry_out(plan)
    assert bench.memory is None or bench.memory.stage is Stage.ASKED


def test_an_update_that_fails_is_asked_again_with_the_same_revision(bench: Bench) -> None:
    Answers(client_of(bench), refused("AccessDeniedException"), only="UpdateService")
    with pytest.raises(AccessDenied):
        bench.step(bench.route())
    memory = bench.memory
    assert memory is not None
    assert (memory.stage, [memory.revision]) == (Stage.ASKED, bench.routed)
    bench.start()
    assert bench.step(bench.route()).done is Done.WROTE
    assert bench.routed == [bench.running]


def test_a_revision_that_was_asked_for_is_used_though_the_family_moved_on(bench: Bench) -> None:
    """Somebody registered in the same family and has not deployed it yet."""
    Answers(client_of(bench), refused("AccessDeniedException"), only="UpdateService")
    with pytest.raises(AccessDenied):
        bench.step(bench.route())
    bench.register("httpd:2")
    bench.step(bench.route())
    assert bench.routed == [bench.running]


def test_a_register_whose_answer_was_lost_is_found(bench: Bench) -> None:
    lose_answers(client_of(bench), "RegisterTaskDefinition")
    assert bench.step(bench.route()).done is Done.WROTE
    assert bench.routed == [bench.running]


def test_a_register_that_never_arrived_is_an_error_and_done_by_the_next_pass(bench: Bench) -> None:
    Answers(client_of(bench), ReadTimeoutError(endpoint_url="x"), only="RegisterTaskDefinition")
    with pytest.raises(Unreachable, match="ecs:RegisterTaskDefinition"):
        bench.step(bench.route())
    assert (bench.routed, bench.memory) == ([], None)
    assert bench.step(bench.route()).done is Done.UNCLEAR  # it may have happened, and not show yet
    bench.sandbox.advance(READ_LAG + 1)
    bench.step(bench.route())
    assert bench.routed == [bench.running]


def test_a_throttled_register_is_done_in_the_same_pass(bench: Bench) -> None:
    Answers(client_of(bench), *[refused("ThrottlingException")] * 3, only="RegisterTaskDefinition")
    assert bench.step(bench.route()).done is Done.WROTE
    assert bench.routed == [bench.running]


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", Throttled), ("AccessDeniedException", AccessDenied)]
)
def test_nothing_is_registered_where_one_cannot_see_what_is_there(
    bench: Bench, code: str, error: type[AwsError]
) -> None:
    plan = bench.plan(bench.route())
    Answers(client_of(bench), always=refused(code), only="DescribeTaskDefinition")
    with pytest.raises(error):
        bench.site.applier.carry_out(plan)
    assert (bench.routed, bench.memory) == ([], None)


def test_a_roll_back_is_ours_though_the_answer_to_update_was_lost(bench: Bench) -> None:
    """And so its digest is held, and not rolled out a second time."""
    base, route = bench.running, bench.route()
    bench.sandbox.fail_next_rollout(bench.name, container="log_router")
    lose_answers(client_of(bench), "UpdateService", times=6)
    with pytest.raises(Unreachable):
        bench.step(route)
    bench.start()
    bench.step(route)
    assert bench.memory is not None
    assert (bench.memory.stage, bool(bench.memory.deployment)) == (Stage.ROLLING, True)
    bench.sandbox.advance(ENOUGH)
    bench.settle(route)
    assert (bench.running, bench.settled, len(bench.routed)) == (base, True, 1)
    plan = bench.plan(route)
    assert plan.hold is not None
    assert plan.hold.reason is Reason.ROLLED_BACK


def test_a_digest_that_rolled_back_is_held_until_it_changes(bench: Bench) -> None:
    base, bad = bench.running, bench.route()
    bench.sandbox.fail_next_rollout(bench.name, container="log_router")
    bench.settle(bad, passes=5)
    assert (bench.running, len(bench.routed)) == (base, 1)
    assert bench.memory is not None
    (held,) = bench.memory.held.values()
    assert bench.sandbox.clock.now() - 6 * ENOUGH < held.at < bench.sandbox.clock.now()
    assert held.reason.startswith("log_router exited 1: ")
    bench.start()
    bench.settle(bad)
    assert len(bench.routed) == 1
    bench.settle(bench.route("null"))
    assert bench.running == bench.routed[1]


def test_state_that_is_lost_in_between_stops_before_the_service(bench: Bench) -> None:
    """The record could not be kept, so the service is not touched."""
    bucket = bench.account.bucket(BUCKET)
    bench.settle(bench.route())
    running, revisions = bench.running, len(bench.routed)
    plan = bench.plan(bench.route("null"))
    state = next(key for key in bench.objects if key.startswith("_state/services/"))
    bucket.put(f"{bench.name}/{state}", b"broken", content_type="text/plain")
    assert bench.site.applier.carry_out(plan).done is Done.MOVED_ON
    assert bench.running == running
    assert bench.objects[state] == b"broken"
    assert len(bench.routed) <= revisions + 1
    plan = bench.plan(bench.route("null"))
    assert plan.hold is not None
    assert plan.hold.reason is Reason.UNKNOWN


def test_s3_failing_stops_before_anything_is_registered(bench: Bench) -> None:
    Answers(bench.account._s3.client, *[ReadTimeoutError(endpoint_url="x")] * 6)
    with pytest.raises(Unreachable, match="s3:"):
        bench.step(bench.route())
    assert (bench.routed, bench.memory) == ([], None)


def test_an_altered_config_is_put_right_and_said(bench: Bench) -> None:
    bench.settle(bench.route())
    memory = bench.memory
    assert memory is not None
    path, bucket = memory.configs[0], bench.account.bucket(BUCKET)
    bucket.put(f"{bench.name}/{path}", b"altered", content_type="text/plain")
    bench.deploy("httpd:2")
    bench.sandbox.advance(ENOUGH)
    outcome = bench.step(bench.route())
    assert outcome.done is Done.WROTE
    assert [(one.reason, one.message) for one in outcome.said] == [
        (Reason.CONFIG_ALTERED, f"{path} was altered and is put right")
    ]
    assert bench.objects[path] == bench.objects[f"_state/configs/{path.partition('/')[0]}"]


def test_log_groups_are_there_before_the_first_task(bench: Bench) -> None:
    extra, own = f"/extra/{bench.name}", f"/logroute/{bench.name}"
    outcome = bench.step(bench.route(logGroups=[{"name": extra, "retentionDays": 30}]))
    found = {name: bench.account.logs.find(name) for name in (extra, own)}
    assert [group and group.retention_days for group in found.values()] == [30, None]
    assert [bench.account.logs.owner(group) for group in found.values() if group] == ["prod", "prod"]
    assert [(one.reason, one.message) for one in outcome.said] == [
        (Reason.LOG_GROUP_RETENTION, f"log group {extra} keeps its events 30 days now")
    ]


def test_what_is_held_is_not_carried_out(bench: Bench) -> None:
    plan = bench.plan(bench.route()).held_by(Hold(Reason.SUSPENDED, "wait"))
    assert bench.site.applier.carry_out(plan).done is Done.NOTHING
    assert (bench.routed, bench.memory, bench.objects) == ([], None, {})


def test_adopting_writes_the_memory_alone(bench: Bench) -> None:
    bench.settle(bench.route())
    old = bench.memory
    bench.site.memories.put(str(bench.key), None)
    wire = Wire(bench.account)
    plan = bench.plan(bench.route())
    assert plan.kind is Kind.ADOPT
    bench.site.applier.carry_out(plan)
    assert [one.split()[0] for one in wire.asked if _writes(one)] == ["PutObject"]
    assert bench.memory is not None
    assert old is not None
    assert (bench.memory.digest, bench.memory.configs) == (old.digest, old.configs)


def test_a_service_without_routes_and_memory_is_nobody_s_business(bench: Bench) -> None:
    assert bench.step().done is Done.NOTHING
    assert (bench.memory, bench.objects) == (None, {})


def test_a_pass_over_an_unchanged_service_reads_the_service_alone(bench: Bench) -> None:
    bench.settle(bench.route())
    wire = Wire(bench.account)
    bench.step(bench.route())
    assert wire.asked == ["DescribeServices"]
