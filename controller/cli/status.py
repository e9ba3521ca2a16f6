"""`logroute status`: how routes and services stand, straight from the config store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from controller.cli.console import GREEN, RED, YELLOW, paint
from controller.cli.failures import CommandError


def status(config: Path | None, output: str) -> int:
    """Raises CommandError, SettingsError, AwsError."""
    found = _read(config)
    if output == "json":
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return 0
    print("\n".join(_lines(found)))
    return 0


def _read(config: Path | None) -> dict[str, Any]:
    from controller.app import home_store
    from controller.aws.ports import NotFound
    from controller.reconciling.board import FORMAT, OBJECT
    from controller.reconciling.world import STATE
    from controller.settings import load

    objects, store = home_store(load(config))
    key = store.key(STATE, OBJECT)
    try:
        found: dict[str, Any] = orjson.loads(objects.get(key).body)
    except NotFound as error:
        raise CommandError(f"s3://{store.bucket}/{key} is not there: no controller has finished a pass yet") from error
    except orjson.JSONDecodeError as error:
        raise CommandError(f"s3://{store.bucket}/{key} is not readable: {error}") from error
    if found.get("format") != FORMAT:
        raise CommandError(f"s3://{store.bucket}/{key} is of format {found.get('format')}; update this logroute")
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"specs at {found['revision'] or '(none yet)'}"]
    if found["sourceError"]:
        lines.append(paint(f"source: {found['sourceError']}", RED))
    lines += [paint(f"{place}: {error}", RED) for place, error in found["errors"].items()]
    lines += [paint(lost, RED) for lost in found["lostConfigs"]]
    rows = [("ROUTE", "READY", "REASON", "MESSAGE")]
    for route, conditions in found["routes"].items():
        ready = next(one for one in conditions if one["condition"] == "Ready")
        rows.append((route, ready["status"], ready["reason"], ready["message"]))
    lines += ["", *_table(rows)]
    services = [("SERVICE", "READY", "REASON", "MESSAGE")]
    for service, state in found["services"].items():
        drift = [one["message"] for one in state.get("drift", ()) if one["message"] != state["message"]]
        services.append((service, str(state["ready"]), state["reason"], "; ".join([state["message"], *drift])))
        services += [("", "", hint["reason"], hint["message"]) for hint in state.get("hints", ())]
    lines += ["", *_table(services)]
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
