"""`logroute suspend`, `resume`, `reconcile`: a person says stop, and it stops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
SERVICE = f"main/{REGION}/{CLUSTER}/example"


def routed(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.controller.save_status()
    assert play.is_routed()


def conditions(play: Playground, route: str = "web/httpd") -> dict[str, dict[str, Any]]:
    found = play.controller.board.plain()["routes"][route]
    return {one["condition"]: one for one in found}


def test_a_suspended_route_is_observed_and_not_written(play: Playground) -> None:
    routed(play)
    assert play.command("suspend", "web/httpd", "--reason", "we look into it") == 0
    theirs = play.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    said = conditions(play)
    assert said["Suspended"]["status"] == "True"
    assert "we look into it" in said["Suspended"]["message"]
    assert "logroute resume web/httpd" in said["Ready"]["message"]


def test_resume_lets_it_go_on(play: Playground) -> None:
    routed(play)
    play.command("suspend", "web/httpd")
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle()
    assert play.command("resume", "web/httpd") == 0
    play.settle()
    assert play.is_routed()
    assert conditions(play)["Suspended"]["status"] == "False"


def test_a_suspension_survives_restarts(play: Playground) -> None:
    routed(play)
    play.command("suspend", "web/httpd")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    before = play.running()
    play.start()
    play.settle()
    assert play.running() == before


def test_a_suspended_service_leaves_the_routes_others_alone(play: Playground) -> None:
    play.service("second")
    routed(play)
    play.write("httpd.yaml", route_yaml(services="[example, second]"))
    play.settle()
    play.controller.save_status()
    assert play.command("suspend", "--service", f"{CLUSTER}/example") == 0
    play.write("httpd.yaml", route_yaml(services="[example, second]", outputs=JSON_LINES))
    before = play.running()
    play.settle()
    assert play.running() == before
    assert play.reason() == "Suspended"
    assert play.reason("second") == "InSync"


def test_a_stop_between_the_pass_and_the_write_stops_the_write(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.controller.poll_source()
    play.controller.resync()
    play.command("suspend", "web/httpd")
    play.drain()
    assert not play.is_routed()


def test_a_lost_config_object_comes_back_whatever_is_suspended(play: Playground) -> None:
    routed(play)
    play.command("suspend", "web/httpd")
    play.command("suspend", "--service", SERVICE)
    before = play.configs()
    for path in before:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.step()
    assert play.configs() == before


def test_a_suspended_route_that_is_deleted_restores_nothing_until_it_is_resumed(play: Playground) -> None:
    routed(play)
    play.command("suspend", "web/httpd")
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    assert play.reason() == "Suspended"
    play.command("resume", "web/httpd")
    play.settle(times=5)
    assert not play.is_routed()


def test_the_suspension_of_a_route_that_is_gone_is_dropped(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(services="[nobody]"))
    play.settle()
    play.controller.save_status()
    play.command("suspend", "web/httpd")
    play.remove("httpd.yaml")
    play.settle()
    assert not [key for key in play.objects() if key.startswith("_state/desk/")]


def test_reconcile_tries_again_what_rolled_back(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.controller.save_status()
    assert play.reason() == "RolledBack"
    assert play.command("reconcile", "web/httpd") == 0
    play.settle(times=4)
    assert play.is_routed()
    assert conditions(play)["Ready"]["status"] == "True"
    assert not [key for key in play.objects() if key.startswith("_state/desk/")]


def test_reconcile_ends_contested(play: Playground) -> None:
    routed(play)
    for _ in range(3):
        play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:1")
        play.sandbox.advance(120)
        play.settle(times=2)
    assert play.reason() == "Contested"
    play.command("reconcile", "--service", "example")
    play.settle()
    assert play.is_routed()


def test_apply_obeys_as_the_controller_does(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.command("suspend", "web/httpd")
    assert play.command("apply") == 3
    assert not play.is_routed()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"by": 5}', b"\xff"])
def test_a_damaged_note_suspends_all_the_same(play: Playground, body: bytes) -> None:
    routed(play)
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/desk/suspend/route/web/httpd.json", Body=body)
    play.deploy(plain_definition())
    play.settle()
    assert not play.is_routed()
    assert conditions(play)["Suspended"]["status"] == "True"


def test_a_name_that_nothing_has_is_an_error_with_one_that_is_near(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    routed(play)
    assert play.command("suspend", "web/htpd") == 1
    assert "did you mean web/httpd?" in capsys.readouterr().err
    assert play.command("suspend", "--service", "exmaple") == 1
    assert "there is no service exmaple" in capsys.readouterr().err
    assert play.command("suspend") == 1
    assert play.command("suspend", "web/httpd", "--service", "example") == 1


def test_a_route_that_its_spec_suspends_is_not_resumed_by_command(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    play.controller.save_status()
    assert play.command("resume", "web/httpd") == 1
    assert "suspended by its own spec" in capsys.readouterr().err


def test_an_ambiguous_service_is_an_error_that_names_both(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    routed(play)
    status = play.s3.get_object(Bucket=STORE, Key=f"{PREFIX}/_state/status.json")["Body"].read()
    twice = status.replace(b'"services": {', b'"services": {"other/eu-west-1/blue/example": {},')
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/status.json", Body=twice)
    assert play.command("suspend", "--service", "example") == 1
    assert "other/eu-west-1/blue/example" in capsys.readouterr().err


def test_names_cannot_lead_elsewhere(play: Playground) -> None:
    for name in ("../x", "web/../../x", "web/a b", "web/", "/", "web/httpd/x"):
        assert play.command("suspend", name) == 1
        assert play.command("suspend", "--service", name) == 1
    assert not [key for key in play.objects() if "desk" in key]
