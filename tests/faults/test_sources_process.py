"""Child processes that do not behave: every bound holds, and nothing is left running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from controller.sources.process import Bounds, Finished, OutputTooLargeError, TimedOutError, run


def python(
    code: str,
    folder: Path,
    *,
    seconds: float = 20,
    output: int = 10_000,
    file: int = 10**9,
    stdin: bytes = b"",
) -> Finished:
    bounds = Bounds(seconds, output, file)
    environment = {"PATH": os.environ["PATH"]}
    return run((sys.executable, "-c", code), environment=environment, cwd=folder, bounds=bounds, stdin=stdin)


def test_both_streams_and_the_code_come_back(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read()[::-1]); print('err', file=sys.stderr); sys.exit(3)"
    assert python(code, tmp_path, stdin=b"abc") == Finished(3, b"cba\n", b"err\n")


def test_much_on_both_streams_blocks_nobody(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('e' * 10**6); print(len(sys.stdin.read())); sys.stderr.write('.')"
    done = python(code, tmp_path, stdin=b"x" * 10**6)
    assert done.out == b"1000000\n"
    assert len(done.err) == 65536
    assert done.err.endswith(b"e.")


def test_too_much_output_ends_it(tmp_path: Path) -> None:
    with pytest.raises(OutputTooLargeError):
        python("while True: print('x' * 1000)", tmp_path)


def test_a_child_of_the_child_does_not_outlive_its_time(tmp_path: Path) -> None:
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code = f"""
import subprocess, sys
held = open({str(pipe)!r}, "wb", buffering=0)
held.write(b"!")
subprocess.run([sys.executable, "-c", "import signal; signal.pause()"], pass_fds=[held.fileno()])
"""
    started = time.monotonic()
    with pytest.raises(TimedOutError):
        python(code, tmp_path, seconds=1.5)
    assert time.monotonic() - started < 15
    os.set_blocking(reading, True)
    with os.fdopen(reading, "rb") as ended:
        assert ended.read() == b"!"  # and then the end: nobody holds the pipe any more


def test_it_sees_no_variable_that_it_was_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    done = python("import os; print(sorted(os.environ))", tmp_path)
    assert b"AWS" not in done.out


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_file_over_the_limit_ends_the_writer(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read(); open('big', 'wb').write(b'x' * 100_000)"
    assert python(code, tmp_path, file=5_000, stdin=b"go").code != 0
    assert (tmp_path / "big").stat().st_size <= 5_000
