"""The seed: injected, its config starts on a real engine, and every line of the app is at both outputs."""

from __future__ import annotations

from pathlib import Path

from tests.engine.ecs import Engine, delivered_to_files, firelens_record, free_port, tag
from tests.engine.task import SEED_SPEC, injected, lines_of, until


def test_every_line_of_the_app_is_at_both_outputs_and_no_other(fluent_bit: str, tmp_path: Path) -> None:
    pipeline = delivered_to_files(injected(tmp_path, SEED_SPEC).configs["pipeline.conf"], tmp_path)
    lines = [f"line {number}" for number in range(50)]
    with Engine(fluent_bit, tmp_path, pipeline) as engine:
        engine.send(tag("app"), (firelens_record("app", line) for line in lines))
        engine.send("firelens-healthcheck", [{"log": "not for anybody"}])
        engine.send("somebody-else", [{"log": "not ours"}])
        until(lambda: all(len(lines_of(tmp_path, alias)) >= len(lines) for alias in ("web.httpd.cw", "web.httpd.s3")))
    assert lines_of(tmp_path, "web.httpd.cw") == lines
    assert lines_of(tmp_path, "web.httpd.s3") == lines


def test_the_config_starts_as_it_is(fluent_bit: str, tmp_path: Path) -> None:
    pipeline = (
        injected(tmp_path, SEED_SPEC)
        .configs["pipeline.conf"]
        .replace(b"http_port 2020", f"http_port {free_port()}".encode())
    )
    with Engine(fluent_bit, tmp_path, pipeline) as engine:
        engine.send(tag("app"), [firelens_record("app", "one line")])
    assert "[error] [config]" not in engine.log()
