"""Stand-ins for a Fluent Bit: small scripts that answer as one does, and do what a test asks for."""

from __future__ import annotations

import os
import time
from pathlib import Path

from controller.checking.process import Bounds

UP = "echo '[2026/11/22 19:51:09] [ info] [sp] stream processor started' >&2"
STAY = "exec sleep 600"
QUICK = Bounds(seconds=5.0, settle=0.05)
IMPATIENT = Bounds(seconds=0.4, settle=0.05)
CONFIG = b"[SERVICE]\n    flush 1\n\n[OUTPUT]\n    name stdout\n    alias web.httpd.out\n    match *\n"
PATIENCE = 5.0


def fake(path: Path, *lines: str, version: str = "5.0.9") -> Path:
    """An executable at `path` whose body is shell."""
    head = f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Fluent Bit v{version}"; exit 0; fi\n'
    path.write_text(head + "\n".join(lines) + "\n")
    path.chmod(0o755)
    return path


def says(text: str, level: str = "error") -> str:
    return f"printf '%s\\n' '[2026/11/22 19:51:09.123] [{level}] {text}' >&2"


def is_gone(pid: int) -> bool:
    """Whether it ends soon; one that nobody has reaped yet has ended too."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        os.sched_yield()
    return False
