"""`logroute run` as a process: started, asked over HTTP, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.sandbox import RealClock, Sandbox
from tests.support.playground import REGION, Playground, route_yaml
from tests.support.process import PATIENCE, Process


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    with Sandbox(region=REGION, clock=RealClock(60)) as sandbox:
        specs = tmp_path / "specs"
        specs.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in sandbox.environment().items():
                patch.setenv(name, value)
            play = Playground(sandbox, specs)
            play.service()
            play.write("httpd.yaml", route_yaml())
            process = Process(play, tmp_path)
            yield process
            if process.process.poll() is None:
                process.process.kill()
                process.process.wait()


def test_the_controller_converges_reports_and_ends_within_ten_seconds(running: Process) -> None:
    running.until(running.play.is_routed)
    running.until(lambda: running.get("/readyz")[0] == 200)
    assert running.get("/healthz")[0] == 200
    running.until(lambda: 'logroute_services{state="InSync"} 1.0' in running.get("/metrics")[1])
    swept = 'logroute_pass_last_success_timestamp_seconds{kind="garbage"} 1'
    running.until(lambda: swept in running.get("/metrics")[1])
    status, seconds = running.stop(signal.SIGTERM)
    assert status == 0
    assert seconds < 10
    assert running.lines()[-1] == {**running.lines()[-1], "event": "stopped", "finished": True}


def test_every_log_line_is_json_and_none_holds_a_traceback(running: Process) -> None:
    running.play.write("broken.yaml", "a: [\n")
    running.until(lambda: any(line["event"] == "spec problem" for line in running.lines()))
    running.until(running.play.is_routed)
    running.stop(signal.SIGINT)
    assert all({"ts", "level", "event"} <= line.keys() for line in running.lines())
    assert "Traceback" not in running.log.read_text()


@pytest.mark.soak  # the lease of who was killed has to run out
def test_a_kill_in_the_middle_is_finished_by_the_next_start(running: Process, tmp_path: Path) -> None:
    running.until(lambda: running.play.revisions() > 1)
    running.stop(signal.SIGKILL)
    folder = tmp_path / "again"
    folder.mkdir()
    again = Process(running.play, folder)
    try:
        again.until(lambda: 'logroute_services{state="InSync"} 1.0' in again.get("/metrics")[1])
        assert running.play.is_routed()
        assert running.play.revisions() == 2
    finally:
        again.stop(signal.SIGTERM)


@pytest.mark.soak  # a quarter of a minute of real time
def test_a_suspend_is_obeyed_long_before_the_next_pass_is_due(running: Process, tmp_path: Path) -> None:
    running.until(lambda: 'logroute_services{state="InSync"} 1.0' in running.get("/metrics")[1])
    running.stop(signal.SIGTERM)
    folder = tmp_path / "again"
    folder.mkdir()
    again = Process(running.play, folder, resync="1h")
    try:
        again.until(lambda: 'logroute_services{state="InSync"} 1.0' in again.get("/metrics")[1])
        settings = [f"--config={folder / 'settings.yaml'}", "--reason=testing"]
        environment = {**os.environ, **running.play.sandbox.environment()}
        command = [sys.executable, "-m", "controller", "suspend", "web/httpd", *settings]
        assert subprocess.run(command, env=environment, check=False, timeout=PATIENCE).returncode == 0
        again.until(lambda: 'logroute_services{state="Suspended"} 1.0' in again.get("/metrics")[1])
    finally:
        again.stop(signal.SIGTERM)


def test_leases_may_lie_in_a_table(running: Process, tmp_path: Path) -> None:
    running.until(lambda: 'logroute_services{state="InSync"} 1.0' in running.get("/metrics")[1])
    running.stop(signal.SIGTERM)
    client: Any = running.play.sandbox.client("dynamodb")
    keys = {"installation": "HASH", "name": "RANGE"}
    client.create_table(
        TableName="leases",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
    folder = tmp_path / "again"
    folder.mkdir()
    again = Process(running.play, folder, more="lease: dynamodb://leases\n")
    again.until(
        lambda: f'logroute_lease_held{{account="main",region="{REGION}",shard=""}} 1.0' in again.get("/metrics")[1]
    )
    rows = [row["name"]["S"] for row in client.scan(TableName="leases")["Items"]]
    assert f"held/main/{REGION}" in rows
    again.stop(signal.SIGTERM)
    assert client.scan(TableName="leases")["Items"] == []
    assert not [key for key in running.play.objects() if key.startswith("_state/leases/")]
