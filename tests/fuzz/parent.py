"""Runs a target in child processes for a while; what they find is tried again alone, and made small."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.child import HARD_SECONDS, INPUT
from tests.fuzz.measure import Outcome, explained
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
SHRINKING = 10.0
"""Seconds."""
SHOWN = 600
"""Bytes of an input that a report shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    target: str
    seed: int
    outcome: Outcome
    data: bytes
    size: int
    trace: str

    def __str__(self) -> str:
        shown = f"{self.data[:SHOWN]!r}" + (
            f" … and {len(self.data) - SHOWN:,} bytes" if len(self.data) > SHOWN else ""
        )
        again = f"python -m tests.fuzz {self.target} --seed {self.seed}"
        return f"{self.target}: {self.outcome}, of {self.size:,} bytes, here {len(self.data):,}: {shown}\n{again}\n{self.trace}"


@dataclass(frozen=True, slots=True)
class Result:
    ran: int
    endings: int
    findings: tuple[Finding, ...]


def fuzz(target: Target, seed: int, seconds: float, folder: Path) -> Result:
    """`folder` keeps the inputs that were found."""
    end, ran, endings, kinds = time.monotonic() + seconds, 0, 0, dict[str, Finding]()
    while (left := end - time.monotonic()) > min(1.0, seconds / 2):
        told, code = _child("run", target.name, str(seed), str(left), str(folder), seconds=left + 60)
        for one in told:
            if "ran" in one:
                ran, endings = ran + one["ran"], max(endings, one["endings"])
            else:
                _keep(kinds, target, seed, (folder / one["file"]).read_bytes())
        if code:
            killed = folder / f"killed-{seed}"
            (folder / INPUT).rename(killed)
            _keep(kinds, target, seed, killed.read_bytes())
        seed += 1
    return Result(ran, endings, tuple(kinds.values()))


def _keep(kinds: dict[str, Finding], target: Target, seed: int, data: bytes) -> None:
    """Where a process that ran nothing else says so too, and where it is new."""
    outcome = judged(target, data)
    if not outcome.trouble or outcome.trouble in kinds:
        return
    small = _smallest(target, data, outcome.trouble)
    trace = explained(lambda: target.run(small)) if outcome.crash and "killed" not in outcome.crash else ""
    kinds[outcome.trouble] = Finding(target.name, seed, outcome, small, len(data), trace)


def judged(target: Target, data: bytes) -> Outcome:
    """What a process of its own says of it; of two runs the cheaper one."""
    return min((_once(target, data) for _ in range(2)), key=lambda one: (bool(one.crash), one.seconds))


def _once(target: Target, data: bytes) -> Outcome:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        told, code = _child("try", target.name, file.name, seconds=300)
    if code == -signal.SIGPROF:
        return Outcome(HARD_SECONDS, 0)
    if code or not told:
        return Outcome(0.0, 0, f"killed with {code}")
    return Outcome(told[0]["seconds"], told[0]["memory"], told[0]["crash"], told[0]["said"])


def _smallest(target: Target, data: bytes, trouble: str) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        _child("shrink", target.name, file.name, trouble, str(SHRINKING), seconds=SHRINKING + 60)
        return Path(file.name).read_bytes()


def _child(*words: str, seconds: float) -> tuple[list[dict[str, Any]], int]:
    """What it told, and its exit code, negative where a signal ended it."""
    command = [sys.executable, "-m", "tests.fuzz.child", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
    if process.returncode > 0:
        raise RuntimeError(f"{' '.join(words)} failed: {err.decode(errors='replace')[-2000:]}")
    return [json.loads(line) for line in out.splitlines() if line.endswith(b"}")], process.returncode
