"""Parsers, joined lines and the ECS fields, on a real engine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.ecs import firelens_record, tag
from tests.engine.task import feed, records_of, route, started, task, until

JSON = {"name": "parser", "key_name": "log", "parser": "json", "reserve_data": "On"}
JOIN = {"name": "multiline", "multiline.key_content": "log", "multiline.parser": "stack", "flush_ms": "500"}
STACK = {
    "name": "stack",
    "type": "regex",
    "flush_timeout": "500",
    "rules": [
        {"state": "start_state", "regex": r"/^\S/", "next_state": "cont"},
        {"state": "cont", "regex": r"/^\s/", "next_state": "cont"},
    ],
}
ECS = {"ecs_cluster", "ecs_task_arn", "ecs_task_definition"}


def test_a_parser_of_the_image_needs_no_definition(fluent_bit: str, tmp_path: Path) -> None:
    with started(fluent_bit, tmp_path, task(tmp_path, [route("a", filters=[JSON])])) as engine:
        feed(engine, {"app": ['{"level":"info","n":1}']})
        until(lambda: bool(records_of(tmp_path, "web.a.o")))
    (found,) = records_of(tmp_path, "web.a.o")
    assert (found["level"], found["n"]) == ("info", 1)


def test_two_routes_may_mean_different_parsers_by_one_name(fluent_bit: str, tmp_path: Path) -> None:
    def one(name: str, key: str) -> dict[str, Any]:
        parser = {"name": "line", "format": "regex", "regex": f"^(?<{key}>.*)$"}
        return route(name, parsers=[parser], filters=[{**JSON, "parser": "line"}])

    with started(fluent_bit, tmp_path, task(tmp_path, [one("a", "first"), one("b", "second")])) as engine:
        feed(engine, {"app": ["hello"]})
        until(lambda: all(records_of(tmp_path, alias) for alias in ("web.a.o", "web.b.o")))
    assert records_of(tmp_path, "web.a.o")[0]["first"] == "hello"
    assert records_of(tmp_path, "web.b.o")[0]["second"] == "hello"


def test_joined_lines_have_the_ecs_fields_once(fluent_bit: str, tmp_path: Path) -> None:
    made = task(
        tmp_path,
        [
            route("a", filters=[JOIN, {"name": "grep", "regex": "ecs_cluster mycluster"}], multiline_parsers=[STACK]),
            route("b", containers=["app"]),
            route("c", containers=["app", "web"]),
        ],
        ("app", "web"),
    )
    assert not made.agent_adds_metadata
    with started(fluent_bit, tmp_path, made) as engine:
        feed(engine, {"app": ["error", "  at one", "  at two"], "web": ["plain"]})
        until(lambda: len(records_of(tmp_path, "web.a.o")) >= 2 and len(records_of(tmp_path, "web.c.o")) >= 4)
    joined = sorted(record["log"].rstrip("\n") for record in records_of(tmp_path, "web.a.o"))
    assert joined == ["error\n  at one\n  at two", "plain"]
    assert [one["log"] for one in records_of(tmp_path, "web.b.o")] == ["error", "  at one", "  at two"]
    for alias in ("web.a.o", "web.b.o", "web.c.o"):
        assert all(record.keys() >= ECS for record in records_of(tmp_path, alias)), alias


def test_the_ecs_fields_are_there_whatever_is_joined_and_rewritten(fluent_bit: str, tmp_path: Path) -> None:
    filters = [JOIN, {"name": "rewrite_tag", "rule": "$log error errors false"}]
    made = task(tmp_path, [route("a", filters=filters, multiline_parsers=[STACK])])
    with started(fluent_bit, tmp_path, made) as engine:
        feed(engine, {"app": ["error", "  at one", "fine"]})
        until(lambda: len(records_of(tmp_path, "web.a.o")) >= 2)
    assert sorted(one["log"].rstrip("\n") for one in records_of(tmp_path, "web.a.o")) == ["error\n  at one", "fine"]
    assert all(record.keys() >= ECS for record in records_of(tmp_path, "web.a.o"))


def test_lines_that_docker_split_at_16_kb_come_whole(fluent_bit: str, tmp_path: Path) -> None:
    filters = [{"name": "multiline", "mode": "partial_message", "multiline.key_content": "log", "flush_ms": "500"}]
    with started(fluent_bit, tmp_path, task(tmp_path, [route("a", filters=filters)])) as engine:
        piece = {"partial_message": "true", "partial_id": "one", "partial_last": "false"}
        parts = [("a" * 16_384, "1", "false"), ("b" * 16_384, "2", "false"), ("c", "3", "true")]
        engine.send(
            tag("app"),
            [
                firelens_record("app", text) | piece | {"partial_ordinal": ordinal, "partial_last": last}
                for text, ordinal, last in parts
            ],
        )
        until(lambda: bool(records_of(tmp_path, "web.a.o")))
    (found,) = records_of(tmp_path, "web.a.o")
    assert found["log"] == "a" * 16_384 + "b" * 16_384 + "c"


def test_what_waits_for_an_output_lies_on_disk(fluent_bit: str, tmp_path: Path) -> None:
    if "v1.9" in subprocess.run([fluent_bit, "--version"], capture_output=True, check=True).stdout.decode():
        pytest.skip("Fluent Bit 1.9.10 has no storage.inherit: LogRoute refuses filesystem buffering there")
    made = task(tmp_path, [{**route("a")}, _filesystem(tmp_path / "buffer")])
    with started(fluent_bit, tmp_path, made) as engine:
        feed(engine, {"app": ["one line"]})
        until(lambda: any((tmp_path / "buffer").rglob("*.flb")))
        found = [path.parent.name for path in (tmp_path / "buffer").rglob("*.flb")]
    assert found
    assert found[0].startswith("forward")


def _filesystem(path: Path) -> dict[str, Any]:
    return {
        "apiVersion": "logroute.dev/v1alpha1",
        "kind": "LogRouterClass",
        "metadata": {"name": "default"},
        "spec": {"buffer": {"type": "filesystem", "path": str(path)}, "service": {"flush": "5"}},
    }
