"""What an engine is started with, what it may do, and what is made of its end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from controller.checking.engine import Engine, WrongBinary
from controller.checking.model import Result, Verdict
from controller.checking.presented import STAND_IN
from controller.checking.process import Bounds
from tests.support.engines import CONFIG, IMPATIENT, QUICK, STAY, UP, fake, is_gone, says


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the runs' folders lie: nothing may be left in it."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def judged(tmp_path: Path, *lines: str, config: bytes = CONFIG, bounds: Bounds = QUICK) -> Verdict:
    return Engine("5.0.9", fake(tmp_path / "fluent-bit", *lines), bounds).judge(config, None)


def test_an_engine_that_comes_up_and_stays_has_accepted(tmp_path: Path) -> None:
    assert judged(tmp_path, UP, STAY).result is Result.ACCEPTED


def test_an_engine_that_ends_has_rejected_and_its_reasons_are_told_once_each(tmp_path: Path) -> None:
    verdict = judged(
        tmp_path,
        says("[output:s3:web.httpd.out] the bucket is a required parameter"),
        says("[output:s3:web.httpd.out] the bucket is a required parameter"),
        says("[output] failed to initialize 's3' plugin"),
        says("[engine] output initialization failed"),
        "exit 255",
    )
    assert verdict.result is Result.REJECTED
    assert verdict.words == ("[output:s3:web.httpd.out] the bucket is a required parameter",)
    assert verdict.sections == (1,)


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("[config] s3: unknown configuration property 'x'. The following properties are allowed: a", (2,)),
        ("[config] section 's3' tried to instance a plugin name that doesn't exist", (2,)),
        ("[config] could not configure property 'x' on output plugin with section name 's3'", (2,)),
        ("[output:stdout:web.httpd.out] no", (1,)),
        ("[output:s3:s3.2] no", (2,)),
        ("[filter:grep:grep.0] the agent's, or nobody's", ()),
        ("[engine] something else", ()),
    ],
)
def test_the_section_that_the_engine_means_is_found(tmp_path: Path, text: str, sections: tuple[int, ...]) -> None:
    said = 'echo "[error] ' + text + '" >&2'
    config = CONFIG + b"\n[OUTPUT]\n    name s3\n    match *\n"
    engine = Engine("5.0.9", fake(tmp_path / "fluent-bit", said, "exit 1"), QUICK)
    assert engine._run(config, None)[1].sections == sections


def test_an_engine_that_ends_right_after_it_came_up_has_rejected(tmp_path: Path) -> None:
    assert judged(tmp_path, UP, "exit 1").result is Result.REJECTED


def test_an_engine_that_lives_on_without_its_port_has_rejected(tmp_path: Path) -> None:
    """5.0.9 does, where only the HTTP server's port is taken: the health check then fails for ever."""
    verdict = judged(tmp_path, says("[downstream] could not bind address 127.0.0.1:1. Aborting"), UP, STAY)
    assert verdict.result is Result.REJECTED


def test_a_hang_is_no_rejection_and_ends_at_the_limit(tmp_path: Path) -> None:
    begun = time.monotonic()
    verdict = judged(tmp_path, STAY, bounds=IMPATIENT)
    assert verdict.result is Result.UNCHECKED
    assert "neither came up nor ended" in verdict.reason
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("first", [UP, "true"])
def test_output_without_end_is_neither_kept_nor_waited_for(tmp_path: Path, first: str) -> None:
    bounds = Bounds(seconds=0.6, settle=0.05, output=10_000)
    verdict = judged(tmp_path, first, "exec yes '[error] again and again' >&2", bounds=bounds)
    assert verdict.result is (Result.ACCEPTED if first is UP else Result.UNCHECKED)
    assert len(verdict.text) < 2_000


