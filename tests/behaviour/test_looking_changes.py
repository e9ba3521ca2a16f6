"""What looks show while things change, and where there is nothing to look at."""

from __future__ import annotations

import pytest

from controller.cli import views
from tests.support.looking import look_at, said
from tests.support.playground import CLUSTER, REGION, Playground

SERVICE = f"main/{REGION}/{CLUSTER}/example"


@pytest.fixture
def changing(play: Playground) -> Playground:
    return look_at(play)


def test_watch_shows_what_changes_and_nothing_else(
    changing: Playground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def pause(_seconds: float) -> None:
        look = next(looks)
        if look == 1:
            changing.command("suspend", "web/httpd")
            changing.step()
            changing.controller.save_status()
        if look == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(views, "pause", pause)
    capsys.readouterr()
    assert changing.command("get", "services", "--watch") == 130
    lines = [line for line in capsys.readouterr().out.splitlines() if CLUSTER in line]
    assert [line.split()[2] for line in lines] == ["InSync", "Suspended"]


@pytest.mark.parametrize(
    ("server_", "words"),
    [
        ("http://127.0.0.1:1", "does not answer"),
        ("127.0.0.1:9090", "no URL"),
        ("file:///etc/passwd", "no URL"),
        ("http://", "no URL"),
    ],
)
def test_a_server_that_is_none_is_told_in_a_line(
    play: Playground, capsys: pytest.CaptureFixture[str], server_: str, words: str
) -> None:
    told = said(play, capsys, "get", "routes", "--server", server_, status=1)
    assert words in told
    assert told.count("\n") == 1


def test_a_server_of_somebody_else_is_told(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(play, capsys, "get", "routes", "--server", play.sandbox.url, status=1)
    assert told.startswith("error: ")
    assert "Traceback" not in told


def test_a_controller_that_has_not_started_is_told(play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no controller has finished a pass yet" in said(play, capsys, "get", "routes", status=1)


def test_a_service_that_is_gone_has_its_history_still(changing: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    changing.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    changing.settle()
    changing.controller.save_status()
    assert "RolloutStarted" in said(changing, capsys, "history", SERVICE)
