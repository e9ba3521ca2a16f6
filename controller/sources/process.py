"""One child process, bounded in time and output. It and all that it started are gone when this returns."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_CHUNK = 65536
_MAX_ERRORS = 65536
"""Bytes of stderr that are kept; a server may send progress and banners without end."""


class TimedOutError(Exception):
    """The process did not end in time, and was killed."""


class OutputTooLargeError(Exception):
    """stdout went over its limit, and the process was killed."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`seconds` for the whole run; bytes of stdout; bytes of any one file that it writes."""

    seconds: float
    max_output: int
    max_file: int


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    out: bytes
    err: bytes


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    bounds: Bounds,
    stdin: bytes = b"",
    files: Sequence[int] = (),
) -> Finished:
    """Run a program without a shell. `files`: descriptors that it gets as they are. Raises TimedOutError,
    OutputTooLargeError, or OSError at its start.
    """
    deadline = time.monotonic() + bounds.seconds
    with tempfile.TemporaryFile() as given:  # a file, for a pipe that nobody reads would block us
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 (a list, no shell; every argument is checked or our own)
            argv,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            pass_fds=tuple(files),
        )
    try:
        _limit_files(process.pid, bounds.max_file)
        out, err = _read(process, bounds, deadline)
        return Finished(process.wait(max(0.0, deadline - time.monotonic())), out, err)
    except subprocess.TimeoutExpired:
        raise TimedOutError from None
    finally:
        _end(process)


def _read(process: subprocess.Popen[bytes], bounds: Bounds, deadline: float) -> tuple[bytes, bytes]:
    """Both streams to their ends, read side by side so that neither can block the other."""
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        for stream, kept in ((process.stdout, out), (process.stderr, err)):
            if stream is not None:
                waiting.register(stream, selectors.EVENT_READ, kept)
        while waiting.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOutError
            for key, _ in waiting.select(left):
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    waiting.unregister(key.fileobj)
                key.data.extend(chunk)
            if len(out) > bounds.max_output:
                raise OutputTooLargeError
            del err[:-_MAX_ERRORS]
    return bytes(out), bytes(err)


def _limit_files(pid: int, size: int) -> None:
    """Set from outside: a preexec_fn is unsafe beside threads. Inherited by what git starts later on."""
    if hasattr(resource, "prlimit"):  # Linux
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session that the process leads: git's helpers and ssh outlive git itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    streams: tuple[IO[bytes] | None, ...] = (process.stdout, process.stderr)
    for stream in streams:
        if stream is not None:
            stream.close()
