"""A controller that runs for weeks: a thousand passes later it needs no more memory than after the first hundreds."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from controller.sandbox import RealClock, Sandbox
from tests.support.playground import ALL_AT_ONCE, OUTPUT, PREFIX, REGION, STORE, Playground, route_yaml
from tests.support.process import RUN_FASTER, Process

SERVICES = 20
SETTLED, PASSES = 200, 1000
CHANGE_EVERY = 100
MOST = 4 * 2**20
"""Bytes. What leaks a kilobyte a pass would be a megabyte; the allocator's own moves are as much."""
PATIENCE = 600.0
COUNT = re.compile(r'^logroute_pass_duration_seconds_count\{kind="resync"\} (\d+)', re.MULTILINE)


def passes(process: Process) -> int:
    found = COUNT.search(process.get("/metrics")[1])
    return int(found[1]) if found else 0


def resident(process: Process) -> int:
    """Bytes."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def until_pass(process: Process, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while passes(process) < number:
        assert time.monotonic() < end
        assert process.process.poll() is None, process.log.read_text()[-5000:]
        time.sleep(0.2)


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it reads memory as Linux tells it")
def test_a_thousand_passes_need_no_memory(tmp_path: Path) -> None:
    """With a changed spec and a deleted config object now and then, so that rollouts and repairs count too."""
    with Sandbox(region=REGION, clock=RealClock(120)) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        specs = tmp_path / "specs"
        specs.mkdir()
        (specs / "class.yaml").write_text(ALL_AT_ONCE)
        (specs / "archive.yaml").write_text(OUTPUT)
        play = Playground(sandbox, specs)
        with sandbox.at_leisure():
            for number in range(SERVICES):
                play.service(f"web-{number}")
        play.write("httpd.yaml", route_yaml(services="['web-*']"))
        process = Process(play, tmp_path, more="limits: {share: 10000%}\n", how=RUN_FASTER)
        try:
            seen = []
            for number in range(SETTLED, SETTLED + PASSES + 1, CHANGE_EVERY):
                until_pass(process, number)
                seen.append(resident(process))
                tag = "log" if number // CHANGE_EVERY % 2 else "message"
                play.write("httpd.yaml", route_yaml(services="['web-*']", outputs=f"[{{name: stdout, match: {tag}*}}]"))
                path = min(play.configs())
                play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
        finally:
            process.process.kill()
            process.process.wait()
        assert max(seen[-3:]) - max(seen[:3]) < MOST, [one >> 10 for one in seen]
