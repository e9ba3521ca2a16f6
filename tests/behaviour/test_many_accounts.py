"""Several accounts and regions under one controller: each is a matter of its own, and mishaps are counted together."""

from __future__ import annotations

import copy
import threading
from typing import Any

import boto3
import pytest

from controller.api.keys import Place
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.notes import Note
from controller.settings import AccountSettings
from tests.support.commands import commands
from tests.support.playground import CLUSTER, OUTPUT, REGION, Playground, plain_definition, route_yaml

DATA, ROLE = "222222222222", "arn:aws:iam::222222222222:role/logroute"
REMOTE = {"roleArn": ROLE, "externalId": "x1", "regions": [REGION]}
HERE, THERE = Place("main", REGION), Place("data", REGION)
CONTROLLER = f"*{DATA}*/logroute/logroute"
"""The ARN of its session there; that of the test is another."""
OWN_STORE = "configs-123456789012"
JSON_LINES = "[{name: stdout, format: json_lines}]"


@pytest.fixture
def away(play: Playground) -> Playground:
    """The same world, seen from the other account; `play` looks after both."""
    keys = play.sandbox.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    there = copy.copy(play)

    def client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=play.sandbox.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    there.ecs, there.s3 = client("ecs"), client("s3")
    place = {"LocationConstraint": REGION}
    play.s3.create_bucket(Bucket=OWN_STORE, CreateBucketConfiguration=place)
    there.s3.create_bucket(Bucket=f"configs-{DATA}", CreateBucketConfiguration=place)
    there.ecs.create_cluster(clusterName=CLUSTER)
    accounts = {"main": AccountSettings(), "data": AccountSettings.model_validate(REMOTE)}
    play.settings = play.settings.model_copy(
        update={"accounts": accounts, "config_store": "s3://configs-{account}/logroute"}
    )
    play.start()
    return there


def write(play: Playground, outputs: str = "[{name: stdout}]", services: str = "[example]") -> None:
    here = route_yaml(outputs=outputs, services=services)
    play.write("here.yaml", here)
    play.write("there.yaml", here.replace("name: httpd", "name: far").replace("target: {", "target: {account: data, "))


def is_routed(there: Playground, service: str = "example") -> bool:
    found = there.ecs.describe_services(cluster=CLUSTER, services=[service])["services"][0]
    body = there.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    return "log_router" in [one["name"] for one in body["containerDefinitions"]]


