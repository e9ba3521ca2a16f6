"""Every command of the quick start does what the page says, on the sandbox."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.cli import approve, converge
from controller.cli.main import main
from tests.support.playground import CLUSTER, REGION, Playground

PAGE = (Path(__file__).parents[2] / "docs" / "quickstart.md").read_text()
BLOCKS = re.findall(r"```(yaml|)\n(.*?)```", PAGE, re.DOTALL)
STORE = "example-logroute-configs"


def commands() -> list[tuple[list[str], int]]:
    """Each with the exit status that the page says: 0 where it says none."""
    lines = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
    found = []
    for line in lines:
        said, _, comment = line.partition("#")
        if said.startswith(("logroute ", "rm ")):
            found.append((shlex.split(said), int(comment.split()[-1]) if comment else 0))
    return found


def run(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


@pytest.fixture
def first_day(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Playground:
    """The service, the stores, an empty folder of specs, and the page's environment."""
    for bucket in (STORE, "example-log-archive"):
        play.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for path in play.specs.glob("*.yaml"):
        path.unlink()
    play.service("example")
    [exports] = [
        line for kind, block in BLOCKS if not kind for line in block.splitlines() if line.startswith("export ")
    ]
    for pair in exports.split()[1:]:
        name, _, value = pair.partition("=")
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.specs))
    monkeypatch.chdir(play.specs.parent)
    monkeypatch.setattr(approve, "time", SimpleNamespace(time=play.sandbox.clock.now))
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(30))
    return play


def status_of_a_controller(play: Playground) -> None:
    """`status`, `suspend` and `resume` read what one that runs has written."""
    play.settings = play.settings.model_copy(update={"config_store": f"s3://{STORE}/logroute"})
    play.start()
    play.settle(2)
    play.controller.save_status()


def test_the_page_is_true(first_day: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    play = first_day
    [spec] = [block for kind, block in BLOCKS if kind and block.startswith("# specs/httpd.yaml")]
    play.write("httpd.yaml", spec)
    planned = 0
    for said, status in commands():
        if said[0] == "rm":
            play.remove("httpd.yaml")
            continue
        told = capsys.readouterr()
        digest = re.search(r"logroute approve ([0-9a-f]+)", told.out + told.err)
        words = [digest[1] if one == "DIGEST" and digest else one for one in said]
        if words[1] == "status":
            status_of_a_controller(play)
        if words[1] == "plan":
            planned += 1
            if planned == 2:
                play.write("httpd.yaml", spec.replace("  mode: warn\n", ""))
        ended = run(words[1:])
        if words[1] != "doctor":  # it says of an account without versioned buckets what is missing there
            assert ended == status, (words, capsys.readouterr())
        if words[1:3] == ["apply", "--source"] and status == 0 and (play.specs / "httpd.yaml").exists():
            assert play.is_routed()
    assert not play.is_routed()
    assert CLUSTER in spec
