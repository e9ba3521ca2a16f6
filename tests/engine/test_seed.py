"""The seed: injected, its config starts on a real engine, and every line of the app is at both outputs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from controller.cli.main import main
from tests.engine.ecs import Engine, delivered_to_files, firelens_record, free_port, tag
from tests.support.playground import SEED

SPEC = Path(__file__).parent.parent.parent / "specs" / "httpd.yaml"
PATIENCE = 20.0


def injected(folder: Path, spec: Path = SPEC, definition: Path | None = None) -> dict[str, bytes]:
    """Config objects by base name, as `logroute inject` writes them."""
    source = definition or SEED / "task-definition.plain.json"
    arguments = ["inject", "--task-definition", str(source), "--specs", str(spec), "--cluster", "example-poc-app"]
    arguments += ["--config-store", "s3://configs/logroute", "--region", "ap-northeast-1"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config-dir", str(folder / "out"), "-o", str(folder / "td.json")])
    assert ended.value.code == 0
    return {path.name: path.read_bytes() for path in (folder / "out").rglob("*.conf")}


def lines_of(folder: Path, alias: str) -> list[str]:
    path = folder / alias
    if not path.exists():
        return []
    return [str(json.loads(line.split(", ", 1)[1].rstrip("]\n"))["log"]) for line in path.read_text().splitlines()]


def until(true: Callable[[], bool]) -> None:
    """A real engine has a clock of its own."""
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.1)


def test_every_line_of_the_app_is_at_both_outputs_and_no_other(fluent_bit: str, tmp_path: Path) -> None:
    pipeline = delivered_to_files(injected(tmp_path)["pipeline.conf"], tmp_path)
    lines = [f"line {number}" for number in range(50)]
    with Engine(fluent_bit, tmp_path, pipeline) as engine:
        engine.send(tag("app"), (firelens_record("app", line) for line in lines))
        engine.send("firelens-healthcheck", [{"log": "not for anybody"}])
        engine.send("somebody-else", [{"log": "not ours"}])
        until(lambda: all(len(lines_of(tmp_path, alias)) >= len(lines) for alias in ("web.httpd.cw", "web.httpd.s3")))
    assert lines_of(tmp_path, "web.httpd.cw") == lines
    assert lines_of(tmp_path, "web.httpd.s3") == lines


def test_the_config_starts_as_it_is(fluent_bit: str, tmp_path: Path) -> None:
    pipeline = injected(tmp_path)["pipeline.conf"].replace(b"http_port 2020", f"http_port {free_port()}".encode())
    with Engine(fluent_bit, tmp_path, pipeline) as engine:
        engine.send(tag("app"), [firelens_record("app", "one line")])
    assert "[error] [config]" not in engine.log()


ROUTES = """
apiVersion: logroute.dev/v1alpha1
kind: LogRoute
metadata: {{name: {name}, namespace: web}}
spec:
  target: {{cluster: example-poc-app, services: ["*"], containers: {containers}}}
  pipeline:
    filters: {filters}
    outputs: {outputs}
---
"""


def routes(*some: Mapping[str, str]) -> str:
    defaults = {"containers": "[]", "filters": "[]", "outputs": "[{name: stdout, alias: o}]"}
    return "".join(ROUTES.format(**{**defaults, **one}) for one in some)


def three_containers(folder: Path) -> Path:
    body = json.loads((SEED / "task-definition.plain.json").read_text())
    app = body["containerDefinitions"][0] | {"portMappings": []}
    body["containerDefinitions"] = [app | {"name": name} for name in ("app", "web", "job")]
    path = folder / "definition.json"
    path.write_text(json.dumps(body))
    return path


def test_routes_that_meet_leave_each_others_records_alone(fluent_bit: str, tmp_path: Path) -> None:
    spec = tmp_path / "routes.yaml"
    spec.write_text(
        routes(
            {
                "name": "a",
                "containers": "[app, web]",
                "filters": "[{name: grep, regex: log app}, {name: modify, add: who a}]",
            },
            {"name": "b", "containers": "[app]", "filters": "[{name: modify, add: who b}]"},
            {"name": "c", "outputs": "[{name: stdout, alias: o}, {name: stdout, alias: w, match: 'we*'}]"},
        )
    )
    configs = injected(tmp_path, spec, three_containers(tmp_path))
    wanted = {"web.a.o": ["app 0", "app 1"], "web.b.o": ["app 0", "app 1"], "web.c.w": ["web 0", "web 1"]}
    everything = sorted(f"{name} {number}" for name in ("app", "web", "job") for number in range(2))
    with Engine(fluent_bit, tmp_path, delivered_to_files(configs["pipeline.conf"], tmp_path)) as engine:
        for name in ("app", "web", "job"):
            engine.send(tag(name), (firelens_record(name, f"{name} {number}") for number in range(2)))
        until(lambda: all(len(lines_of(tmp_path, alias)) >= len(lines) for alias, lines in wanted.items()))
        until(lambda: len(lines_of(tmp_path, "web.c.o")) >= len(everything))
    assert {alias: lines_of(tmp_path, alias) for alias in wanted} == wanted
    assert sorted(lines_of(tmp_path, "web.c.o")) == everything
    assert '"who"' not in (tmp_path / "web.c.o").read_text()
    assert '"who":"b"' not in (tmp_path / "web.a.o").read_text()
