"""One program for a moment, bounded in time, memory, output and files. It is gone, with its children, at the end."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CHUNK, _LONGEST_LINE = 65536, 4096
_CANNOT = 127
_LAUNCHER = """
import os, resource, sys
bounds, program, *arguments = sys.argv[1:]
try:
    for one in bounds.split(","):
        name, _, value = one.partition("=")
        limit = getattr(resource, name)
        hard = resource.getrlimit(limit)[1]
        soft = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(limit, (soft, soft))
    if sys.platform == "linux":
        import ctypes
        ctypes.CDLL(None).prctl(1, 9)
    os.execv(program, [program, *arguments])
except (OSError, ValueError) as error:
    os.write(2, f"CANNOT START {error}".encode())
    os._exit(127)
"""
"""Sets the limits, and that the kernel kills the program when we die, before there is any program: a preexec_fn is
unsafe beside threads, and limits set from outside come too late for what the program starts first.
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`seconds` until it is killed; `settle`: seconds that it is watched for once it is up."""

    seconds: float = 10.0
    settle: float = 0.3
    memory: int = 4 * 1024**3
    """Address space in bytes. An engine reserves far more than it uses: a thread of each output has its own stack."""
    cpu: int = 10
    """Seconds of processor time."""
    files: int = 1024
    file_size: int = 64 * 1024**2
    output: int = 1024**2
    """Bytes of what it says that are read; it may go on, unheard."""

    def as_text(self) -> str:
        limits = {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_NOFILE": self.files,
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_CORE": 0,
        }
        return ",".join(f"{name}={value}" for name, value in limits.items())


USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Seen:
    """`code` None: it was alive until it was killed. `up`: it said that it is."""

    said: bytes
    code: int | None
    up: bool


def watch(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    bounds: Bounds,
    is_up: Callable[[bytes], bool],
    both: bool = False,
) -> Seen:
    """Start it, read its stderr (`both`: stdout too) until it ends, has settled, or its time is over, and kill it.

    `is_up` sees what was said last: whole lines, and the beginnings of some. Raises OSError where it cannot be started.
    """
    said, tail, up = bytearray(), b"", False
    with _started(argv, environment, folder, bounds, both=both) as process:
        hearing = _Hearing(process, time.monotonic() + bounds.seconds)
        for chunk in hearing:
            said += chunk[: bounds.output - len(said)]
            tail = tail[-_LONGEST_LINE:] + chunk
            if not up and is_up(tail):
                up = True
                hearing.deadline = min(hearing.deadline, time.monotonic() + bounds.settle)
        code = process.poll()
    if code == _CANNOT and b"CANNOT START " in said:
        raise OSError(said.partition(b"CANNOT START ")[2].decode(errors="replace"))
    return Seen(bytes(said), code, up)


@contextlib.contextmanager
def _started(
    argv: Sequence[str], environment: Mapping[str, str], folder: Path, bounds: Bounds, *, both: bool
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 (a list, no shell)
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, bounds.as_text(), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if both else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
        cwd=folder,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@dataclass(slots=True)
class _Hearing:
    """What it says, as it comes; until its end or the deadline, which may come nearer."""

    process: subprocess.Popen[bytes]
    deadline: float

    def __iter__(self) -> Iterator[bytes]:
        stream = self.process.stderr or self.process.stdout
        assert stream is not None  # noqa: S101
        with selectors.DefaultSelector() as waiting:
            waiting.register(stream, selectors.EVENT_READ)
            while self.left > 0 and waiting.select(self.left):
                chunk = os.read(stream.fileno(), _CHUNK)
                if not chunk:
                    break
                yield chunk
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.left)

    @property
    def left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())