def outputs(there: Playground, service: str = "example") -> str:
    """The config that the service's router starts with."""
    found = there.ecs.describe_services(cluster=CLUSTER, services=[service])["services"][0]
    body = there.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    router = next(one for one in body["containerDefinitions"] if one["name"] == "log_router")
    arn = next(pair["value"] for pair in router["environment"] if pair["name"].startswith("aws_fluent_bit_init_s3"))
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    return str(there.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def test_each_account_is_routed_by_its_role_from_a_store_of_its_own(play: Playground, away: Playground) -> None:
    play.service()
    away.service()
    write(play)
    play.settle()
    assert is_routed(play)
    assert is_routed(away)
    assert play.status("web/httpd")["Ready"] == play.status("web/far")["Ready"] == ("True", "InSync")
    assert f"configs-{DATA}" in str(
        away.ecs.describe_task_definition(taskDefinition="example")["taskDefinition"]["containerDefinitions"]
    )
    here = play.s3.list_objects_v2(Bucket=OWN_STORE, Prefix="logroute/_state/services/")["Contents"]
    assert not [one["Key"] for one in here if "/data/" in one["Key"]]


def test_an_account_that_denies_is_a_condition_on_its_routes_and_nothing_more(
    play: Playground, away: Playground
) -> None:
    play.service()
    away.service()
    fault = play.sandbox.add_fault(
        calls="sts:AssumeRole", effect="error", code="AccessDenied", status=403, matching=DATA, times=0
    )
    write(play)
    play.settle()
    assert is_routed(play)
    assert play.status("web/httpd")["Ready"] == ("True", "InSync")
    assert play.status("web/far")["Ready"] == ("False", "Unreachable")
    assert not is_routed(away)
    play.sandbox.remove_fault(fault)
    play.settle()
    assert is_routed(away)
    assert play.status("web/far")["Ready"] == ("True", "InSync")


def test_an_account_that_goes_away_keeps_what_it_has(play: Playground, away: Playground) -> None:
    """Routes that are deleted meanwhile are remembered until its services could be given back."""
    play.service()
    away.service()
    write(play)
    play.settle()
    fault = play.sandbox.add_fault(calls="*:*", effect="refuse", by=CONTROLLER, times=0)
    play.remove("there.yaml")
    play.settle()
    assert play.status("web/httpd")["Ready"] == ("True", "InSync")
    assert is_routed(away)
    play.start()
    play.settle(times=1)
    play.sandbox.remove_fault(fault)
    play.settle()
    assert not is_routed(away)


def test_a_throttled_account_holds_up_no_other(play: Playground, away: Playground) -> None:
    play.service()
    away.service()
    write(play)
    play.settle()
    play.sandbox.add_fault(calls="ecs:*", effect="throttle", by=CONTROLLER, times=0)
    waiting, over = threading.Event(), threading.Event()
    turn = play.sleep

    def sleep(seconds: float) -> None:
        """The throttled account's pass waits in real time, for as long as the test likes."""
        if threading.current_thread() is slow:
            waiting.set()
            assert over.wait(60)
        turn(seconds)

    play.sleep = sleep  # type: ignore[method-assign]
    play.start()
    slow = threading.Thread(target=lambda: play.controller.resync(THERE))
    write(play, JSON_LINES)
    play.controller.poll_source()
    slow.start()
    try:
        assert waiting.wait(60)
        for _ in range(3):
            play.controller.resync(HERE)
            play.drain()
            play.sandbox.advance(120)
        assert "json_lines" in outputs(play)
        assert play.status("web/httpd")["Ready"] == ("True", "InSync")
    finally:
        over.set()
        slow.join()
    assert "json_lines" not in outputs(away)


def test_restores_in_several_accounts_are_counted_together(play: Playground, away: Playground) -> None:
    services = ["a", "b"]
    for name in services:
        play.service(name, definition=plain_definition(name))
        away.service(name, definition=plain_definition(name))
    write(play, services="['*']")
    play.settle()
    play.write("archive.yaml", OUTPUT)
    play.remove("here.yaml")
    play.remove("there.yaml")
    play.settle()
    assert all(is_routed(away, name) for name in services)
    blocked = [one for one in play.controller.board.plain()["services"].values() if one["reason"] == "PlanBlocked"]
    assert any("4 of 4 services" in one["message"] for one in blocked)


def test_a_wrong_folder_drains_no_account_after_the_other(play: Playground, away: Playground) -> None:
    """Each pass sees what the others counted last: two here and two there are four, whoever passes first."""
    services = ["a", "b"]
    for name in services:
        play.service(name, definition=plain_definition(name))
        away.service(name, definition=plain_definition(name))
    write(play, services="['*']")
    play.settle()
    play.remove("here.yaml")
    play.remove("there.yaml")
    play.controller.poll_source()
    for place in (THERE, HERE, THERE, HERE, THERE):
        play.controller.resync(place)
        play.drain()
        play.sandbox.advance(300)
        play.clock.advance(300)
    assert all(is_routed(one, name) for one in (play, away) for name in services)


def test_what_a_person_asked_for_is_done_once_in_each_account_though_another_is_away(
    play: Playground, away: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what failed would be rolled out again with every pass, for as long as the other is away."""
    play.service()
    away.service()
    write(play)
    play.sandbox.add_fault(calls="*:*", effect="refuse", by=CONTROLLER, times=0)
    play.sandbox.fail_next_rollout()
    play.settle()
    assert play.reason() == "RolledBack"
    play.controller.save_status()
    play.sandbox.fail_next_rollout()
    assert commands(play, monkeypatch)("reconcile", "web/httpd") == 0
    before = play.revisions()
    play.settle()
    assert play.reason() == "RolledBack"
    play.sandbox.fail_next_rollout()
    play.settle()
    assert play.reason() == "RolledBack"
    assert play.revisions() == before


def test_what_a_person_asked_for_begins_at_once_in_each_account_though_one_has_heard_of_it_already(
    play: Playground, away: Playground
) -> None:
    write(play)
    for there in (play, away):
        there.service()
    play.controller.poll_source()
    play.controller.resync()
    play.controller.poll_notes()
    notes = play.app.world.notes
    notes.write(NoteKind.RECONCILE, "far", Note("somebody", notes.now()))
    play.controller.resync(HERE)  # reads the ledger that all share
    nudged: list[bool] = []
    play.controller.on_change = lambda: nudged.append(True)

    play.controller.poll_notes()
    play.controller.poll_notes()

    assert nudged == [True]


def test_a_guard_does_not_open_because_an_account_goes_away(play: Playground, away: Playground) -> None:
    services = ["a", "b"]
    for name in services:
        play.service(name, definition=plain_definition(name))
        away.service(name, definition=plain_definition(name))
    write(play, services="['*']")
    play.settle()
    play.write("archive.yaml", OUTPUT)
    play.remove("here.yaml")
    play.remove("there.yaml")
    play.settle()
    before = {name for name in services if play.is_routed(name)}
    play.sandbox.add_fault(calls="*:*", effect="refuse", by=CONTROLLER, times=0)
    play.settle()
    assert {name for name in services if play.is_routed(name)} == before == set(services)
