"""CPU seconds, never wall-clock time: the machine has other things to do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
"""Where `python -m controller` finds this very controller."""


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of this process, all threads, that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def side_by_side(times: int, *works: Callable[[], Any]) -> list[float]:
    """The least CPU seconds of each: what else runs on the machine only ever adds to them, and unevenly. They take
    turns, so that a busy moment hits all of them.
    """
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for seconds, work in zip(taken, works, strict=True):
            seconds.append(cpu(work))
    return [min(seconds) for seconds in taken]


def process_cpu(command: Sequence[str]) -> Callable[[], float]:
    """Runs a whole process; user and system CPU seconds of it. RuntimeError where it fails."""

    def run() -> float:
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            said = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {said.decode(errors='replace')[-2000:]}")
        return usage.ru_utime + usage.ru_stime

    return run


def processes_side_by_side(times: int, *commands: Sequence[str]) -> list[float]:
    """The median CPU seconds of whole processes; a first run of each warms the caches of files."""
    runs = [process_cpu(command) for command in commands]
    for run in runs:
        run()
    taken = [[run() for run in runs] for _ in range(times)]
    return [median(column) for column in zip(*taken, strict=True)]


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
