"""`logroute run` as a process beside a sandbox: started, asked over HTTP, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.support.playground import REGION, Playground

PATIENCE = 30.0


RUN = ("-m", "controller", "run", "--config")
FASTER = (
    "import sys, pathlib, controller.cli.daemon as daemon; load = daemon.load;"
    "daemon.load = lambda path: load(path).model_copy(update={'resync': 0.05});"
    "daemon.run(pathlib.Path(sys.argv[1]))"
)
RUN_FASTER = ("-c", FASTER)
"""Passes as fast as they go: settings know whole seconds."""


class Process:
    """The controller beside a sandbox whose rollouts take a moment."""

    def __init__(
        self,
        play: Playground,
        folder: Path,
        resync: str = "1s",
        more: str = "",
        how: tuple[str, ...] = RUN,
        *,
        source: str = "",
        poll: str = "1s",
    ) -> None:
        self.play, self.log = play, folder / "log"
        settings = folder / "settings.yaml"
        settings.write_text(
            f"source: {source or play.specs}\nconfigStore: {play.settings.config_store}\nregion: {REGION}\n"
            f"listen: 127.0.0.1:0\npoll: {poll}\nresync: {resync}\n{more}"
        )
        command = [sys.executable, *how, str(settings)]
        environment = {**os.environ, **play.sandbox.environment()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def url(self) -> str:
        self.until(lambda: any(line["event"] == "started" for line in self.lines()))
        return str(next(line["listen"] for line in self.lines() if line["event"] == "started"))

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url() + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def until(self, true: Callable[[], bool]) -> None:
        """The process lives in real time."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> tuple[int, float]:
        began = time.monotonic()
        self.process.send_signal(how)
        return self.process.wait(PATIENCE), time.monotonic() - began
