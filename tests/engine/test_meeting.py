"""Routes that meet on one task: every record at exactly the outputs that its routes name, unchanged by neighbours."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.ecs import free_port
from tests.engine.task import Records, feed, records_of, route, started, task, until

CONTAINERS = ("app", "web", "job-1", "app-firelens-x")
LINES = {name: [f"{name} {number} {'keep' if number % 2 else 'drop'}" for number in range(4)] for name in CONTAINERS}


def check(
    fluent_bit: str, folder: Path, documents: Iterable[Mapping[str, Any]], wanted: Mapping[str, list[str]]
) -> Records:
    """Every output named in `wanted` gets exactly these lines, in whatever order containers come."""
    made = task(folder, documents, CONTAINERS)
    with started(fluent_bit, folder, made) as engine:
        feed(engine, {name: LINES[name] for name in made.routed})
        until(lambda: all(len(records_of(folder, alias)) >= len(lines) for alias, lines in wanted.items()))
    found = {alias: records_of(folder, alias) for alias in wanted}
    assert {alias: sorted(one["log"] for one in records) for alias, records in found.items()} == {
        alias: sorted(lines) for alias, lines in wanted.items()
    }
    return found


def lines(*containers: str) -> list[str]:
    return [line for name in containers for line in LINES[name]]


def test_routes_with_and_without_filters_leave_each_others_records_alone(fluent_bit: str, tmp_path: Path) -> None:
    both = [{"name": "stdout", "alias": "o"}, {"name": "stdout", "alias": "w", "match": "we*"}]
    changing = [{"name": "grep", "exclude": "log drop"}, {"name": "modify", "add": "who a"}]
    documents = [
        route("a", containers=["app", "web"], filters=changing),
        route("b", containers=["app"], filters=[{"name": "modify", "add": "who b"}]),
        route("c", outputs=both),
    ]
    kept = [line for line in lines("app", "web") if "keep" in line]
    wanted = {"web.a.o": kept, "web.b.o": lines("app"), "web.c.o": lines(*CONTAINERS), "web.c.w": lines("web")}
    found = check(fluent_bit, tmp_path, documents, wanted)
    assert {one["who"] for one in found["web.a.o"]} == {"a"}
    assert {one["who"] for one in found["web.b.o"]} == {"b"}
    assert not any("who" in one for one in (*found["web.c.o"], *found["web.c.w"]))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_routes_are(seed: int, fluent_bit: str, tmp_path: Path) -> None:
    """Some of everything: shared and own containers, filters that mark and drop, outputs that narrow."""
    draw = random.Random(seed)  # noqa: S311 - a mix, not a secret
    documents: list[dict[str, Any]] = []
    wanted: dict[str, list[str]] = {}
    marks: dict[str, bool] = {}
    for number in range(draw.randint(2, 4)):
        name = f"r{number}"
        containers = draw.sample(CONTAINERS, draw.randint(1, len(CONTAINERS)))
        filters, drops = [], draw.random() < 0.5
        marks[name] = draw.random() < 0.6
        if marks[name]:
            filters.append({"name": "record_modifier", "record": f"mark {name}"})
        if drops:
            filters.append({"name": "grep", "exclude": "log drop"})
        narrow = draw.choice(containers)
        outputs = [
            {"name": "stdout", "alias": "all"},
            {"name": "stdout", "alias": "glob", "match": f"{narrow}-firelens-*"},
            {"name": "stdout", "alias": "regex", "match_regex": f"^{narrow}-firelens-[0-9a-f]+$"},
        ]
        documents.append(route(name, containers=containers, filters=filters, outputs=outputs))
        own = [line for line in lines(*containers) if not drops or "keep" in line]
        also = ["app-firelens-x"] if narrow == "app" else []
        globbed = [line for line in own if line.split()[0] in (narrow, *also)]
        exact = [line for line in own if line.split()[0] == narrow]
        wanted |= {f"web.{name}.all": own, f"web.{name}.glob": globbed, f"web.{name}.regex": exact}
    found = check(fluent_bit, tmp_path, documents, wanted)
    for alias, records in found.items():
        name = alias.split(".")[1]
        assert {one.get("mark") for one in records} <= {name if marks[name] else None}


def test_what_a_route_rewrites_stays_its_own(fluent_bit: str, tmp_path: Path) -> None:
    """Both routes make the tag `errors`; each finds only its own under it, and `*` is everything of the route."""
    rewriting = [
        {"name": "rewrite_tag", "rule": "$log keep errors false", "emitter_name": "{}"},
        {"name": "record_modifier", "record": "mark {}"},
    ]
    outputs = [{"name": "stdout", "alias": "all"}, {"name": "stdout", "alias": "errors", "match": "errors"}]
    documents, wanted = [], {}
    for name, containers in (("a", ["app", "web"]), ("b", ["app"])):
        filters = [{key: str(value).format(name) for key, value in one.items()} for one in rewriting]
        documents.append(route(name, containers=containers, filters=filters, outputs=outputs))
        wanted[f"web.{name}.all"] = lines(*containers)
        wanted[f"web.{name}.errors"] = [line for line in lines(*containers) if "keep" in line]
    found = check(fluent_bit, tmp_path, documents, wanted)
    for alias, records in found.items():
        assert {one["mark"] for one in records} == {alias.split(".")[1]}


def test_a_route_alone_sees_what_it_rewrites(fluent_bit: str, tmp_path: Path) -> None:
    filters = [{"name": "rewrite_tag", "rule": "$log keep kept.$TAG false"}]
    outputs = [{"name": "stdout", "alias": "all"}, {"name": "stdout", "alias": "kept", "match": "kept.*"}]
    kept = [line for line in lines(*CONTAINERS) if "keep" in line]
    check(
        fluent_bit,
        tmp_path,
        [route("a", filters=filters, outputs=outputs)],
        {"web.a.all": lines(*CONTAINERS), "web.a.kept": kept},
    )


def test_inputs_of_one_tag_stay_apart(fluent_bit: str, tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("a", "b")}
    documents = [
        route(
            name,
            inputs=[{"name": "tcp", "tag": "emf", "listen": "127.0.0.1", "port": str(port), "format": "none"}],
            outputs=[{"name": "stdout", "alias": "emf", "match": "emf"}],
        )
        for name, port in ports.items()
    ]
    with started(fluent_bit, tmp_path, task(tmp_path, documents)):
        for name, port in ports.items():
            with socket.create_connection(("127.0.0.1", port), 5) as wire:
                wire.sendall(f"for {name}\n".encode())
        until(lambda: all(records_of(tmp_path, f"web.{name}.emf") for name in ports))
    assert {name: [one["log"] for one in records_of(tmp_path, f"web.{name}.emf")] for name in ports} == {
        "a": ["for a"],
        "b": ["for b"],
    }
