"""`logroute approve DIGEST`: a person lets a blocked plan go on."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from controller import app as composition
from controller.cli.failures import CommandError
from controller.reconciling.approvals import ApprovalError, Approvals
from controller.reconciling.guarding import guarded
from controller.reconciling.survey import survey
from controller.reconciling.world import STATE
from controller.settings import Settings, load

DIGEST = re.compile(r"[0-9a-f]{8,64}")


def approve(digest: str, config: Path | None, source: str | None) -> int:
    """Raises CommandError, ApprovalError, SettingsError, SourceError, AwsError."""
    if not DIGEST.fullmatch(digest):
        raise CommandError(f"{digest!r} is no digest: give at least 8 of its hexadecimal digits")
    settings = load(config, source=source)
    objects, store = composition.home_store(settings)
    plain = _approve(Approvals(objects, store.key(STATE), time.time), digest, settings)
    print(f"approved for 24 hours: {plain['why']}")
    for line in plain["lines"]:
        service, kind, _ = (line + " ").split(" ", 2)
        print(f"  {service}: {kind}")
    return 0


def _approve(approvals: Approvals, digest: str, settings: Settings) -> dict[str, Any]:
    """What `plan` showed is not written down yet: the world is looked at again, and must give the same digest."""
    try:
        return approvals.approve(digest)
    except ApprovalError:
        if not settings.source:
            raise
    app = composition.build(settings, remembers=False)
    app.world.routes.ensure_loaded()
    app.keeper.poll()
    if app.keeper.specs is not None:
        seen = survey(app.world, app.keeper.specs, repair=False)
        guarded(app.world, app.keeper.specs, seen, time.time, record=True)
    return approvals.approve(digest)
