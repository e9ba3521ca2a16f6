"""Rows as tables, JSON or YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import yaml

from controller.cli.console import GREEN, RED, YELLOW, paint

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]
LONGEST = 80
"""Characters of a message in a table; `wide` has all of it."""
MOVING = {"RollingOut", "WaitingForDeployment", "WaitingForTurn", "OutsideWindow"}


def _of(name: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(name, ""))


def _short(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        text = " ".join(str(row.get(name, "")).split())
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

    return cell


def _count(name: str) -> Callable[[Row], str]:
    return lambda row: str(len(row.get(name, ())))


def _or_dash(name: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(name) or "-")


def _joined(name: str) -> Callable[[Row], str]:
    return lambda row: ",".join(row.get(name, ())) or "-"


def _place(row: Row) -> str:
    return f"{row['file']}:{row['line']}:{row['column']}" if row["line"] else str(row["file"])


def _states(row: Row) -> str:
    return ", ".join(f"{count} {state}" for state, count in row["services"].items() if count)


def _name(row: Row) -> str:
    return f"{row['cluster']}/{row['name']}" if row["cluster"] else f"family:{row['name']}"


def _ready(row: Row) -> str:
    return "True" if row["ready"] else "False"


def age(row: Row, name: str = "at", now: datetime | None = None) -> str:
    """As kubectl has it: 42s, 5m, 3h, 12d."""
    seconds = max(0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(row[name])).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


MESSAGE, WHOLE = ("MESSAGE", _short("message")), ("MESSAGE", _of("message"))
TABLES: Mapping[str, tuple[tuple[Column, ...], tuple[Column, ...]]] = {
    "routes": (
        (("ROUTE", _of("key")), ("READY", _ready), ("REASON", _of("reason")), ("SERVICES", _count("services"))),
        (("SUSPENDED", _of("suspended")), WHOLE),
    ),
    "services": (
        (("SERVICE", _name), ("READY", _ready), ("REASON", _of("reason")), ("ROUTES", _joined("routes"))),
        (("ACCOUNT", _of("account")), ("REGION", _of("region")), WHOLE),
    ),
    "plans": (
        (
            ("DIGEST", lambda row: row["digest"][:12]),
            ("PLACE", lambda row: row["place"] or "all"),
            ("STATE", _of("state")),
            ("SERVICES", _of("total")),
            ("AGE", age),
            ("WHY", _short("why")),
        ),
        (("SPECS", _of("revision")),),
    ),
    "events": (
        (("AGE", age), ("LEVEL", _of("level")), ("KIND", _of("kind")), ("ABOUT", _or_dash("about")), MESSAGE),
        (("BY", _or_dash("by")), ("REVISION", lambda row: row["revision"].rpartition("/")[2] or "-"), WHOLE),
    ),
    "problems": (
        (("PLACE", _place), ("SEVERITY", _of("severity")), ("CODE", _of("code")), MESSAGE),
        (("HINT", _of("hint")),),
    ),
    "rollouts": (
        (
            ("CHANGE", _of("id")),
            ("PLACE", _of("place")),
            ("STATE", _of("state")),
            ("WAVE", lambda row: f"{row['batch']}/{row['batches']}"),
            ("SERVICES", _states),
        ),
        (("AGE", lambda row: age(row, "begun")), ("WHY", _of("why"))),
    ),
}
"""Kind → the columns of a table, and those that `wide` has beside; one of the same name takes the other's place."""


def render(kind: str, rows: Sequence[Row], output: str, *, single: bool = False, header: bool = True) -> str:
    """`single`: it was asked for by name, so JSON and YAML have it without a list around."""
    if output in ("json", "yaml"):
        plain: Any = rows[0] if single and len(rows) == 1 else {"items": list(rows)}
        if output == "yaml":
            return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")
        return orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode()
    columns, more = TABLES[kind]
    if output == "wide":
        names = {name for name, _ in more}
        columns = (*(one for one in columns if one[0] not in names), *more)
    return table(columns, rows, header=header)


def table(columns: Sequence[Column], rows: Iterable[Row], *, header: bool = True) -> str:
    cells = [[make(row) for _, make in columns] for row in rows]
    if not cells:
        return "nothing found" if header else ""
    titles = [[name for name, _ in columns]]
    widths = [max(map(len, column)) for column in zip(*titles, *cells, strict=True)]
    shown = [*(titles if header else []), *cells]
    return "\n".join(_line(row, widths, columns) for row in shown)


def _line(row: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    padded = []
    for text, width, (name, _) in zip(row, widths, columns, strict=True):
        cell = text.ljust(width)
        colour = _colour(name, text, row)
        padded.append(paint(cell, colour) if colour else cell)
    return "  ".join(padded).rstrip()


def _colour(name: str, text: str, row: Sequence[str]) -> str:
    if name == "READY":
        return {"True": GREEN, "False": YELLOW if MOVING & set(row) else RED}.get(text, "")
    if name in ("LEVEL", "SEVERITY"):
        return {"error": RED, "warning": YELLOW}.get(text, "")
    return ""
