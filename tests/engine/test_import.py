"""A hand-made router and what `logroute import` makes of it: fed the same lines, every output gets the same records."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.engine.ecs import firelens_record, tag
from tests.engine.handmade import Ended, Task, definition
from tests.support.cases import OWN, Case, cases

QUIET, PATIENCE = 1.5, 25.0
"""Seconds without a new record, after which the outputs count as complete; and until that must be so."""
LINES = [
    "GET / 200 hit",
    "GET /healthz 200",
    "GET /favicon.ico 404 hit and miss",
    "ERROR disk full",
    "WARN slow",
    '{"msg": "hello", "level": "info", "n": 1}',
    "resize DONE",
    "resize FAILED with",
    "  a trace",
    "  of three lines",
    "AUDIT login alice",
    "Dec 14 06:41:08 Exception in thread main",
    "    at com.example.Main",
    "",
]

TCP_INPUTS, METRICS = {"25888"}, ['{"_aws": {"Timestamp": 1}, "latency": 7}', '{"latency": 9}']


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def imported(case: Case, folder: Path, engine: str) -> tuple[dict[str, object], Path]:
    """The definition that LogRoute makes of the imported route and the plain definition, and its config objects."""
    spec, plain, out, configs = (folder / name for name in ("route.yaml", "plain.json", "out.json", "configs"))
    given = ["--config", str(case.alone)] if case.alone else []
    files = ["--config-dir", str(case.files), "--region", "us-west-2", "--cluster", "c"]
    written = ["-o", str(spec), "--definition-out", str(plain)]
    definition = ["--task-definition", str(case.definition), "--engine", engine]
    assert run("import", *definition, *files, *given, *written) == 0
    store = ["--config-store", "s3://configs/logroute", "--config-dir", str(configs), "-o", str(out)]
    place = ["--region", "us-west-2", "--cluster", "c"]
    assert run("inject", "--task-definition", str(plain), "--specs", str(spec), *store, *place) == 0
    found: dict[str, object] = json.loads(out.read_text())
    return found, configs


def feed(task: Task, containers: list[str]) -> None:
    for container in containers:
        task.send(tag(container), [firelens_record(container, line) for line in LINES])


def until_quiet(*tasks: Task) -> None:
    """A real engine has a clock of its own."""
    end, changed, seen = time.monotonic() + PATIENCE, time.monotonic(), [task.delivered() for task in tasks]
    while time.monotonic() < end and time.monotonic() - changed < QUIET:
        time.sleep(0.1)
        now = [task.delivered() for task in tasks]
        if now != seen or not all(any(outputs) for outputs in now):
            changed, seen = time.monotonic(), now


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LOGROUTE_LUA", "allow")


def engine_name(program: str) -> str:
    """The engine that the binary is, as a class states it."""
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return next(name for start, name in (("v1.9", "1.9.10"), ("v5.1", "5.1"), ("v5", "5.0.9")) if start in text)


@pytest.mark.usefixtures("no_aws")
@pytest.mark.parametrize("case", cases(), ids=str)
def test_every_output_gets_the_records_that_the_hand_made_router_gave_it(
    case: Case, fluent_bit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, configs = imported(case, tmp_path, engine_name(fluent_bit))
    said = capsys.readouterr().err
    original = definition(case.definition)
    containers = [
        one["name"]
        for one in original["containerDefinitions"]
        if (one.get("logConfiguration") or {}).get("logDriver") == "awsfirelens"
    ]
    with ExitStack() as stack:
        hand = started(Task(fluent_bit, tmp_path / "hand", original, case.files, case.alone), case, stack)
        ours = stack.enter_context(Task(fluent_bit, tmp_path / "made", made, configs, image=case.files))
        for task in (hand, ours):
            feed(task, containers)
            for port in TCP_INPUTS & task.listening.keys():
                task.send_lines(port, METRICS)
        until_quiet(hand, ours)
        assert any(hand.delivered()), hand.log()
        assert ours.delivered() == hand.delivered(), said


def started(task: Task, case: Case, stack: ExitStack) -> Task:
    """Of other people's cases some start on some engines only."""
    try:
        return stack.enter_context(task)
    except Ended as error:
        if case.definition.is_relative_to(OWN):
            raise
        pytest.skip(f"as published it does not start on this engine: {str(error).strip().splitlines()[-2]}")