def test_it_gets_an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "LOGROUTE_GIT_TOKEN", "AWS_PROFILE", "PLANTED"):
        monkeypatch.setenv(name, "S3cr3t")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    config = CONFIG.replace(b"alias", b"json_date_key ${DD_API_KEY}\n    alias")
    judged(tmp_path, f"env > {tmp_path}/env", UP, STAY, config=config)
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert "S3cr3t" not in found.values()
    assert found["AWS_ACCESS_KEY_ID"] == "dummy"
    assert found["DD_API_KEY"] == STAND_IN
    assert set(found) - {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"} == {
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_SECRET_ACCESS_KEY",
        "DD_API_KEY",
        "ECS_CONTAINER_METADATA_URI_V4",
        "HOME",
        "HTTP_PROXY",
        "MALLOC_ARENA_MAX",
        "NO_PROXY",
    }
    assert not [value for value in found.values() if value.startswith("http") and "127.0.0.1:9" not in value]


def test_a_config_cannot_set_what_the_engine_runs_with(tmp_path: Path) -> None:
    names = ("LD_PRELOAD", "HTTP_PROXY", "HOME", "AWS_ACCESS_KEY_ID", "FLB_LOG_LEVEL", "PATH")
    options = "".join(f"    json_date_key ${{{name}}}\n" for name in names)
    judged(tmp_path, f"env > {tmp_path}/env", UP, STAY, config=CONFIG + options.encode())
    assert STAND_IN not in (tmp_path / "env").read_text()


def test_it_runs_in_a_folder_of_its_own_that_is_gone_afterwards(tmp_path: Path, own_temp: Path) -> None:
    judged(tmp_path, f"pwd > {tmp_path}/where; stat -c %a . > {tmp_path}/mode; ls > {tmp_path}/files", UP, STAY)
    where = Path((tmp_path / "where").read_text().strip())
    assert where.parent == own_temp
    assert (tmp_path / "mode").read_text().strip() == "700"
    assert set((tmp_path / "files").read_text().split()) == {"agent.conf", "init.conf", "moved", "pipeline.conf"}
    assert list(own_temp.iterdir()) == []


def test_its_limits_hold_from_its_first_moment(tmp_path: Path) -> None:
    shown = "; ".join(f"ulimit -{flag}" for flag in "vtnc")
    judged(tmp_path, f"{{ {shown}; }} > {tmp_path}/limits", UP, STAY)
    memory, cpu, files, core = (tmp_path / "limits").read_text().split()
    assert (int(memory) * 1024, int(cpu), int(core)) == (QUICK.memory, QUICK.cpu, 0)
    assert int(files) <= QUICK.files


def test_it_cannot_fill_the_disk(tmp_path: Path) -> None:
    bounds = Bounds(seconds=5.0, settle=0.05, file_size=65536)
    judged(tmp_path, f"head -c 1000000 /dev/zero > {tmp_path}/big", UP, STAY, bounds=bounds)
    assert (tmp_path / "big").stat().st_size <= 65536


def test_it_gets_nothing_on_stdin(tmp_path: Path) -> None:
    assert judged(tmp_path, f"cat > {tmp_path}/given", UP, STAY).result is Result.ACCEPTED
    assert (tmp_path / "given").read_bytes() == b""


@pytest.mark.parametrize("end", [f"{UP}; {STAY}", STAY, "exit 1"])
def test_what_it_started_is_gone_with_it(tmp_path: Path, end: str) -> None:
    judged(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/own", end, bounds=IMPATIENT)
    assert is_gone(int((tmp_path / "child").read_text()))
    assert is_gone(int((tmp_path / "own").read_text()))


def test_it_dies_with_logroute(tmp_path: Path) -> None:
    program = fake(tmp_path / "fluent-bit", f"echo $$ > {tmp_path}/own.new; mv {tmp_path}/own.new {tmp_path}/own", STAY)
    script = (
        "from pathlib import Path; from controller.checking.engine import Engine;"
        f"Engine('5.0.9', Path('{program}')).judge(b'[OUTPUT]\\n    name null\\n    match *\\n', None)"
    )
    with subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}) as logroute:
        end = time.monotonic() + 5
        while not (tmp_path / "own").exists() and time.monotonic() < end:
            os.sched_yield()
        logroute.kill()
    assert is_gone(int((tmp_path / "own").read_text()))


