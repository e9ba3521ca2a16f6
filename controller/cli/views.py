"""`logroute get`, `describe`, `events` and `history`: what there is, how it stands, and what happened to it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.cli.console import CYAN, GREEN, RED, paint, show
from controller.cli.failures import CommandError
from controller.cli.names import meant
from controller.cli.readers import Reader, Row, ServerReader, StoreReader
from controller.cli.tables import render
from controller.settings import load
from controller.state.history import APPLIES as APPLYING

BETWEEN_LOOKS = 2.0
APPLIES = {kind.value for kind in APPLYING}
pause = time.sleep


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` as it was typed; `server` None: the config store."""

    config: Path | None
    server: str | None
    output: str
    name: str | None = None
    namespace: str | None = None
    watch: bool = False


def get(kind: str, asked: Asked) -> int:
    """Raises CommandError, SettingsError, AwsError."""
    return _shown(asked, kind, lambda reader: _named(kind, reader.rows(kind), asked))


def events(asked: Asked) -> int:
    """Of one service, from its own history, or of all. The same errors."""
    return _shown(asked, "events", lambda reader: _oldest_first(_events(reader, asked.name)))


def history(asked: Asked) -> int:
    """What was rolled out to a service, when, why, by whom, and what came of it. The same errors."""
    reader = _reader(asked)
    name = _service(reader, asked.name or "")
    rows = [row for row in reader.history(name) if row["kind"] in APPLIES]
    if asked.output in ("json", "yaml"):
        show(render("events", rows, asked.output))
        return 0
    lines = [line for row in rows for line in _told(row, diff=asked.output == "wide")]
    show("\n".join(lines) or f"nothing is known of {name}")
    return 0


def describe(kind: str, asked: Asked) -> int:
    """The same errors."""
    reader = _reader(asked)
    (row,) = _named(kind, reader.rows(kind), asked)
    lines = _route(row) if kind == "routes" else _service_lines(row)
    told = reader.history(row["key"]) if kind == "services" else _about_route(reader, row["key"])
    show("\n".join([*lines, "", "Events:", *_block(render("events", told[:20][::-1], "table"))]))
    return 0


def _shown(asked: Asked, kind: str, read: Callable[[Reader], list[Row]]) -> int:
    rows = read(_reader(asked))
    show(render(kind, rows, asked.output, single=asked.name is not None and kind != "events"))
    while asked.watch:
        sys.stdout.flush()
        pause(BETWEEN_LOOKS)
        before, rows = rows, read(_reader(asked))
        if changed := [row for row in rows if row not in before]:
            show(render(kind, changed, asked.output, header=False))
    return 0


def _reader(asked: Asked) -> Reader:
    return ServerReader(asked.server) if asked.server else StoreReader(load(asked.config))


def _named(kind: str, rows: list[Row], asked: Asked) -> list[Row]:
    if asked.namespace:
        rows = [row for row in rows if row.get("namespace") == asked.namespace or _is_of(row, asked.namespace)]
    if asked.name is None:
        return rows
    if kind not in ("routes", "services"):
        found = [row for row in rows if str(row.get("id", row.get("digest", ""))).startswith(asked.name)]
        if not found:
            raise CommandError(f"there is no {kind[:-1]} {asked.name}")
        return found
    key = meant(kind[:-1], asked.name, [row["key"] for row in rows])
    return [row for row in rows if row["key"] == key]


def _is_of(row: Row, namespace: str) -> bool:
    """A service is of the namespaces of its routes."""
    return any(route.startswith(f"{namespace}/") for route in row.get("routes", ()))


def _events(reader: Reader, name: str | None) -> list[Row]:
    if name is None:
        return reader.rows("events")
    if name.count("/") == 1 and name in (row["key"] for row in reader.rows("routes")):
        return _about_route(reader, name)
    return reader.history(_service(reader, name))


def _about_route(reader: Reader, name: str) -> list[Row]:
    return [row for row in reader.rows("events") if name in (row["about"], *row["routes"])]


def _service(reader: Reader, name: str) -> str:
    """A service that is gone still has its history, by its whole key."""
    if name.count("/") == 3 or (name.count("/") == 2 and "/family:" in name):  # noqa: PLR2004 - a whole key
        return name
    return meant("service", name, [row["key"] for row in reader.rows("services")])


def _oldest_first(rows: list[Row]) -> list[Row]:
    return rows[::-1]


def _told(row: Row, *, diff: bool) -> list[str]:
    revision = row["revision"].rpartition("/")[2]
    base = row["base"].rpartition("/")[2]
    head = f"{row['at']}  {row['kind']}" + (f"  {base} → {revision}" if revision else "")
    lines = [paint(head, RED if row["level"] == "error" else CYAN), f"  {row['message']}"]
    if row["by"]:
        lines.append(f"  by {row['by']}")
    if row["source"]:
        lines.append(f"  specs at {row['source']}")
    if diff and row["diff"]:
        lines += [f"    {_coloured(line)}" for line in row["diff"].splitlines()]
    return lines


def _coloured(line: str) -> str:
    colour = {"+": GREEN, "-": RED, "@": CYAN}.get(line[:1])
    return paint(line, colour) if colour else line


def _fields(pairs: Sequence[tuple[str, Any]]) -> list[str]:
    width = max(len(name) for name, _ in pairs) + 1
    return [f"{f'{name}:':<{width}}  {value}".rstrip() for name, value in pairs]


def _block(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _route(row: Row) -> list[str]:
    head = [
        ("Name", row["name"]),
        ("Namespace", row["namespace"]),
        ("Ready", f"{row['ready']} ({row['reason']})"),
        ("Suspended", row["suspended"]),
    ]
    conditions = [f"  {one['condition']}: {one['status']}, {_because(one)}" for one in row["conditions"]]
    services = [f"  {key}" for key in row["services"]] or ["  none"]
    return [*_fields(head), "Conditions:", *conditions, "Services:", *services]


def _because(one: Row) -> str:
    return f"{one['reason']}: {one['message']}" if one["message"] else str(one["reason"])


def _service_lines(row: Row) -> list[str]:
    head = [
        ("Name", row["name"]),
        ("Cluster", row["cluster"] or "(a family of jobs)"),
        ("Account", row["account"]),
        ("Region", row["region"]),
        ("Ready", f"{row['ready']} ({row['reason']})"),
        ("Message", row["message"] or "-"),
        ("Suspended", row["suspended"]),
        ("Routes", ", ".join(row["routes"]) or "-"),
    ]
    more = []
    for name in ("drift", "hints"):
        if row[name]:
            more += [f"{name.title()}:", *(f"  {one['reason']}: {one['message']}" for one in row[name])]
    return [*_fields(head), *more]
