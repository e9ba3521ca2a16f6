"""Commands beside a playground's controller: as another person, on another machine, but on its clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.cli.main import main
from tests.support.playground import REGION, Playground

Command = Callable[..., int]
"""Arguments → exit status."""


def commands(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.specs))
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr("controller.cli.asking.time.time", play.sandbox.clock.now)
    monkeypatch.setattr("controller.cli.person.getpass.getuser", lambda: "ann")
    monkeypatch.setattr("controller.cli.person.socket.gethostname", lambda: "laptop")

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0)

    return run
