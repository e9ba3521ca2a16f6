"""Real requests on loopback: the three pages, and nothing else."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from fastapi import FastAPI

from controller.runtime.clock import ManualClock
from controller.telemetry.metrics import Metrics
from controller.web.app import Exposition, create_app
from controller.web.health import Health
from controller.web.server import ListenError, Server, parse_address

HOST = "127.0.0.1"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


@dataclass
class Site:
    """A running server; `exposition` can be replaced."""

    metrics: Metrics = field(default_factory=lambda: Metrics("0.1.0"))
    clock: ManualClock = field(default_factory=ManualClock)
    last_pass: float | None = None
    specs: bool = False

    def __post_init__(self) -> None:
        self.exposition: Exposition = self.metrics.render
        health = Health(self.clock, lambda: self.last_pass, lambda: self.specs, limit=600, grace=60)
        self.server = Server(create_app(self._expose, health), HOST, 0)
        self.server.start()

    def _expose(self, accept: str) -> tuple[bytes, str]:
        return self.exposition(accept)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        request = Request(self.server.url + path, method=method, headers=headers)
        try:
            with urlopen(request, timeout=10) as found:
                return _answer(found.status, found.headers.items(), found.read())
        except HTTPError as error:
            with error:
                return _answer(error.code, error.headers.items(), error.read())


def _answer(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers}, body)


class SlowScrape:
    """A request for /metrics that is inside the page, and stays there until `finish`."""

    def __init__(self, site: Site) -> None:
        self._inside, self._release = threading.Event(), threading.Event()
        self._site, self._bodies = site, list[bytes]()
        site.exposition = self._page
        self._thread = threading.Thread(target=self._scrape, daemon=True)
        self._thread.start()
        assert self._inside.wait(10)

    def finish(self) -> bytes:
        self._release.set()
        self._thread.join(10)
        return self._bodies[0]

    def _page(self, _accept: str) -> tuple[bytes, str]:
        self._inside.set()
        assert self._release.wait(10)
        return b"late", "text/plain"

    def _scrape(self) -> None:
        self._bodies.append(self._site.get("/metrics").body)


def _some_app() -> FastAPI:
    return create_app(lambda _accept: (b"", ""), Health(ManualClock(), lambda: None, bool, limit=1, grace=1))


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    assert site.server.stop(10)


def test_metrics_are_plain_text_for_whoever_does_not_ask(site: Site) -> None:
    site.metrics.invalid_specs(3)
    answer = site.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\nlogroute_invalid_specs 3.0\n" in answer.body


def test_metrics_are_openmetrics_for_a_prometheus(site: Site) -> None:
    answer = site.get("/metrics", accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert answer.body.endswith(b"# EOF\n")


def test_healthz_says_503_and_why_once_the_last_pass_is_too_old(site: Site) -> None:
    assert site.get("/healthz").status == 200
    site.clock.advance(61)
    assert site.get("/healthz").status == 503
    site.last_pass = site.clock.monotonic()
    assert site.get("/healthz").json == {"ok": True, "message": "the last pass ended 0 s ago; the limit is 600 s"}
    site.clock.advance(601)
    answer = site.get("/healthz")
    assert answer.status == 503
    assert answer.json == {"ok": False, "message": "the last pass ended 601 s ago; the limit is 600 s"}


def test_readyz_says_503_until_specs_were_read_and_a_pass_ended(site: Site) -> None:
    answer = site.get("/readyz")
    assert answer.status == 503
    assert "first snapshot" in answer.json["message"]
    site.specs, site.last_pass = True, 0.0
    assert site.get("/readyz").status == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/redoc", "/metrics/", "/healthz/x", "/%00", "/.."])
def test_every_other_path_is_a_404_in_json(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 404
    assert answer.json == {"detail": "Not Found"}


def test_pages_are_read_only(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert site.get("/metrics", method).status == 405


def test_health_checks_may_send_head(site: Site) -> None:
    answer = site.get("/healthz", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_answers_are_not_cached_not_sniffed_and_name_no_software(site: Site) -> None:
    headers = site.get("/healthz").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


def test_a_failing_page_tells_a_stranger_nothing_and_the_log_everything(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.exposition = _raises(RuntimeError("planted detail"))
    answer = site.get("/metrics")
    assert answer.status == 500
    assert answer.json == {"detail": "Internal Server Error"}
    assert site.server.stop(10)  # it is logged after the answer
    assert "planted detail" in caplog.text


def test_requests_are_not_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    site.get("/healthz")
    assert "healthz" not in caplog.text


def test_a_slow_scrape_does_not_hold_up_the_health_checks(site: Site) -> None:
    scrape = SlowScrape(site)
    assert site.get("/healthz").status == 200
    assert scrape.finish() == b"late"


def test_stopping_finishes_the_answer_in_progress_and_takes_no_more() -> None:
    site = Site()
    scrape = SlowScrape(site)
    assert not site.server.stop(0)
    assert scrape.finish() == b"late"
    assert site.server.stop(10)
    with pytest.raises(ConnectionRefusedError), socket.create_connection((HOST, site.server.port)):
        pass


def test_an_idle_connection_does_not_hold_up_a_stop() -> None:
    site = Site()
    idle = HTTPConnection(HOST, site.server.port)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    with socket.create_connection((HOST, site.server.port)) as half:
        half.sendall(b"GET /healthz HTT")
        assert site.server.stop(10)
    idle.close()


def test_a_port_in_use_is_explained(site: Site) -> None:
    second = Server(_some_app(), HOST, site.server.port)
    with pytest.raises(ListenError, match=rf"{HOST}:{site.server.port}: Address already in use\. Choose another"):
        second.start()
    assert second.stop(0)


def test_an_address_that_does_not_exist_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ListenError, match="cannot listen on nowhere:0: Name or service not known"):
        Server(_some_app(), "nowhere", 0).start()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:9090", ("0.0.0.0", 9090)),  # noqa: S104
        ("localhost:0", ("localhost", 0)),
        ("[::1]:80", ("::1", 80)),
        (":9090", ("0.0.0.0", 9090)),  # noqa: S104
    ],
)
def test_the_listen_setting_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "9090", "host:", "host:x", "host:65536", "host:-1"])
def test_a_listen_setting_that_is_neither_is_explained(text: str) -> None:
    with pytest.raises(ListenError, match="HOST:PORT"):
        parse_address(text)


def test_the_url_is_one_that_a_person_can_open() -> None:
    app = _some_app()
    assert Server(app, "0.0.0.0", 9090).url == "http://127.0.0.1:9090"  # noqa: S104
    assert Server(app, "::1", 9090).url == "http://[::1]:9090"


def _raises(error: Exception) -> Callable[[str], tuple[bytes, str]]:
    def exposition(_accept: str) -> tuple[bytes, str]:
        raise error

    return exposition
