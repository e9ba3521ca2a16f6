"""docs/outputs.md on a real engine: every example starts; those that can deliver on the loopback do."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from tests.engine.ecs import Engine, delivered_to_files, firelens_record, free_port, tag
from tests.engine.starting import STARTED, engine_of, has_plugin
from tests.engine.task import lines_of, until
from tests.support.examples import Example, example, examples, pipeline_of

SECRETS = {
    "DD_API_KEY": "k",
    "ES_API_KEY": "k",
    "FORWARD_KEY": "k",
    "LOGS_TOKEN": "k",
    "LOKI_PASSWORD": "k",
    "NEW_RELIC_LICENSE_KEY": "k",
    "OTEL_TOKEN": "k",
    "SPLUNK_TOKEN": "k",
}
INIT = {"ECS_CLUSTER": "example-poc-app", "ECS_TASK_ID": "0" * 32, "AWS_REGION": "ap-northeast-1"}
ENVIRONMENT = {**SECRETS, **INIT}


def fitting(title: str, program: str) -> Example:
    """The example, where this engine is one of its own and was built with the plugin."""
    found = example(title)
    engine = engine_of(program)
    if engine not in found.engines:
        pytest.skip(f"{title} is not for {engine}")
    plugins = re.findall(r"^      - name: (\S+)", found.route, re.MULTILINE)
    if missing := [name for name in plugins if not has_plugin(program, name)]:
        pytest.skip(f"this build has no {', '.join(missing)}")
    return found


def with_free_ports(pipeline: bytes) -> bytes:
    """Engines of several tests run at once. Roles are asked for at a port of this machine that nobody listens on."""
    text = re.sub(r"(?<=    port )25888", str(free_port()), pipeline.decode())
    text = re.sub(r"(?<=http_port )\d+", lambda _: str(free_port()), text)
    return re.sub(r"(    role_arn .*)", rf"\1\n    sts_endpoint http://127.0.0.1:{free_port()}", text).encode()


@pytest.mark.parametrize("title", [one.title for one in examples()])
def test_the_example_starts_and_stays_up(fluent_bit: str, tmp_path: Path, title: str) -> None:
    found = fitting(title, fluent_bit)
    pipeline = with_free_ports(pipeline_of(found.route, engine_of(fluent_bit), tmp_path))
    with Engine(fluent_bit, tmp_path, pipeline, environment=ENVIRONMENT) as engine:
        until(lambda: STARTED in engine.log())
        assert STARTED in engine.log()
        assert engine.process is not None
        assert engine.process.poll() is None
        assert "initializ" not in "".join(line for line in engine.log().splitlines() if "[error]" in line)


def test_emf_lines_go_to_their_group_as_they_are_and_the_apps_to_its_own(fluent_bit: str, tmp_path: Path) -> None:
    found = fitting("CloudWatch metrics by EMF over TCP", fluent_bit)
    pipeline = with_free_ports(pipeline_of(found.route, engine_of(fluent_bit), tmp_path))
    (port,) = re.findall(rb"    port (\d+)", pipeline)
    event = json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": []}, "latency": 3})
    with Engine(fluent_bit, tmp_path, delivered_to_files(pipeline, tmp_path), environment=ENVIRONMENT) as engine:
        until(lambda: STARTED in engine.log())
        with socket.create_connection(("127.0.0.1", int(port)), 10) as wire:
            wire.sendall(event.encode() + b"\n")
        engine.send(tag("app"), [firelens_record("app", "a line")])
        until(lambda: bool(lines_of(tmp_path, "web.emf.metrics") and lines_of(tmp_path, "web.emf.lines")))
    assert lines_of(tmp_path, "web.emf.metrics") == [event]
    assert lines_of(tmp_path, "web.emf.lines") == ["a line"]


def test_forwarded_lines_reach_an_aggregator_that_confirms_them(fluent_bit: str, tmp_path: Path) -> None:
    found = fitting("Forward to an aggregator", fluent_bit)
    pipeline = with_free_ports(pipeline_of(found.route, engine_of(fluent_bit), tmp_path)).decode()
    for name in ("router", "aggregator"):
        (tmp_path / name).mkdir()
    sink = f"[OUTPUT]\n    name file\n    match app-*\n    path {tmp_path}\n    file got\n"
    lines = [f"line {number}" for number in range(20)]
    with Engine(fluent_bit, tmp_path / "aggregator", sink.encode()) as aggregator:
        # Neither TLS nor a key: the aggregator has no certificate, and 1.9.10's input knows no key.
        kept = [line for line in pipeline.splitlines() if not re.match(r"    (tls|shared_key)", line)]
        toward = "\n".join(kept).replace("aggregator.example.internal", "127.0.0.1") + "\n"
        toward = toward.replace("    port 24224", f"    port {aggregator.port}")
        with Engine(fluent_bit, tmp_path / "router", toward.encode(), environment=ENVIRONMENT) as router:
            router.send(tag("app"), (firelens_record("app", line) for line in lines))
            until(lambda: len(lines_of(tmp_path, "got")) >= len(lines))
    assert lines_of(tmp_path, "got") == lines
