"""What lints say of Fluent Bit, seen on the real one: each trap, and the same mended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.route import lint_route
from tests.engine.ecs import Engine, firelens_record, tag

SENT = 3
MANY = 10 * SENT
PATIENCE, MEANWHILE = 20.0, 3.0
"""Seconds: until what should come has come, and in which what goes round shows that it does."""
PARSERS = b"""\
[PARSER]
    Name json
    Format json

[MULTILINE_PARSER]
    name starts
    type regex
    flush_timeout 300
    rule "start_state" "/^start/" "cont"
    rule "cont" "/^ /" "cont"
"""
Options = Mapping[str, Any]


def rewrite(match: str, new: str, emitter: str) -> dict[str, str]:
    return {"name": "rewrite_tag", "match": match, "rule": f"$log start {new} false", "emitter_name": emitter}


def multiline(number: int, **more: str) -> dict[str, str]:
    how = {} if more else {"multiline.parser": "starts"}
    shared = {"name": "multiline", "match": "*", "multiline.key_content": "log", "emitter_name": f"m{number}"}
    return {**shared, **how, **more}


def lints(filters: Sequence[Options], outputs: Sequence[Options] = ()) -> list[str]:
    sinks = tuple(Sink(at, one) for at, one in enumerate(outputs or [{"name": "stdout"}]))
    return [one.code for one in lint_route(Given(tuple(filters), sinks, containers=("app",), engine="5.0.9"))]


def config(folder: Path, filters: Sequence[Options], outputs: Sequence[Options] = ()) -> bytes:
    """All records go to the file `all`, whatever else there is."""
    everything = {"name": "file", "match": "*", "path": str(folder), "file": "all"}
    sections = [("SERVICE", {"flush": "0.2", "grace": "1"})]
    sections += [("FILTER", dict(one)) for one in filters]
    sections += [("OUTPUT", dict(one)) for one in (everything, *outputs)]
    return "\n\n".join(
        f"[{name}]\n" + "\n".join(f"    {k} {v}" for k, v in one.items()) for name, one in sections
    ).encode()


def records(folder: Path, name: str = "all") -> list[dict[str, Any]]:
    path = folder / name
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line[line.index("{") : line.rindex("}") + 1]) for line in lines if line.endswith("]")]


def until(true: Callable[[], bool], patience: float) -> None:
    """A real engine has a clock of its own."""
    end = time.monotonic() + patience
    while not true() and time.monotonic() < end:
        time.sleep(0.05)


def run(
    program: str, folder: Path, filters: Sequence[Options], outputs: Sequence[Options] = (), *, wait: float = PATIENCE
) -> list[dict[str, Any]]:
    """What has come to the file `all` when three records are there, or far more than were sent after `wait`."""
    enough = SENT if wait == PATIENCE else MANY
    with Engine(program, folder, config(folder, filters, outputs) + b"\n", PARSERS) as engine:
        engine.send(tag("app"), [firelens_record("app", f"start {number}") for number in range(SENT)])
        until(lambda: len(records(folder)) >= enough, wait)
        return records(folder)


CIRCLES = [
    [rewrite("app*", "app-firelens-x", "one")],
    [rewrite("*app*", "errors.app", "one")],
    [rewrite("app*", "back", "one"), rewrite("back", "app-firelens-x", "two")],
    [rewrite("app*", "second", "one"), rewrite("second", "third", "two"), rewrite("third", "app-firelens-x", "three")],
]


@pytest.mark.parametrize("filters", CIRCLES, ids=["itself", "all", "two", "three"])
def test_rewrite_loop(fluent_bit: str, tmp_path: Path, filters: list[dict[str, str]]) -> None:
    """5.1 refuses what a filter sends to itself: then each record comes once."""
    assert "REWRITE_LOOP" in lints(filters)
    came = len(run(fluent_bit, tmp_path, filters, wait=MEANWHILE))
    refused = len(filters) == 1 and "emitter cycle detected" in (tmp_path / "log").read_text()
    assert came == SENT if refused else came == 0 or came > SENT


def test_a_chain_of_rewrites_is_no_loop(fluent_bit: str, tmp_path: Path) -> None:
    filters = [rewrite("app*", "second", "one"), rewrite("second", "third", "two"), rewrite("third", "fourth", "three")]
    assert lints(filters) == []
    assert [one["log"] for one in run(fluent_bit, tmp_path, filters)] == ["start 0", "start 1", "start 2"]


def test_multiline_twice(fluent_bit: str, tmp_path: Path) -> None:
    filters = [multiline(1), multiline(2)]
    assert lints(filters) == ["MULTILINE_TWICE"]
    came = len(run(fluent_bit, tmp_path, filters, wait=MEANWHILE))
    assert came < SENT or came > MANY


def piece(number: int, part: int, *, last: bool) -> dict[str, str]:
    marks = {"partial_message": "true", "partial_id": f"id{number}", "partial_ordinal": str(part)}
    text = f"start {number}" if part == 1 else " and its end"
    return {**firelens_record("app", text), **marks, "partial_last": "true" if last else "false"}


@pytest.mark.parametrize(
    ("filters", "found", "joined"),
    [
        ([multiline(1, mode="partial_message"), multiline(2)], [], True),
        ([multiline(2), multiline(1, mode="partial_message")], ["MULTILINE_PARTIAL_WITH_PARSER"], False),
    ],
    ids=["partial first", "parser first"],
)
def test_multiline_partial_with_parser(
    fluent_bit: str, tmp_path: Path, filters: list[Options], found: list[str], *, joined: bool
) -> None:
    """Two streams at once, each line in two pieces that come in turns, as two busy containers' do."""
    assert lints(filters) == found
    pieces = [piece(0, 1, last=False), piece(1, 1, last=False), piece(0, 2, last=True), piece(1, 2, last=True)]
    with Engine(fluent_bit, tmp_path, config(tmp_path, filters) + b"\n", PARSERS) as engine:
        engine.send(tag("app"), pieces)
        until(lambda: len(records(tmp_path)) >= 2, PATIENCE)
    whole = ["start 0 and its end", "start 1 and its end"]
    assert (sorted(one["log"] for one in records(tmp_path)) == whole) == joined


