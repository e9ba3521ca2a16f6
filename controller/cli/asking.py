"""`logroute suspend`, `resume` and `reconcile`: notes to a running controller, which obeys at its next poll."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller import app as composition
from controller.cli import statusfile
from controller.cli.failures import CommandError
from controller.cli.names import meant
from controller.cli.person import who
from controller.reconciling.notes import Kind, Note, Notes
from controller.settings import load

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """Either `route` or `service`, as they were typed."""

    route: str | None
    service: str | None
    config: Path | None
    why: str = ""


def suspend(asked: Asked) -> int:
    """Raises CommandError, NoteError, SettingsError, AwsError."""
    why = reason_of(asked.why)
    notes, status = _open(asked)
    name = _name(asked, _names(asked, status))
    notes.write(Kind.SUSPENDED, name, Note(who(), notes.now(), why))
    print(f"{name} is suspended; undo it with: logroute resume {_argument(name)}")
    return 0


def resume(asked: Asked) -> int:
    """The same errors."""
    notes, status = _open(asked)
    suspended = notes.all(Kind.SUSPENDED)
    name = _name(asked, {*_names(asked, status), *_of_kind(asked, suspended)})
    notes.write(Kind.SUSPENDED, name, None)
    if _is_by_spec(status, name):
        raise CommandError(f"{name} is suspended by its spec, so no command resumes it: take `suspend: true` out there")
    print(f"{name} is resumed" if name in suspended else f"{name} was not suspended")
    return 0


def reconcile(asked: Asked) -> int:
    """The same errors."""
    notes, status = _open(asked)
    name = _name(asked, _names(asked, status))
    if notes.get(Kind.SUSPENDED, name) or _is_by_spec(status, name):
        raise CommandError(f"{name} is suspended: resume it first")
    notes.write(Kind.RECONCILE, name, Note(who(), notes.now(), asked.why))
    print(f"{name}: a running controller looks at it with its next poll; `logroute status` shows what comes of it")
    return 0


def reason_of(given: str) -> str:
    """In one line. Raises CommandError."""
    why = " ".join(given.split())
    if len(why) > LONGEST_REASON or not why.isprintable():
        raise CommandError(f"--reason: at most {LONGEST_REASON} characters, and none that cannot be printed")
    return why


def _open(asked: Asked) -> tuple[Notes, dict[str, Any]]:
    settings = load(asked.config).for_writing()
    return composition.home_notes(settings, time.time), statusfile.read(settings)


def _is_by_spec(status: Mapping[str, Any], name: str) -> bool:
    return bool(status["suspended"].get(name, {}).get("bySpec"))


def _argument(name: str) -> str:
    return name if name.count("/") == 1 else f"--service {name}"


def _of_kind(asked: Asked, names: Iterable[str]) -> list[str]:
    """Routes are `namespace/name`, services `account/region/cluster/service`."""
    slashes = 1 if asked.route else 3
    return [name for name in names if name.count("/") == slashes]


def _names(asked: Asked, status: Mapping[str, Any]) -> list[str]:
    return list(status["routes" if asked.route else "services"])


def _name(asked: Asked, names: Iterable[str]) -> str:
    what, given = ("route", asked.route) if asked.route else ("service", asked.service or "")
    return meant(what, given, names)
