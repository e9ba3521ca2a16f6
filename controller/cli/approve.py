"""`logroute approve DIGEST`: a person lets a blocked plan go on."""

from __future__ import annotations

import re
import time
from pathlib import Path

from controller.app import home_store
from controller.cli.failures import CommandError
from controller.reconciling.approvals import Approvals
from controller.reconciling.world import STATE
from controller.settings import load

DIGEST = re.compile(r"[0-9a-f]{8,64}")


def approve(digest: str, config: Path | None) -> int:
    """Raises CommandError, ApprovalError, SettingsError, AwsError."""
    if not DIGEST.fullmatch(digest):
        raise CommandError(f"{digest!r} is no digest: give at least 8 of its hexadecimal digits")
    objects, store = home_store(load(config))
    plain = Approvals(objects, store.key(STATE), time.time).approve(digest)
    print(f"approved for 24 hours: {plain['why']}")
    for line in plain["lines"]:
        service, kind, _ = (line + " ").split(" ", 2)
        print(f"  {service}: {kind}")
    return 0
