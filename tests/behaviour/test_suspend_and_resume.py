"""What a person says by command: a running controller obeys within one pass, and a new one knows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.aws.ports import Unreachable
from controller.settings import AccountSettings
from tests.support.commands import Command, commands
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

KEY = f"main/{REGION}/{CLUSTER}/example"
JSON_LINES = "[{name: stdout, format: json_lines}]"
NEW_IMAGE = "httpd:2.4.65"


@pytest.fixture
def logroute(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Command:
    return commands(play, monkeypatch)


def routed(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    play.controller.save_status()


def rolled_back(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    assert play.status()["Stalled"] == ("True", "RolledBack")
    play.controller.save_status()


def said(play: Playground, route: str = "web/httpd", condition: str = "Suspended") -> str:
    rows = play.controller.board.plain()["routes"][route]
    return str(next(one["message"] for one in rows if one["condition"] == condition))


def test_a_suspended_route_is_not_written_and_says_by_whom_and_why(play: Playground, logroute: Command) -> None:
    routed(play)
    assert logroute("suspend", "web/httpd", "--reason", "moving house") == 0
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Suspended"] == ("True", "Suspended")
    assert play.status()["Ready"] == ("False", "Suspended")
    assert "by ann@laptop at " in said(play)
    assert said(play).endswith(": moving house")


def test_a_resumed_route_catches_up(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    assert logroute("resume", "web/httpd") == 0
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions + 1
    assert play.status()["Suspended"][0] == "False"
    assert play.status()["Ready"] == ("True", "InSync")


def test_a_suspended_service_stays_as_it_is_and_its_neighbours_go_on(play: Playground, logroute: Command) -> None:
    play.service("other")
    play.service()
    play.write("httpd.yaml", route_yaml(services="[example, other]"))
    play.settle()
    play.controller.save_status()
    assert logroute("suspend", "--service", f"{CLUSTER}/example") == 0
    for name in ("example", "other"):
        play.deploy(plain_definition(name, image=NEW_IMAGE), name)
    play.settle()
    assert not play.is_routed()
    assert play.is_routed("other")
    assert play.reason() == "Suspended"
    assert f"{KEY} was suspended by ann@laptop" in said(play)


def test_a_suspended_service_s_route_may_be_deleted_without_a_restore(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "--service", KEY)
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    assert logroute("resume", "--service", "example") == 0
    play.settle()
    assert not play.is_routed()


def test_a_suspend_survives_a_restart(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.start()
    play.settle()
    assert not play.is_routed()


def test_a_suspend_made_after_the_pass_stops_the_write_that_it_planned(play: Playground, logroute: Command) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.controller.poll_source()
    play.controller.resync()
    logroute("suspend", "web/httpd")
    revisions = play.revisions()
    play.drain()
    assert play.revisions() == revisions
    assert play.reason() == "Suspended"


def test_nothing_is_written_where_it_cannot_be_read_whether_that_was_suspended(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.controller.poll_source()
    play.controller.resync()
    objects = play.app.world.home_site.account.bucket(STORE)
    monkeypatch.setattr(type(objects), "list", _down)
    revisions = play.revisions()
    play.clock.advance(1)
    key = play.queue.get()
    assert key is not None
    with pytest.raises(Unreachable):
        play.controller.reconcile(key)
    assert play.revisions() == revisions


def _down(*_: Any) -> None:
    raise Unreachable("s3:ListObjectsV2", "s3://configs", "EndpointConnectionError", "no")


def test_suspending_a_second_time_says_why_anew(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd", "--reason", "one")
    assert logroute("suspend", "web/httpd", "--reason", "two") == 0
    play.settle()
    assert said(play).endswith(": two")


def test_a_route_in_sync_that_is_suspended_stays_ready(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.settle()
    assert play.status()["Ready"][0] == "True"
    assert play.status()["Stalled"][0] == "False"
    assert play.reason() == "Suspended"


def test_the_pause_of_a_deleted_route_is_dropped(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert not play.is_routed()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    assert play.status()["Suspended"][0] == "False"


def test_a_broken_spec_keeps_its_pause(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.write("httpd.yaml", "a: [\n")
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert not play.is_routed()
    assert play.status()["Suspended"] == ("True", "Suspended")


def test_a_config_object_comes_back_though_all_is_suspended(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    logroute("suspend", "--service", "example")
    before = play.configs()
    for key in before:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")
    play.step()
    assert play.configs() == before


def test_a_config_object_comes_back_though_the_spec_says_suspend(play: Playground) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    before = play.configs()
    for key in before:
        play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=b"altered")
    play.step()
    assert play.configs() == before


def test_log_groups_of_a_suspended_service_stay_as_they_are(play: Playground, logroute: Command) -> None:
    play.service()
    group = "  logGroups: [{{name: app, retentionDays: {}}}]\n"
    play.write("httpd.yaml", route_yaml(extra=group.format(3)))
    play.settle()
    play.controller.save_status()
    logroute("suspend", "web/httpd")
    play.write("httpd.yaml", route_yaml(extra=group.format(7)))
    play.settle()
    assert retention(play) == 3
    logroute("resume", "web/httpd")
    play.settle()
    assert retention(play) == 7


def retention(play: Playground) -> int:
    (group,) = play.logs.describe_log_groups(logGroupNamePrefix="app")["logGroups"]
    return int(group["retentionInDays"])


def test_what_a_spec_suspends_no_command_resumes(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    routed(play)
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    play.controller.save_status()
    assert logroute("resume", "web/httpd") == 1
    assert "suspended by its spec" in capsys.readouterr().err


def test_resuming_what_is_not_suspended_is_no_error(play: Playground, logroute: Command) -> None:
    routed(play)
    assert logroute("resume", "web/httpd") == 0


@pytest.mark.parametrize("command", ["suspend", "resume", "reconcile"])
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["web/htpd"], "there is no route web/htpd; did you mean web/httpd?"),
        (["--service", f"{CLUSTER}/exampel"], f"there is no service {CLUSTER}/exampel; did you mean {KEY}?"),
        (["nothing/like-it"], "there is no route nothing/like-it; `logroute status` lists them"),
    ],
)
def test_a_name_that_matches_nothing_is_an_error_that_names_near_ones(
    play: Playground,
    logroute: Command,
    capsys: pytest.CaptureFixture[str],
    command: str,
    arguments: list[str],
    error: str,
) -> None:
    routed(play)
    assert logroute(command, *arguments) == 1
    assert error in capsys.readouterr().err


def test_a_short_name_that_two_services_have_is_refused(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.ecs.create_cluster(clusterName="second")
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    play.ecs.create_service(
        cluster="second",
        serviceName="example",
        taskDefinition=play.register(plain_definition("second")),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    play.write("httpd.yaml", route_yaml().replace(f"cluster: {CLUSTER}", 'cluster: "*"'))
    play.settle()
    play.controller.save_status()
    assert logroute("suspend", "--service", "example") == 1
    assert "may be any of" in capsys.readouterr().err
    assert logroute("suspend", "--service", "second/example") == 0


@pytest.mark.parametrize("arguments", [[], ["web/httpd", "--service", "example"]])
@pytest.mark.parametrize("command", ["suspend", "resume", "reconcile"])
def test_a_route_or_a_service_has_to_be_named(logroute: Command, command: str, arguments: list[str]) -> None:
    assert logroute(command, *arguments) == 64


def test_a_reason_that_would_spoil_a_terminal_is_refused(play: Playground, logroute: Command) -> None:
    routed(play)
    assert logroute("suspend", "web/httpd", "--reason", "\x1b[2J") == 1
    assert logroute("suspend", "web/httpd", "--reason", "x" * 501) == 1


def test_status_shows_what_is_suspended_though_nothing_waits(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    routed(play)
    logroute("suspend", "web/httpd", "--reason", "moving house")
    play.settle()
    play.controller.save_status()
    capsys.readouterr()
    assert logroute("status") == 0
    assert "web/httpd was suspended by ann@laptop" in capsys.readouterr().out
    logroute("status", "--format", "json")
    found = json.loads(capsys.readouterr().out)
    assert found["services"][KEY]["suspended"] is True
    assert found["suspended"]["web/httpd"]["bySpec"] is False


def test_reconcile_tries_a_rolled_back_digest_again_at_once(play: Playground, logroute: Command) -> None:
    rolled_back(play)
    assert logroute("reconcile", "web/httpd") == 0
    play.settle()
    assert play.is_routed()


def test_reconcile_of_one_service_leaves_others_held(play: Playground, logroute: Command) -> None:
    for name in ("other", "example"):
        play.service(name)
        play.sandbox.fail_next_rollout()
        play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]"))
        play.settle(times=4)
        assert play.reason(name) == "RolledBack"
    play.controller.save_status()
    assert logroute("reconcile", "--service", "other") == 0
    play.settle()
    assert (play.is_routed("other"), play.is_routed()) == (True, False)


def test_a_request_is_carried_out_once(play: Playground, logroute: Command) -> None:
    rolled_back(play)
    logroute("reconcile", "web/httpd")
    play.sandbox.fail_next_rollout()
    play.settle(times=6)
    assert play.status()["Stalled"] == ("True", "RolledBack")
    assert not play.is_routed()


def test_what_is_suspended_is_resumed_before_it_is_reconciled(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.settle()
    play.controller.save_status()
    assert logroute("reconcile", "web/httpd") == 1
    assert "resume it first" in capsys.readouterr().err
    logroute("resume", "web/httpd")
    assert logroute("reconcile", "web/httpd") == 0, "the status is older than that"


def test_a_poll_sees_a_note_and_asks_for_a_pass(play: Playground, logroute: Command) -> None:
    routed(play)
    asked: list[bool] = []
    play.controller.on_change = lambda: asked.append(True)
    play.controller.poll_notes()
    assert not asked
    logroute("suspend", "web/httpd")
    play.controller.poll_notes()
    play.controller.poll_notes()
    assert asked == [True]


def test_a_pass_in_which_nobody_asked_anything_costs_nothing_more(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.step()
    play.sandbox.reset_call_counts()
    play.step()
    assert play.sandbox.call_counts == {
        "ecs:ListServices": 1,
        "ecs:DescribeServices": 1,
        "s3:ListObjectsV2": 1,
        "logs:DescribeLogGroups": 1,
    }


def test_what_is_said_of_another_region_is_read_before_that_region_is(play: Playground, logroute: Command) -> None:
    """One store, the controller's own, holds what people said of all places."""
    elsewhere = play.sandbox.client("ecs", region="eu-west-1")
    elsewhere.create_cluster(clusterName=CLUSTER)
    elsewhere.register_task_definition(**plain_definition())
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    options = {"cluster": CLUSTER, "desiredCount": 1, "launchType": "FARGATE", "networkConfiguration": network}
    elsewhere.create_service(serviceName="example", taskDefinition="example", **options)
    places = {"main": AccountSettings(regions=(REGION, "eu-west-1"))}
    play.settings = play.settings.model_copy(update={"accounts": places})
    play.start()

    def write(outputs: str) -> str:
        play.write("httpd.yaml", route_yaml(outputs=outputs).replace("{cluster", "{region: eu-west-1, cluster"))
        play.settle()
        return str(play.sandbox.service(CLUSTER, "example", region="eu-west-1")["taskDefinition"])

    first = write("[{name: stdout}]")
    assert first.endswith("example:2")
    play.controller.save_status()
    assert logroute("suspend", "--service", f"eu-west-1/{CLUSTER}/example") == 0
    assert write(JSON_LINES) == first
    assert logroute("resume", "--service", f"eu-west-1/{CLUSTER}/example") == 0
    assert write(JSON_LINES) != first


def test_apply_obeys_as_the_controller_does(play: Playground, logroute: Command) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    revisions = play.revisions()
    assert logroute("apply") == 3
    assert play.revisions() == revisions


def test_a_plan_shows_the_suspend_and_leaves_the_requests(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    rolled_back(play)
    logroute("reconcile", "web/httpd")
    before = play.objects()
    logroute("plan")
    assert play.objects() == before
    logroute("suspend", "web/httpd")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    capsys.readouterr()
    logroute("plan")
    assert "Suspended: web/httpd was suspended by ann@laptop" in capsys.readouterr().out


def test_reconcile_ends_contested(play: Playground, logroute: Command) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    for _ in range(3):
        play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
        play.sandbox.advance(120)
        play.settle(times=2)
    assert play.reason() == "Contested"
    play.controller.save_status()
    assert logroute("reconcile", "--service", "example") == 0
    play.settle()
    assert play.is_routed()