@pytest.mark.parametrize("signal", ["KILL", "XCPU"])
def test_an_engine_that_is_stopped_from_outside_has_not_rejected(tmp_path: Path, signal: str) -> None:
    assert judged(tmp_path, f"kill -{signal} $$").result is Result.UNCHECKED


def test_a_crash_is_a_rejection_and_said(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "kill -SEGV $$")
    assert verdict.result is Result.REJECTED
    assert "SIGSEGV" in verdict.text


def test_paths_of_the_run_colours_and_control_characters_are_not_told(tmp_path: Path, own_temp: Path) -> None:
    config = b"# written by hand\n\n" + CONFIG
    verdict = judged(
        tmp_path,
        'printf "\\033[1m[2026/11/22 19:51:09]\\033[0m [\\033[91merror\\033[0m] $PWD/pipeline.conf:2: \\001\\n" >&2',
        "exit 1",
        config=config,
    )
    assert verdict.words == ("pipeline.conf:4:  ",)
    assert str(own_temp) not in verdict.text


def test_a_stand_in_for_a_secret_is_never_told_and_rejects_nothing(tmp_path: Path) -> None:
    config = CONFIG.replace(b"alias", b"json_date_key ${DD_API_KEY}\n    alias")
    verdict = judged(tmp_path, 'echo "[error] bad key $DD_API_KEY" >&2', "exit 1", config=config)
    assert verdict.result is Result.UNCHECKED
    assert STAND_IN not in verdict.text


def test_words_are_bounded(tmp_path: Path) -> None:
    lines = [says(f"[config] {number} " + "x" * 5_000) for number in range(50)]
    verdict = judged(tmp_path, *lines, "exit 1")
    assert verdict.result is Result.REJECTED
    assert len(verdict.text) < 3_000


def test_a_plugin_that_a_build_lacks_is_not_the_config_s_fault(tmp_path: Path) -> None:
    lacks = "echo \"[error] [config] section 'kafka' tried to instance a plugin name that doesn't exist\" >&2"
    assert judged(tmp_path, lacks, "exit 1").result is Result.UNCHECKED
    assert judged(tmp_path, lacks.replace("kafka", "s4"), "exit 1").result is Result.REJECTED


def test_a_config_that_may_not_be_started_is_not_started(tmp_path: Path) -> None:
    verdict = judged(tmp_path, f"touch {tmp_path}/started", config=b"[INPUT]\n    name exec\n    command id\n")
    assert verdict.result is Result.UNCHECKED
    assert not (tmp_path / "started").exists()


def test_a_binary_of_another_version_is_told(tmp_path: Path) -> None:
    Engine("5.1", fake(tmp_path / "a", version="5.1.5")).confirm()
    Engine("5.1.5", fake(tmp_path / "b", version="5.1.5")).confirm()
    with pytest.raises(WrongBinary, match=r"is Fluent Bit 5\.10\.1, not 5\.1"):
        Engine("5.1", fake(tmp_path / "c", version="5.10.1")).confirm()
    with pytest.raises(WrongBinary, match="does not answer"):
        Engine("5.1", Path("/bin/true")).confirm()


def test_what_cannot_be_started_is_an_error_not_a_verdict(tmp_path: Path) -> None:
    program = fake(tmp_path / "fluent-bit", UP)
    program.write_bytes(b"\x7fELF no program")
    with pytest.raises(OSError, match="Exec format"):
        Engine("5.0.9", program, QUICK).judge(CONFIG, None)
    with pytest.raises(OSError, match="No such file"):
        Engine("5.0.9", tmp_path / "none", QUICK).judge(CONFIG, None)


def test_many_configs_leave_no_folder_and_no_descriptor_behind(tmp_path: Path, own_temp: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    engine = Engine("5.0.9", fake(tmp_path / "fluent-bit", says("no"), "exit 1"), QUICK)
    for number in range(100):
        assert engine.judge(CONFIG + f"    json_date_key k{number}\n".encode(), None).result is Result.REJECTED
    assert list(own_temp.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before
