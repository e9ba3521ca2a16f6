"""`logroute run`: the controller as a process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from controller.daemon import Daemon
from controller.settings import load
from controller.telemetry.logs import configure


def run(config: Path | None) -> int:
    """Until SIGTERM or Ctrl-C. Raises SettingsError, SourceError, AwsError, ListenError before it starts."""
    settings = load(config)
    configure()
    status = Daemon(settings).run()
    _forget_unwritten()
    return status


def _forget_unwritten() -> None:
    """Log lines that a full disk did not take are lost, and no reason to end as if something had failed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
