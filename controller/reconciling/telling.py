"""Who is told what the controller finds and does; telemetry's side implements it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.applying.configs import Found
from controller.planning.guards import Permit
from controller.reconciling.board import StatusBoard
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Note
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey
from controller.sources.errors import SourceError


class Telling(Protocol):
    """Each is called in the middle of the work: it must not block."""

    def source_changed(self, specs: Specs) -> None: ...

    def source_failed(self, error: SourceError) -> None: ...

    def source_read(self) -> None:
        """It could be read, whether or not it changed."""

    def surveyed(self, seen: Survey, board: StatusBoard) -> None: ...

    def judged(self, permit: Permit, approved: Mapping[str, Note]) -> None:
        """What the guards say of a pass, and what people approved, by digest."""

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None: ...

    def config_put_back(self, place: Place, path: str, found: Found, services: Collection[ServiceKey]) -> None:
        """Between two passes, because an event said so. `services`: some of those whose revisions name it."""

    def failed(self, key: ServiceKey, reason: Reason, error: str, board: StatusBoard) -> None:
        """A worker could not look at a service, or not finish what it began."""

    def gained(self, place: Place) -> None: ...

    def lost(self, place: Place) -> None: ...


class Several:
    """Telling, to one after the other."""

    def __init__(self, some: Iterable[Telling]) -> None:
        self._some = tuple(some)

    def source_changed(self, specs: Specs) -> None:
        for one in self._some:
            one.source_changed(specs)

    def source_failed(self, error: SourceError) -> None:
        for one in self._some:
            one.source_failed(error)

    def source_read(self) -> None:
        for one in self._some:
            one.source_read()

    def surveyed(self, seen: Survey, board: StatusBoard) -> None:
        for one in self._some:
            one.surveyed(seen, board)

    def judged(self, permit: Permit, approved: Mapping[str, Note]) -> None:
        for one in self._some:
            one.judged(permit, approved)

    def stepped(self, key: ServiceKey, step: Step, board: StatusBoard) -> None:
        for one in self._some:
            one.stepped(key, step, board)

    def config_put_back(self, place: Place, path: str, found: Found, services: Collection[ServiceKey]) -> None:
        for one in self._some:
            one.config_put_back(place, path, found, services)

    def failed(self, key: ServiceKey, reason: Reason, error: str, board: StatusBoard) -> None:
        for one in self._some:
            one.failed(key, reason, error, board)

    def gained(self, place: Place) -> None:
        for one in self._some:
            one.gained(place)

    def lost(self, place: Place) -> None:
        for one in self._some:
            one.lost(place)
