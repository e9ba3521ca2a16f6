"""`logroute status`: how routes and services stand, straight from the config store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from controller.cli import statusfile
from controller.cli.console import GREEN, RED, YELLOW, paint, show
from controller.settings import load


def status(config: Path | None, output: str) -> int:
    """Raises CommandError, SettingsError, AwsError."""
    found = statusfile.read(load(config))
    if output == "json":
        show(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return 0
    show("\n".join(_lines(found)))
    return 0


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"specs at {found['revision'] or '(none yet)'}"]
    if found["sourceError"]:
        lines.append(paint(f"source: {found['sourceError']}", RED))
    lines += [paint(f"{place}: {error}", RED) for place, error in found["errors"].items()]
    lines += [paint(lost, RED) for lost in found["lostConfigs"]]
    rows = [("ROUTE", "READY", "REASON", "MESSAGE")]
    for route, conditions in found["routes"].items():
        ready = (one for one in conditions if one["condition"] == "Ready")
        rows += [(route, one["status"], one["reason"], one["message"]) for one in ready]
    lines += ["", *_table(rows)]
    services = [("SERVICE", "READY", "REASON", "MESSAGE")]
    for service, state in found["services"].items():
        drift = [one["message"] for one in state.get("drift", ()) if one["message"] != state["message"]]
        services.append((service, str(state["ready"]), state["reason"], "; ".join([state["message"], *drift])))
        services += [("", "", hint["reason"], hint["message"]) for hint in state.get("hints", ())]
    lines += ["", *_table(services)]
    lines += [f"change {one['id']} ({one['state']}): {one['why']}" for one in found["rollouts"] if one["why"]]
    if found["suspended"]:
        lines += ["", "SUSPENDED"]
    lines += [one["message"] for one in found["suspended"].values()]
    for problem in found["problems"]:
        place = f"{problem['file']}:{problem['line']}:{problem['column']}"
        lines.append(f"{place}: {problem['code']}: {problem['message']}")
    return lines


def _table(rows: list[tuple[str, str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [_row(row, widths) for row in rows]


def _row(row: tuple[str, str, str, str], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    colour = {"True": GREEN, "False": RED if row[2] != "RollingOut" else YELLOW}.get(row[1])
    if colour:
        cells[1] = paint(cells[1], colour)
    return "  ".join([*cells, row[3]]).rstrip()
