"""`logroute sandbox --scenario`: what is wrong with the file, and what happens when it is right."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.cli.scenario import Refused, read

DEFINITION = {"family": "app", "containerDefinitions": [{"name": "app", "image": "app:1", "memory": 64}]}
GOOD = """\
settings: {speed: 100, throttle: true}
clusters: [c]
task_definitions:
  - app.json
services:
  - {cluster: c, serviceName: web, taskDefinition: app, desiredCount: 1}
steps:
  - at: 60s
    ci: {cluster: c, service: web, definition: app.json, image: "app:2"}
  - at: 2m
    ci_copy: {cluster: c, service: ghost, image: "app:3"}
"""


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The command forgets the person's settings; the next test wants them back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def write(folder: Path, text: str) -> Path:
    (folder / "app.json").write_text(json.dumps({"taskDefinition": DEFINITION | {"revision": 7}}))
    (folder / "scenario.yaml").write_text(text)
    return folder / "scenario.yaml"


def problems(folder: Path, text: str) -> list[str]:
    """`line:column CODE message` of each."""
    with pytest.raises(Refused) as caught:
        read(write(folder, text))
    assert {one.file for one in caught.value.problems} == {str(folder / "scenario.yaml")}
    return [f"{one.line}:{one.column} {one.code} {one.message}" for one in caught.value.problems]


def test_definitions_come_from_files_beside_the_scenario(tmp_path: Path) -> None:
    """What DescribeTaskDefinition printed will do."""
    found = read(write(tmp_path, GOOD)).scenario
    assert found.task_definitions == (DEFINITION,)
    [ci] = [step.ci for step in found.steps if step.ci]
    assert ci.definition == DEFINITION


WRONG: dict[str, tuple[str, str]] = {
    "an unknown key": ("colour: red\n", r'1:1 UNKNOWN_KEY unknown key "colour"'),
    "an unknown key of a step": (
        "steps:\n  - {at: 1s, terraform: {service: web, colour: red}}\n",
        r'2:40 UNKNOWN_KEY unknown key "colour"',
    ),
    "a wrong type": ("clusters: c\n", r"1:11 WRONG_TYPE clusters must be a list, not text"),
    "no number": ("settings:\n  speed: fast\n", r'2:10 INVALID_VALUE speed "fast"'),
    "no duration": ("steps:\n  - at: soon\n    advance: 1s\n", r'2:9 INVALID_VALUE at "soon": a duration'),
    "no such effect": (
        "steps:\n  - at: 1s\n    fault: {calls: 'ecs:*', effect: explode}\n",
        r'3:37 INVALID_VALUE effect "explode"',
    ),
    "a file that is not there": ("task_definitions:\n  - ghost.json\n", r"2:5 NO_DEFINITION .*No such file"),
    "a definition that ECS does not know": (
        "task_definitions:\n  - {family: app, colour: red, containerDefinitions: []}\n",
        r'2:27 INVALID_VALUE colour "red": ECS knows no such key here',
    ),
    "a number that is none, deep in a definition": (
        "task_definitions:\n  - family: app\n    containerDefinitions:\n    - {name: a, image: i, memory: lots}\n",
        r'4:35 INVALID_VALUE memory "lots": must be a whole number',
    ),
    "a rollout fault of no kind": (
        "steps:\n  - at: 1s\n    fail_next_rollout: {exit_code: x}\n",
        r'3:36 INVALID_VALUE exit_code "x"',
    ),
    "two documents": ("a: 1\n---\nb: 2\n", r"3:1 NOT_ONE_DOCUMENT"),
    "nothing": ("", r"1:1 NOT_ONE_DOCUMENT"),
    "a list": ("[a]\n", r"1:1 NOT_A_MAPPING"),
    "no YAML": ("a: [\n", r"2:1 "),
    "a key twice": ("clusters: [a]\nclusters: [b]\n", r"2:1 DUPLICATE_KEY"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_has_its_place(tmp_path: Path, case: str) -> None:
    text, said = WRONG[case]
    [problem] = problems(tmp_path, text)
    assert re.match(said, problem), problem


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "colour: red\nclusters: c\nsteps: [{at: 1s}]\n")) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour: red\n", ':1:1: error UNKNOWN_KEY: unknown key "colour"'),
        ("services:\n  - {serviceName: web, taskDefinition: ghost}\n", ":2:5: error REFUSED_BY_AWS: "),
    ],
)
def test_the_command_prints_problems_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "--port", "0", "--scenario", str(path)])
    assert ended.value.code == 1
    assert f"{path}{said}" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "--scenario", str(tmp_path / "ghost.yaml")])
    assert ended.value.code == 1
    assert "ghost.yaml: No such file or directory" in capsys.readouterr().err


def status(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/_sandbox/status") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_a_scenario_plays_by_itself_on_the_real_clock(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "controller", "sandbox", "--port", "0", "--scenario", str(write(tmp_path, GOOD))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        first = process.stdout.readline()
        url = first.strip().removeprefix("export AWS_ENDPOINT_URL=")
        end = time.monotonic() + 60
        while len(status(url)["steps"]) < 2 and time.monotonic() < end:
            pass
        first_step, second_step = status(url)["steps"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert first_step["task_definition"].endswith("app:2")
    assert second_step["error"] == "the cluster c has no service ghost"
    assert process.returncode == 0
    assert "its clock runs 100 times as fast" in said
    assert "60s: ci: service web" in said
