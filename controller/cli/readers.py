"""Where `get`, `describe`, `events` and `history` read: a running controller's API, or the config store itself.

Both give rows as the API has them, so that scripts need not know which it was.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from controller import app as composition
from controller.api.keys import Place, ServiceKey
from controller.cli.failures import CommandError
from controller.reconciling import statuses
from controller.reconciling.notes import Kind
from controller.reconciling.plans import PlanBook
from controller.reconciling.world import STATE
from controller.settings import Settings
from controller.state import history
from controller.web import models

SECONDS = 10.0
AT_ONCE = 500
"""Rows of a page, the most that the API gives."""
LARGEST = 64 * 2**20
Row = dict[str, Any]


class Reader(Protocol):
    """Each raises CommandError, Explained."""

    def rows(self, kind: str) -> list[Row]:
        """`kind`: routes, services, plans, events, problems, rollouts. Events have the latest first."""

    def history(self, service: str) -> list[Row]:
        """Of a whole key, the latest first."""


def _plain(model: Any) -> Row:
    plain: Row = model.model_dump(mode="json", by_alias=True)
    return plain


@dataclass
class StoreReader:
    """What controllers have written down; nothing of them has to run."""

    settings: Settings

    @cached_property
    def _home(self) -> Any:
        return composition.home_store(self.settings)

    @cached_property
    def _status(self) -> Mapping[str, Any]:
        return statuses.read(*self._home)

    def rows(self, kind: str) -> list[Row]:
        return list(getattr(self, f"_{kind}")())

    def history(self, service: str) -> list[Row]:
        place = ServiceKey.parse(service).place
        objects, prefix = self._store(place)
        found = history.read(objects, prefix + history.service_path(service))
        return [_plain(models.event(one)) for one in reversed(found)]

    def _services(self) -> Iterator[Row]:
        for key, row in self._status["services"].items():
            yield _plain(models.service(key, row))

    def _routes(self) -> Iterator[Row]:
        of: dict[str, list[str]] = {}
        for key, row in self._status["services"].items():
            for one in row.get("routes", ()):
                of.setdefault(one, []).append(key)
        for key, conditions in self._status["routes"].items():
            yield _plain(models.route(key, conditions, of.get(key, [])))

    def _problems(self) -> Iterator[Row]:
        yield from (_plain(models.Problem(**one)) for one in self._status["problems"])

    def _rollouts(self) -> Iterator[Row]:
        yield from (_plain(models.rollout(one)) for one in self._status["rollouts"])

    def _plans(self) -> Iterator[Row]:
        """What waits for approval: the others only a running controller knows."""
        notes = composition.home_notes(self.settings, lambda: 0.0)
        for one in PlanBook().plain(notes.all(Kind.BLOCKED)):
            yield _plain(models.plan(one))

    def _events(self) -> Iterator[Row]:
        found = []
        for text in self._status.get("places", ()):
            account, region, *shard = text.split("/")
            place = Place(account, region, *shard)
            objects, prefix = self._store(place)
            found += history.read(objects, prefix + history.place_path(place))
        yield from (_plain(models.event(one)) for one in sorted(found, key=lambda one: -one.at))

    def _store(self, place: Place) -> tuple[Any, str]:
        """Of each place: it may be in another account."""
        objects, store = composition.store_of(self.settings, place)
        return objects, store.key(STATE) + "/"


@dataclass
class ServerReader:
    """A running controller, by the URL of its page."""

    server: str

    def rows(self, kind: str) -> list[Row]:
        if kind == "rollouts":
            return list(self._ask("summary")["rollouts"])
        found: list[Row] = []
        while True:
            page = self._ask(kind, offset=len(found), limit=AT_ONCE)
            found += page["items"]
            if len(found) >= page["total"] or not page["items"]:
                return found

    def history(self, service: str) -> list[Row]:
        return list(self._ask(f"history/{quote(service)}"))

    def _ask(self, path: str, **query: object) -> Any:
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"--server: {self.server!r} is no URL: give it as http://host:9090")
        url = f"{self.server.rstrip('/')}/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(url, headers={"accept": "application/json"})  # noqa: S310 - see above
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - see above
                return json.loads(answer.read(LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                raise CommandError(_told(error)) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            tail = "leave --server out to read the config store"
            raise CommandError(f"{self.server} does not answer: {why}; {tail}") from None
        except ValueError:
            raise CommandError(f"{self.server} answers, and not as LogRoute does") from None


def _told(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(LARGEST))["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}"
