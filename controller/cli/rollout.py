"""`logroute rollout`: the changes that go over services in waves, watched and steered."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from controller import app as composition
from controller.cli import statusfile
from controller.cli.asking import reason_of
from controller.cli.console import GREEN, RED, YELLOW, is_terminal, paint, show
from controller.cli.failures import CommandError
from controller.cli.person import who
from controller.reconciling.notes import Kind, Note, Notes
from controller.settings import Settings, load

BAR = 24
BETWEEN_LOOKS = 5.0
pause = time.sleep
COLOURS = {"running": GREEN, "paused": RED, "aborted": YELLOW}
STEERING = (
    (Kind.ROLLOUT_ABORTED, "abort", "aborted"),
    (Kind.ROLLOUT_RESUMED, "resume", "running"),
    (Kind.ROLLOUT_PAUSED, "pause", "paused"),
)
"""A note, what it asks for, and the state in which that is done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`change`: an id or the beginning of one; None: the only one there is."""

    change: str | None
    config: Path | None
    why: str = ""


def status(config: Path | None, output: str, *, watch: bool) -> int:
    """Raises CommandError, SettingsError, AwsError."""
    settings = load(config)
    while True:
        found = _with_requests(statusfile.read(settings)["rollouts"], settings)
        if output == "json":
            show(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        else:
            show("\n".join(_lines(found)))
        if not watch or not found:
            return 0
        sys.stdout.flush()
        pause(BETWEEN_LOOKS)


def _with_requests(found: Sequence[Mapping[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """`asked`: what a person wants of the change that the controller has not done yet; "" where there is nothing."""
    if not found:
        return []
    notes: Notes = composition.home_notes(settings, time.time)
    return [{**one, "asked": _asked(one, notes)} for one in found]


def _asked(change: Mapping[str, Any], notes: Notes) -> str:
    for kind, verb, state in STEERING:
        if change["state"] != state and notes.get(kind, change["id"]):
            return verb
    return ""


def pause_change(asked: Asked) -> int:
    """Raises CommandError, NoteError, SettingsError, AwsError."""
    told = "is paused; what runs ends as it would. Undo it with: logroute rollout resume"
    return _say(asked, Kind.ROLLOUT_PAUSED, told)


def resume(asked: Asked) -> int:
    """The same errors."""
    told = "goes on with the controller's next poll, whatever failed in it so far"
    return _say(asked, Kind.ROLLOUT_RESUMED, told)


def abort(asked: Asked) -> int:
    """The same errors."""
    return _say(asked, Kind.ROLLOUT_ABORTED, "is aborted: what has not begun stays as it is until a spec changes it")


def _say(asked: Asked, kind: Kind, told: str) -> int:
    why, settings = reason_of(asked.why), load(asked.config).for_writing()
    change = _meant(asked.change, statusfile.read(settings)["rollouts"])
    notes: Notes = composition.home_notes(settings, time.time)
    name = change["id"]
    if change["state"] == "aborted" or notes.get(Kind.ROLLOUT_ABORTED, name):
        raise CommandError(f"change {name} is aborted: change a spec, and what it asks for goes as a new change")
    other = {Kind.ROLLOUT_PAUSED: Kind.ROLLOUT_RESUMED, Kind.ROLLOUT_RESUMED: Kind.ROLLOUT_PAUSED}.get(kind)
    if other:
        notes.write(other, name, None)
    notes.write(kind, name, Note(who(), notes.now(), why))
    print(f"change {name} {told}")
    return 0


def _meant(given: str | None, there: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if not there:
        raise CommandError("no change is under way")
    found = [one for one in there if given is None or one["id"].startswith(given)]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(one["id"] for one in found or there)
    if not found:
        raise CommandError(f"there is no change {given}; under way: {ids}")
    raise CommandError(f"say which change: {ids}")


def _lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line for one in found for line in _change(one)] or ["no change is under way"]


def _change(one: Mapping[str, Any]) -> list[str]:
    services: Mapping[str, int] = one["services"]
    every = sum(services.values())
    begun = datetime.fromtimestamp(one["begun"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    counts = ", ".join(f"{count} {name}" for name, count in services.items() if count)
    state = paint(one["state"], COLOURS.get(one["state"], ""))
    if one["asked"]:
        state += f" ({one['asked']} asked for: the controller's next poll takes it up)"
    return [
        f"{one['id']}  {one['place']}  {state}  since {begun}, specs at {one['revision']}",
        f"  {_bar(services, every)}batch {one['batch']} of {one['batches']}; {every} services: {counts}",
        *([f"  {one['why']}"] if one["why"] else []),
    ]


def _bar(services: Mapping[str, int], every: int) -> str:
    """For eyes only."""
    if not is_terminal(sys.stdout) or not every:
        return ""
    ended = BAR * (services["done"] + services["failed"]) // every
    running = -(-BAR * services["running"] // every)
    return f"[{'#' * ended}{'>' * min(running, BAR - ended)}".ljust(BAR + 1, ".") + "] "
