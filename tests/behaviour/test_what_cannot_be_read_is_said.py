"""What LogRoute cannot read it leaves as it is, and says so: in the exit status, in the status, in metrics."""

from __future__ import annotations

from typing import Any

import pytest

from controller.aws.ecs import BotoEcs
from controller.aws.ports import AccessDenied
from controller.cli.main import main
from tests.support.playground import PREFIX, REGION, STORE, Playground, route_yaml

BROKEN = b"{ not json"


@pytest.fixture(autouse=True)
def _settings(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.specs))
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)


def logroute(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def break_state(play: Playground, kind: str) -> str:
    """The one object of that kind, unreadable from now on."""
    (key,) = (key for key in play.objects() if key.startswith(f"_state/{kind}"))
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=BROKEN)
    return key


def test_a_plan_that_could_not_read_a_definition_is_an_error(
    play: Playground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())

    def denied(*_: Any, **__: Any) -> None:
        raise AccessDenied("ecs:DescribeTaskDefinition", "example:1", "AccessDeniedException", "no")

    monkeypatch.setattr(BotoEcs, "describe_task_definition", denied)
    assert logroute("plan") == 1
    assert "ecs:DescribeTaskDefinition on example:1 failed" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["services", "routes"])
def test_unreadable_state_is_said_though_no_route_asks_for_it(
    play: Playground, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    key = break_state(play, kind)
    play.remove("httpd.yaml")
    play.start()
    play.settle()
    assert play.is_routed()
    (error,) = play.controller.board.plain()["errors"].values()
    assert f"{PREFIX}/{key} is not readable" in error
    assert b"\nlogroute_unreadable_state 1.0\n" in play.metrics.render("")[0]
    play.controller.save_status()
    assert logroute("status") == 0
    assert f"{PREFIX}/{key} is not readable" in capsys.readouterr().out
    assert logroute("plan") == 1
    assert f"{PREFIX}/{key} is not readable" in capsys.readouterr().err


def test_state_that_is_readable_again_is_no_error_any_more(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    before = play.objects()
    key = break_state(play, "services")
    play.settle()
    assert play.controller.board.plain()["errors"]
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=before[key])
    play.settle()
    assert not play.controller.board.plain()["errors"]
    assert b"\nlogroute_unreadable_state 0.0\n" in play.metrics.render("")[0]
