"""`logroute doctor`: what is well and what is not, a line each, with what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import orjson

from controller.api.errors import Explained
from controller.cli.console import BOLD, DIM, GREEN, RED, YELLOW, paint, show
from controller.doctor.model import HERE, Finding, Sheet, Verdict, failed

_COLOURS = {Verdict.PASS: GREEN, Verdict.WARN: YELLOW, Verdict.FAIL: RED}


@dataclass(frozen=True, slots=True)
class Asked:
    config: Path | None
    source: str | None
    output: str
    read_only: bool = False


def doctor(asked: Asked) -> int:
    """Exit status 1 where something fails."""
    found = list(findings(asked))
    show(as_json(found) if asked.output == "json" else as_text(found))
    return 1 if failed(found) else 0


def findings(asked: Asked) -> Iterator[Finding]:
    from controller.app import reach
    from controller.aws.probe import options
    from controller.doctor.examination import examine
    from controller.settings import load
    from controller.telemetry.redaction import register

    sheet = Sheet(HERE)
    try:
        settings = load(asked.config, source=asked.source)
        places = reach(settings, options(settings.limits.share, register))
    except Explained as error:
        yield sheet.fail("settings", str(error), "Correct the file or the variable; docs/settings.md lists them all")
        return
    named = str(asked.config) if asked.config else "from the environment alone"
    yield sheet.ok("settings", f"{named}; {', '.join(map(str, places.accounts))}")
    yield from examine(settings, places, time.time, read_only=asked.read_only or settings.read_only)


def as_json(found: list[Finding]) -> str:
    rows = [
        {
            "check": one.check,
            "place": one.place,
            "verdict": one.verdict.value,
            "message": one.message,
            "hint": one.hint,
        }
        for one in found
    ]
    return orjson.dumps({"findings": rows}, option=orjson.OPT_INDENT_2).decode()


def as_text(found: list[Finding]) -> str:
    lines: list[str] = []
    for place, rows in groupby(found, key=lambda one: one.place):
        lines += [paint(place, BOLD), *(line for one in rows for line in _lines(one)), ""]
    counts = [f"{sum(one.verdict is verdict for one in found)} {verdict.value}" for verdict in Verdict]
    return "\n".join([*lines, ", ".join(counts)])


def _lines(one: Finding) -> Iterator[str]:
    verdict = paint(f"{one.verdict.value:4}", _COLOURS[one.verdict])
    yield f"  {verdict}  {one.check}: {one.message}".replace("\n", "\n        ")
    if one.hint:
        yield paint(f"        -> {one.hint}", DIM)
