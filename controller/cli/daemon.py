"""`logroute run`: the controller as a process."""

from __future__ import annotations

from pathlib import Path

from controller.daemon import Daemon
from controller.settings import load
from controller.telemetry.logs import configure


def run(config: Path | None) -> int:
    """Until SIGTERM or Ctrl-C. Raises SettingsError, SourceError, AwsError, ListenError before it starts."""
    settings = load(config)
    configure()
    return Daemon(settings).run()
