"""What a command did to services, kept as a controller would have kept it: by whom, and why."""

from __future__ import annotations

import time
from contextlib import suppress

from controller import wiring
from controller.api.keys import ServiceKey
from controller.app import App
from controller.aws.ports import AwsError
from controller.cli.person import who
from controller.reconciling.board import StatusBoard
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey


class Witness:
    def __init__(self, app: App, specs: Specs, seen: Survey) -> None:
        self._history = wiring.history(app)
        self._chronicle = wiring.chronicle(app, self._history.tell, time.time, by=who())
        self._chronicle.works_by(specs)
        self._board = StatusBoard(places=app.world.sites, shard_of=app.world.shard_of)
        self._board.surveyed(seen, specs)

    def stepped(self, key: ServiceKey, step: Step) -> None:
        self._chronicle.stepped(key, step, self._board)

    def close(self) -> None:
        """What could not be kept is lost, and nothing else is."""
        with suppress(AwsError):
            self._history.flush()
