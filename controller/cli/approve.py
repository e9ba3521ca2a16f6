"""`logroute approve DIGEST`: a person lets a blocked plan go on."""

from __future__ import annotations

import re
import time
from pathlib import Path

from controller import app as composition
from controller.cli.console import show
from controller.cli.failures import CommandError
from controller.cli.person import who
from controller.reconciling.guarding import approve as approve_plan
from controller.reconciling.guarding import guarded
from controller.reconciling.notes import Note, NoteError, Notes
from controller.reconciling.survey import survey
from controller.settings import Settings, load
from controller.sources.errors import SourceError

DIGEST = re.compile(r"[0-9a-f]{8,64}")


def approve(digest: str, config: Path | None, source: str | None) -> int:
    """Raises CommandError, NoteError, SettingsError, SourceError, AwsError."""
    if not DIGEST.fullmatch(digest):
        raise CommandError(f"{digest!r} is no digest: give at least 8 of its hexadecimal digits")
    settings = load(config, source=source).for_writing()
    notes = composition.home_notes(settings, time.time)
    approved = _approve(notes, digest, settings)
    show(f"approved for 24 hours: {approved.why}")
    for line in approved.lines:
        service, kind, _ = line.rsplit(" ", 2)
        show(f"  {service}: {kind}")
    return 0


def _approve(notes: Notes, digest: str, settings: Settings) -> Note:
    """What `plan` showed is not written down yet: the world is looked at again, and must give the same digest."""
    try:
        return approve_plan(notes, digest, who())
    except NoteError:
        if not settings.source:
            raise
    app = composition.build(settings, remembers=False)
    app.asks_of(roles=0)
    app.world.routes.ensure_loaded()
    try:
        app.keeper.poll()
    except SourceError as error:
        if error.instead is None:
            raise  # else it is what the controller works with, too
    if app.keeper.specs is not None:
        seen = survey(app.world, app.keeper.specs, repair=False)
        guarded(app.world, app.keeper.specs, seen, record=True)
    notes.ledger.load()
    return approve_plan(notes, digest, who())
