"""The HTTP side alone, over a world that is made up: ten thousand services in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from controller.api.events import Event, EventKind
from controller.overview import NOTHING
from controller.runtime.clock import ManualClock
from controller.telemetry.metrics import Metrics
from controller.web.app import Shown, create_app
from controller.web.health import Health
from controller.web.hooks import Hooks
from controller.web.live import Live
from controller.web.server import Server
from controller.web.view import Refusal, Unknown

PLACE = "main/ap-northeast-1"
FIRST = f"{PLACE}/prod/web-00000"
DIFF = '--- web:1\n+++ web:(new)\n@@ -1,1 +1,2 @@\n {\n-  "a": 1\n+  "name": "log_router"'
TOKEN = "token-of-these-tests"


def _row(number: int) -> dict[str, Any]:
    bad = number % 100 == 0
    return {
        "ready": not bad,
        "reason": "RouterMissing" if bad else "InSync",
        "message": "came without the router" if bad else "",
        "suspended": False,
        "drift": [],
        "routes": ["web/httpd"],
    }


FAMILY = {"ready": True, "reason": "Unproven", "message": "", "suspended": False, "drift": []}
SERVICES = {f"{PLACE}/prod/web-{number:05}": _row(number) for number in range(10_000)}
SERVICES |= {f"{PLACE}/family:nightly": FAMILY}


def _conditions(status: str, reason: str, message: str = "") -> list[dict[str, str]]:
    return [{"condition": "Ready", "status": status, "reason": reason, "message": message}]


def _problem(file: str, line: int, column: int, message: str) -> dict[str, Any]:
    found = {"file": file, "line": line, "column": column, "code": "UNKNOWN_OPTION", "severity": "error"}
    return {**found, "message": message, "hint": "did you mean bucket?"}


ROLLOUT = {"id": "302181ff", "place": PLACE, "state": "paused", "why": "web-00000 failed", "begun": 1.0}


class World:
    """web.view.View and Actions; it remembers what it was asked for."""

    def __init__(self, services: Mapping[str, dict[str, Any]] = SERVICES) -> None:
        self.services = services
        self.asked: list[tuple[str, ...]] = []
        self.version_, self.why, self.first = 1, "web-00000 failed", "RouterMissing"
        self.broken: Exception | None = None

    def version(self) -> tuple[int, int]:
        return self.version_, 1

    def status(self) -> Mapping[str, Any]:
        if self.broken:
            raise self.broken
        services = {**self.services, FIRST: {**SERVICES[FIRST], "reason": self.first, "message": self.first}}
        return {
            **NOTHING,
            "revision": "4f3c2b1a4f3c2b1a4f3c2b1a",
            "places": [PLACE],
            "services": services,
            "routes": {
                "web/httpd": _conditions("False", "RouterMissing", self.why),
                "web/other": _conditions("True", "InSync"),
            },
            "problems": [_problem("web/httpd.yaml", 3, 5, self.why), _problem("web/other.yaml", 0, 0, "too large")],
            "rollouts": [{**ROLLOUT, "batch": 2, "batches": 5, "services": {"done": 1, "waiting": 2}, "why": self.why}],
        }

    def plans(self) -> list[dict[str, Any]]:
        service: dict[str, Any] = {"service": FIRST, "action": "route", "reasons": [], "hold": None, "diff": DIFF}
        plan = {"revision": "4f3c", "at": 1.0, "why": self.why, "total": 1, "services": [service]}
        return [{**plan, "digest": "3f1c9a2b7d04", "place": "", "state": "Blocked"}]

    def events(self) -> list[Event]:
        return [
            Event(4.0, EventKind.ROLLED_BACK, FIRST, self.why, routes=("web/httpd",), by=self.why),
            Event(3.0, EventKind.ROLLOUT_STARTED, FIRST, self.why, routes=("web/httpd",), diff=DIFF),
            Event(2.0, EventKind.HINT, "web/other", "a hint"),
            Event(1.0, EventKind.SPECS_CHANGED, "", "2 routes in force", by="Jane Doe"),
        ]

    def history(self, about: str) -> list[Event]:
        if about not in self.services:
            raise Unknown(f"there is no service {about}")
        return [one for one in self.events() if one.about == about]

    def reconcile(self, route: str, who: str, why: str) -> str:
        if route == "web/other":
            raise Refusal("web/other is suspended: resume it first")
        return self._ask("reconcile", route, who, why)

    def suspend(self, route: str, who: str, why: str) -> str:
        return self._ask("suspend", route, who, why)

    def resume(self, route: str) -> str:
        return self._ask("resume", route)

    def approve(self, digest: str, who: str) -> str:
        self.asked.append(("approve", digest, who))
        return "done"

    def _ask(self, what: str, route: str, *more: str) -> str:
        if route not in ("web/httpd", "web/other"):
            raise Unknown(f"there is no route {route}")
        self.asked.append((what, route, *more))
        return "done"


class Face:
    """A server that shows such a world."""

    def __init__(self) -> None:
        self.world, self.tokens = World(), [TOKEN]
        self._live = Live(self.world.version)
        self.server = self.serve(0)

    def serve(self, port: int) -> Server:
        server = Server(self.app(), "127.0.0.1", port, closing=self._live.close)
        server.start()
        return server

    @property
    def url(self) -> str:
        return self.server.url

    def app(self) -> FastAPI:
        clock = ManualClock()
        health = Health(clock, lambda: None, lambda: True, limit=600, grace=60)
        hooks = Hooks({}, lambda: None, clock, lambda *_: None)
        return create_app(
            Metrics("1").render, health, Shown(self.world, self.world, lambda: self.tokens, hooks, self._live)
        )

    def come_back(self) -> None:
        """As another process on the same port."""
        self._live = Live(self.world.version)
        self.server = self.serve(self.server.port)

    def change(self, *, why: str | None = None, first: str | None = None) -> None:
        self.world.why, self.world.first = why or self.world.why, first or self.world.first
        self.world.version_ += 1

    def stop(self) -> None:
        assert self.server.stop(10)