def test_forward_to_self(fluent_bit: str, tmp_path: Path) -> None:
    loop = {"name": "forward", "match": "*", "unix_path": str(tmp_path / "fluent.sock")}
    assert "FORWARD_TO_SELF" in lints([], [loop])
    assert len(run(fluent_bit, tmp_path, [], [loop], wait=PATIENCE - 0.001)) >= MANY


def test_output_unreachable(fluent_bit: str, tmp_path: Path) -> None:
    nobody = {"name": "file", "match": "app.*", "path": str(tmp_path), "file": "nobody"}
    right = nobody | {"match": "app-firelens-*", "file": "right"}
    assert lints([], [{"name": "stdout"}, nobody]) == ["OUTPUT_UNREACHABLE"]
    assert lints([], [{"name": "stdout"}, right]) == []
    run(fluent_bit, tmp_path, [], [nobody, right])
    assert (len(records(tmp_path, "right")), records(tmp_path, "nobody")) == (SENT, [])


@pytest.mark.parametrize("reserve", [False, True])
def test_parser_drops_keys(fluent_bit: str, tmp_path: Path, *, reserve: bool) -> None:
    keeping = {"reserve_data": "on"} if reserve else {}
    filters = [{"name": "parser", "match": "*", "key_name": "log", "parser": "json", **keeping}]
    assert lints(filters) == ([] if reserve else ["PARSER_DROPS_KEYS"])
    with Engine(fluent_bit, tmp_path, config(tmp_path, filters) + b"\n", PARSERS) as engine:
        engine.send(tag("app"), [firelens_record("app", '{"level": "info"}')])
        until(lambda: bool(records(tmp_path)), PATIENCE)
    (record,) = records(tmp_path)
    assert record["level"] == "info"
    assert ({"container_name", "ecs_cluster"} <= record.keys()) == reserve


def test_log_key_gone(fluent_bit: str, tmp_path: Path) -> None:
    """Seen by the key's absence; what an output does without it is the plugin's own (cloudwatch_api.c, s3.c)."""
    filters = [{"name": "modify", "match": "*", "rename": "log message"}]
    assert lints(filters, [{"name": "s3", "log_key": "log"}]) == ["LOG_KEY_GONE"]
    assert all("log" not in one for one in run(fluent_bit, tmp_path, filters))
