"""Starts of a real Fluent Bit, looked at no longer than until it says that it runs or that it will not."""

from __future__ import annotations

import os
import re
import subprocess
import time
from functools import cache
from pathlib import Path

from controller.fluentbit.engines import VERSIONS

STARTED = "stream processor started"
"""Logged after all plugins are initialised (flb_engine.c)."""
PATIENCE = 20.0
AGAIN = 12


@cache
def engine_of(program: str) -> str:
    """As the catalogue calls it: 5.1 for 5.1.1."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    number = re.search(r"v(\d+\.\d+\.\d+)", said)
    assert number is not None, said
    return next(one for one in VERSIONS if f"{number[1]}.".startswith(f"{one}."))


@cache
def _help(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def has_plugin(program: str, name: str) -> bool:
    """Whether it was built in."""
    return re.search(rf"^ +{re.escape(name)} ", _help(program), re.MULTILINE) is not None


def start(program: str, config: str, folder: Path) -> str:
    """The log of a start, up to where it runs, or has ended, or says why it will not.

    1.9.10 may end before its log is written: a start that gives no reason is made again.
    """
    (folder / "one.conf").write_text(config)
    for _ in range(AGAIN):
        log = _start_once([program, "-c", str(folder / "one.conf")], folder)
        if "backend failed" not in log or log.count("[error]") > 1:
            break
    return log


def _start_once(command: list[str], folder: Path) -> str:
    log = folder / "one.log"
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        try:
            _wait(process, log)
        finally:
            process.kill()
            process.wait()
    return log.read_text(errors="replace")


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        said = log.read_text(errors="replace")
        if STARTED in said or "initialization failed" in said:
            return
        time.sleep(0.01)
