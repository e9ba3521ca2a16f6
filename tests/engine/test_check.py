"""`logroute check` on real engines: what they refuse is told, what they take is not, and nothing gets out."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.checking.engine import Engine
from controller.checking.model import Result, Verdict
from controller.checking.presented import STAND_IN
from controller.cli.main import main
from tests.engine.task import SEED_SPEC, injected
from tests.support.engines import is_gone

STDOUT = "\n[OUTPUT]\n    name stdout\n    match *\n"
S3 = "[OUTPUT]\n    name s3\n    alias web.a.s3\n    match *\n    bucket b\n    region us-east-1\n"


@pytest.fixture
def engine(fluent_bit: str) -> Engine:
    version = re.search(
        r"v(\d+\.\d+\.\d+)",
        subprocess.run([fluent_bit, "--version"], capture_output=True, text=True, check=True).stdout,
    )
    assert version is not None
    return Engine(version[1], Path(fluent_bit).absolute())


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the runs' folders lie: none may be left."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def judged(engine: Engine, text: str, parsers: str | None = None) -> Verdict:
    return engine.judge(text.encode(), parsers.encode() if parsers else None)


def test_the_seed_is_accepted(engine: Engine, tmp_path: Path) -> None:
    verdict = engine.judge(injected(tmp_path, SEED_SPEC).configs["pipeline.conf"], None)
    assert verdict.result is Result.ACCEPTED, verdict.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (S3 + "    total_file_size banana\n", "total_file_size"),
        (S3.replace("    bucket b\n", ""), "'bucket' is a required parameter"),
        ("[OUTPUT]\n    name cloudwatch_logs\n    match *\n    log_group_name g\n    log_stream_prefix p\n", "region"),
        ("[OUTPUT]\n    name s4\n    match *\n", "s4"),
        ("[OUTPUT]\n    name stdout\n    match *\n    banana 3\n", "unknown configuration property 'banana'"),
        ("[FILTER]\n    name grep\n    match *\n    regex log (((\n" + STDOUT, "could not compile regex"),
        ("[FILTER]\n    name parser\n    match *\n    key_name log\n    parser nope\n" + STDOUT, "'nope' not found"),
        ("[INPUT]\n    name tcp\n    tag x\n    port 8877\n    listen 127.0.0.1\n" + STDOUT, "8877"),
        ("[INPUT]\n    name tcp\n    tag x\n    port 24224\n" + STDOUT, "24224"),
    ],
)  # fmt: skip
def test_what_an_engine_refuses_is_told_in_its_words(engine: Engine, text: str, says: str) -> None:
    verdict = judged(engine, text)
    assert verdict.result is Result.REJECTED, verdict.text
    assert any(says in word for word in verdict.words) or engine.version == "1.9.10", verdict.words
    assert not re.search(r"/tmp|moved/|127\.0\.0\.1:(?!8877|24224)", verdict.text)  # noqa: S108


def test_an_http_server_on_a_port_that_an_input_has_is_refused(engine: Engine) -> None:
    """5.0.9 lives on without it."""
    text = "[SERVICE]\n    http_server on\n    http_port 2020\n\n[INPUT]\n    name tcp\n    tag x\n    port 2020\n"
    assert judged(engine, text + STDOUT).result is Result.REJECTED


def test_ports_that_this_machine_uses_are_no_reason_to_refuse(engine: Engine) -> None:
    with socket.socket() as taken, socket.socket() as too:
        ports = []
        for one in (taken, too):
            one.bind(("127.0.0.1", 0))
            one.listen()
            ports.append(one.getsockname()[1])
        service = f"[SERVICE]\n    http_server on\n    http_port {ports[0]}\n"
        text = f"{service}\n[INPUT]\n    name tcp\n    tag x\n    port {ports[1]}\n"
        assert judged(engine, text + STDOUT).result is Result.ACCEPTED


LUA = (
    "[FILTER]\n    name lua\n    match *\n    call cb\n"
    "    code os.execute('touch {0}') io.open('{0}','w'):write(os.getenv('HOME')) function cb(t,s,r) return 0,s,r end\n"
)


def test_lua_leaves_no_trace(engine: Engine, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert judged(engine, LUA.format(trace) + STDOUT).result is Result.ACCEPTED
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    [
        "[INPUT]\n    name exec\n    tag x\n    command touch {0}\n" + STDOUT,
        "[FILTER]\n    name kubernetes\n    match *\n    kube_token_command touch {0}\n" + STDOUT,
        "[SERVICE]\n    log_file {0}\n" + STDOUT,
        "[SERVICE]\n    storage.path {0}\n" + STDOUT,
        "[OUTPUT]\n    name file\n    match *\n    path {0}\n    mkdir on\n",
        S3 + "    store_dir {0}\n",
        "[INPUT]\n    name tail\n    tag x\n    path /x/*.log\n    db {0}\n" + STDOUT,
        "[INPUT]\n    name syslog\n    tag x\n    mode unix_udp\n    path {0}\n    parser p\n" + STDOUT,
    ],
)
def test_nothing_outside_the_run_s_folder_is_made(engine: Engine, tmp_path: Path, text: str) -> None:
    trace = tmp_path / "trace"
    verdict = judged(engine, text.format(trace), "[PARSER]\n    name p\n    format json\n")
    assert verdict.result is not Result.REJECTED, verdict.text
    assert not trace.exists()


def test_a_socket_of_a_route_s_own_takes_no_port(engine: Engine) -> None:
    text = "[INPUT]\n    name forward\n    tag x\n    unix_path /var/run/own.sock\n"
    assert judged(engine, text + STDOUT).result is Result.ACCEPTED


def test_files_that_are_not_here_are_not_told_as_the_reason(engine: Engine) -> None:
    text = "[INPUT]\n    name tail\n    tag x\n    path /x/*.log\n\n" + S3.replace("    bucket b\n", "")
    verdict = judged(engine, text)
    assert verdict.result is Result.REJECTED
    assert verdict.words == ("[output:s3:web.a.s3] 'bucket' is a required parameter",)
    assert verdict.sections == (1,)


def test_a_daemon_does_not_get_away(engine: Engine) -> None:
    before = engines_running(engine)
    assert judged(engine, "[SERVICE]\n    daemon on\n" + STDOUT).result is Result.ACCEPTED
    assert all(map(is_gone, engines_running(engine) - before))


def test_output_without_end_ends(engine: Engine) -> None:
    text = "[INPUT]\n    name dummy\n    tag x\n    rate 100000\n\n[FILTER]\n    name stdout\n    match *\n" + STDOUT
    assert judged(engine, text).result is Result.ACCEPTED


def test_records_are_never_sent(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    text = f"[SERVICE]\n    flush 0.1\n\n[INPUT]\n    name dummy\n    tag x\n\n[OUTPUT]\n    name file\n    match *\n    path {out}\n"
    assert judged(engine, text).result is Result.ACCEPTED
    assert list(out.iterdir()) == []


def test_files_of_the_image_are_no_reason_to_refuse(engine: Engine) -> None:
    service = "[SERVICE]\n    parsers_file /fluent-bit/parsers/parsers.conf\n"
    uses = "\n[FILTER]\n    name parser\n    match *\n    key_name log\n    parser json\n"
    assert judged(engine, service + STDOUT).result is Result.ACCEPTED
    verdict = judged(engine, service + uses + STDOUT)
    assert verdict.result is Result.UNCHECKED
    assert "/fluent-bit/parsers/parsers.conf" in verdict.reason
    assert judged(engine, service + "\n" + S3.replace("    bucket b\n", "")).result is Result.REJECTED


def test_secrets_have_stand_ins_that_prove_nothing(engine: Engine) -> None:
    good = "[OUTPUT]\n    name datadog\n    match *\n    apikey ${DD_API_KEY}\n"
    assert judged(engine, good).result is Result.ACCEPTED
    azure = "[OUTPUT]\n    name azure\n    match *\n    customer_id x\n    shared_key ${KEY}\n"
    assert judged(engine, azure).result is Result.ACCEPTED
    verdict = judged(engine, S3 + "    total_file_size ${SIZE}\n")
    assert verdict.result is Result.UNCHECKED
    assert STAND_IN not in verdict.text


def test_roles_are_not_assumed_and_metadata_is_not_asked(engine: Engine) -> None:
    role = "    role_arn arn:aws:iam::123456789012:role/x\n"
    assert judged(engine, S3 + role).result is Result.ACCEPTED
    assert judged(engine, "[FILTER]\n    name aws\n    match *\n" + STDOUT).result is Result.ACCEPTED


def test_plugins_of_aws_s_image_do_not_stop_a_check(engine: Engine) -> None:
    text = "[OUTPUT]\n    name kinesis\n    match *\n    region us-east-1\n    stream s\n"
    assert judged(engine, text).result is Result.ACCEPTED


WORDS = st.text("abc((*/.${}[]\\ 019-", min_size=1, max_size=30).map(lambda text: text.strip() or "x")
OPTIONS = st.sampled_from(
    ["regex", "match", "path", "port", "code", "call", "script", "host", "db", "add", "rule", "tag"]
)
SECTIONS = st.tuples(
    st.sampled_from(["INPUT", "FILTER", "OUTPUT"]),
    st.sampled_from(
        ["tail", "tcp", "lua", "grep", "modify", "s3", "file", "stdout", "http", "exec", "dummy", "forward"]
    ),
    st.lists(st.tuples(OPTIONS, WORDS), max_size=4),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SECTIONS, min_size=1, max_size=4))
def test_random_configs_leave_neither_process_nor_folder(
    engine: Engine, own_temp: Path, sections: list[tuple[str, str, list[tuple[str, str]]]]
) -> None:
    before = engines_running(engine)
    text = "\n".join(
        f"[{kind}]\n    name {name}\n" + "".join(f"    {key} {value}\n" for key, value in entries)
        for kind, name, entries in sections
    )
    judged(engine, text)
    assert all(map(is_gone, engines_running(engine) - before))
    assert list(own_temp.iterdir()) == []


def engines_running(engine: Engine) -> set[int]:
    """Of this binary that lie in a run's folder of ours."""
    found = set()
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if (one / "exe").readlink() == engine.program and (one / "cwd").readlink().is_relative_to(
                tempfile.gettempdir()
            ):
                found.add(int(one.name))
        except OSError:
            continue
    return found


SPEC = """apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {{name: default}}
spec: {{image: "example/fluent-bit:1", engine: "{engine}"}}
---
apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {{name: httpd, namespace: web}}
spec:
  target: {{cluster: c, services: [example], containers: ["ap*"]}}
  pipeline:
    filters:
      - {{name: modify, add: a b}}
    outputs:
      - {{name: loki, host: loki.internal, tls: On, labels: 'a=$b[c'}}
"""


def test_the_command_points_at_the_line_of_the_spec(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = tmp_path / "specs.yaml"
    line = "5.1" if engine.version.startswith("5.1.") else engine.version
    specs.write_text(SPEC.format(engine=line))
    with pytest.raises(SystemExit) as ended:
        main(["check", str(specs), "--fluent-bit", f"{engine.version}={engine.program}"])
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert f"web/httpd: Fluent Bit {line}: rejected: " in said
    assert "[output:loki:web.httpd.loki]" in said
    assert f"({specs}:15:9)" in said
