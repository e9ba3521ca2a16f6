"""`logroute plan` and `logroute apply` as a person or a pipeline runs them."""

from __future__ import annotations

import json

import pytest

from controller.cli import converge
from controller.cli.main import main
from tests.support.playground import CLUSTER, REGION, Playground, route_yaml

KEY = f"main/{REGION}/{CLUSTER}/example"


@pytest.fixture(autouse=True)
def _settings(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.specs))
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture
def _time_flies(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a waiting command sleeps, the sandbox's clock turns."""
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(60))


def logroute(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_plan_says_what_would_change_and_why_and_changes_nothing(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    revisions, objects = play.revisions(), play.objects()
    assert logroute("plan") == 2
    out = capsys.readouterr().out
    assert f"{KEY}: will route" in out
    assert "NewRoute: web/httpd selects the service" in out
    assert '+        "logDriver": "awsfirelens",' in out.replace("  ", "  ")
    assert "1 services: 1 to route, 0 to restore, 0 held" in out
    assert (play.revisions(), play.objects()) == (revisions, objects)


def test_plan_of_a_converged_world_is_empty(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert logroute("plan") == 0
    assert "0 to route, 0 to restore, 0 held" in capsys.readouterr().out


def test_plan_as_json_is_for_machines(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    assert logroute("plan", "--format", "json") == 2
    found = json.loads(capsys.readouterr().out)
    (service,) = found["services"]
    assert (service["service"], service["action"], service["hold"]) == (KEY, "route", None)
    assert [reason["reason"] for reason in service["reasons"]] == ["NewRoute"]
    assert any("awsfirelens" in line for line in service["diff"])
    assert (found["changes"], found["problems"], found["unmatched"]) == (1, [], [])


def test_plan_as_markdown_fits_a_comment(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        play.service(f"example-{number}")
    play.write("all.yaml", route_yaml(services='["*"]'))
    assert logroute("plan", "--format", "markdown") == 2
    out = capsys.readouterr().out
    assert len(out) < 65_536
    assert out.count("<details>") == out.count("</details>") == 12
    assert "```diff" in out


def test_plan_tells_a_deleted_config_object(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    (path,) = play.configs()
    play.s3.delete_object(Bucket="configs", Key=f"logroute/{path}")
    assert logroute("plan") == 2
    assert f"config {path} is missing" in capsys.readouterr().out
    assert not play.configs(), "a plan writes nothing"


def test_plan_with_a_broken_spec_is_an_error_that_names_the_place(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs="[{name: nonsense}]"))
    assert logroute("plan") == 1
    assert "httpd.yaml:7:22: error UNKNOWN_PLUGIN" in capsys.readouterr().out


@pytest.mark.usefixtures("_time_flies")
def test_apply_converges_and_then_has_nothing_to_do(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    assert logroute("apply") == 0
    assert f"{KEY}: in sync" in capsys.readouterr().out
    assert play.is_routed()
    revisions = play.revisions()
    assert logroute("apply") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert play.revisions() == revisions


def test_apply_without_waiting_says_that_it_is_not_converged_yet(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    assert logroute("apply", "--no-wait") == 3
    assert "rolling out example:2" in capsys.readouterr().out


@pytest.mark.usefixtures("_time_flies")
def test_apply_of_a_config_that_rolls_back_is_not_converged(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.sandbox.fail_next_rollout()
    play.write("httpd.yaml", route_yaml())
    assert logroute("apply") == 3
    assert "circuit breaker" in capsys.readouterr().out
    assert not play.is_routed()


def test_apply_of_something_held_says_what_holds_it(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    assert logroute("apply") == 3
    assert "held: Suspended: web/httpd is suspended" in capsys.readouterr().out


def test_progress_off_a_terminal_is_plain_lines(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    logroute("apply", "--no-wait")
    said = capsys.readouterr()
    assert "\x1b" not in said.err + said.out
    assert f"{CLUSTER}/example: rolling out example:2" in said.err


def test_an_interrupt_leaves_nothing_that_the_next_apply_does_not_finish(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(converge, "pause", interrupt)
    assert logroute("apply") == 130
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(60))
    assert logroute("apply") == 0
    assert play.is_routed()
    assert play.revisions() == 2


def test_the_status_command_shows_what_the_controller_saw(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.controller.save_status()
    assert logroute("status") == 0
    out = capsys.readouterr().out
    assert "web/httpd" in out
    assert "InSync" in out
    assert logroute("status", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["services"][KEY]["ready"] is True


@pytest.mark.parametrize(
    ("unset", "text"),
    [("LOGROUTE_SOURCE", "no source"), ("LOGROUTE_CONFIG_STORE", "no config store"), ("AWS_ENDPOINT_URL", "")],
)
def test_a_missing_setting_is_a_line_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unset: str, text: str
) -> None:
    if not text:
        monkeypatch.setenv(unset, "http://127.0.0.1:1")
        monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)
    else:
        monkeypatch.delenv(unset)
    assert logroute("plan") == 1
    said = capsys.readouterr().err
    assert text in said
    assert "Traceback" not in said


def test_a_missing_log_group_is_planned_and_applied(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.logs.delete_log_group(logGroupName="/logroute/example")
    for output in ("text", "markdown"):
        assert logroute("plan", "--format", output) == 2
        assert "log group /logroute/example is missing" in capsys.readouterr().out
    assert logroute("plan", "--format", "json") == 2
    [group] = json.loads(capsys.readouterr().out)["logGroups"]
    assert (group["name"], group["reason"]) == ("/logroute/example", "LogGroupMissing")
    assert logroute("apply") == 0
    assert "log group /logroute/example was missing and is made" in capsys.readouterr().out
    assert [one["logGroupName"] for one in play.logs.describe_log_groups()["logGroups"]] == ["/logroute/example"]
    assert logroute("plan") == 0


def test_a_missing_log_group_that_may_not_be_made_is_not_converged(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.write("httpd.yaml", route_yaml(extra="  mode: warn\n"))
    play.settle(times=1)
    play.logs.delete_log_group(logGroupName="/logroute/example")
    assert logroute("plan") == 0
    assert logroute("apply") == 3
    assert "is missing; web/httpd has mode: warn" in capsys.readouterr().out
