"""The API over real requests: pages, filters, refusals, and who may ask for something."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from controller.aws.ports import AccessDenied
from tests.support.page import DIFF, PLACE, TOKEN, Face


class Site(Face):
    """Asked over real sockets."""

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/api/v1/{path}", raw, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def do(self, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Any]:
        return self.ask(path, "POST", {} if body is None else body, authorization=f"Bearer {token}")


@pytest.fixture(scope="module")
def quiet() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


def test_services_come_in_pages_those_that_are_not_ready_first(quiet: Site) -> None:
    status, page = quiet.ask("services?limit=120")
    assert (status, page["total"], len(page["items"])) == (200, 10_001, 120)
    assert [one["ready"] for one in page["items"]] == [False] * 100 + [True] * 20
    assert quiet.ask("services?offset=9999")[1]["items"][0]["key"] == f"{PLACE}/prod/web-09999"
    assert quiet.ask("services?offset=20000")[1]["items"] == []


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("reason=RouterMissing", 100),
        ("ready=false", 100),
        ("q=web-0000", 10),
        ("q=WEB-0000+missing", 1),
        ("q=nothing+like+it", 0),
        ("route=web/httpd&ready=true", 9900),
        ("q=family", 1),
    ],
)
def test_services_are_found_by_what_is_asked_of_them(quiet: Site, query: str, total: int) -> None:
    assert quiet.ask(f"services?{query}")[1]["total"] == total


def test_a_family_has_no_cluster(quiet: Site) -> None:
    status, found = quiet.ask(f"services/{PLACE}/family:nightly")
    assert status == 200
    assert (found["kind"], found["cluster"], found["name"]) == ("family", "", "nightly")


def test_a_route_tells_its_services(quiet: Site) -> None:
    assert len(quiet.ask("routes/web/httpd")[1]["services"]) == 10_000
    assert [one["key"] for one in quiet.ask("routes?ready=true")[1]["items"]] == ["web/other"]


def test_events_are_found_by_what_they_are_about_and_by_level(quiet: Site) -> None:
    assert quiet.ask("events")[1]["items"][0]["at"] == "1970-01-01T00:00:04Z"
    assert [one["kind"] for one in quiet.ask("events?about=web/httpd")[1]["items"]] == ["RolledBack", "RolloutStarted"]
    assert [one["kind"] for one in quiet.ask("events?level=warning")[1]["items"]] == ["RolledBack", "Hint"]
    assert [one["kind"] for one in quiet.ask("events?q=jane")[1]["items"]] == ["SpecsChanged"]
    assert [one["kind"] for one in quiet.ask(f"history/{PLACE}/prod/web-00000")[1]] == ["RolledBack", "RolloutStarted"]


def test_the_summary_counts(quiet: Site) -> None:
    found = quiet.ask("summary")[1]
    assert found["services"] == {"InSync": 9900, "RouterMissing": 100, "Unproven": 1}
    assert found["routes"] == {"ready": 1, "notReady": 1}
    assert found["rollouts"][0]["services"] == {"done": 1, "waiting": 2}
    assert quiet.ask("plans")[1]["items"][0]["services"][0]["diff"] == DIFF
    assert quiet.ask("problems?q=httpd.yaml")[1]["total"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "services/main/x/y/z",
        "routes/web/nobody",
        "history/main/x/y/z",
        "history/..%2f..%2fstatus",
        "services/%00",
        "nothing",
    ],
)
def test_what_is_not_there_is_a_404_in_json(quiet: Site, path: str) -> None:
    status, answer = quiet.ask(path)
    assert status == 404
    assert answer["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "services?limit=0",
        "services?limit=501",
        "services?offset=-1",
        "services?ready=perhaps",
        "events?level=loud",
        f"events?q={'x' * 201}",
    ],
)
def test_a_question_that_makes_no_sense_is_a_422(quiet: Site, path: str) -> None:
    assert quiet.ask(path)[0] == 422


def test_without_a_token_nobody_can_ask_for_anything(site: Site) -> None:
    site.tokens = []
    assert site.do("routes/web/httpd:suspend")[0] == 403
    assert site.world.asked == []


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"bearer{TOKEN}"])
def test_with_a_wrong_token_nobody_can_either(site: Site, header: str) -> None:
    status, answer = site.ask("routes/web/httpd:suspend", "POST", {}, authorization=header)
    assert status == 401
    assert TOKEN not in json.dumps(answer)
    assert site.world.asked == []


def test_who_has_the_token_is_obeyed_and_named(site: Site) -> None:
    asked = {"reason": "looking into it", "by": "jane"}
    assert site.do("routes/web/httpd:suspend", asked) == (200, {"detail": "done"})
    assert site.do("routes/web/httpd:resume")[0] == 200
    assert site.do("routes/web/httpd:reconcile")[0] == 200
    assert site.do("plans/3f1c9a2b7d04:approve", {"by": "jane"})[0] == 200
    assert site.world.asked == [
        ("suspend", "web/httpd", "jane by API", "looking into it"),
        ("resume", "web/httpd"),
        ("reconcile", "web/httpd", "somebody by API", ""),
        ("approve", "3f1c9a2b7d04", "jane by API"),
    ]


def test_a_token_that_is_changed_counts_beside_the_new_one(site: Site) -> None:
    site.tokens = ["the new one", TOKEN]
    assert site.do("routes/web/httpd:suspend", token="the new one")[0] == 200
    assert site.do("routes/web/httpd:suspend")[0] == 200


def test_what_cannot_be_done_says_why(site: Site) -> None:
    assert site.do("routes/web/other:reconcile") == (409, {"detail": "web/other is suspended: resume it first"})
    assert site.do("routes/web/nobody:suspend")[0] == 404
    assert site.do("plans/zz:approve")[0] == 404
    assert site.ask("routes/web/httpd:suspend")[0] == 405


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'{"reason": 1}',
        b'{"reason": "a\\nb"}',
        b'{"other": ""}',
        b"\xff",
        b'{"by": "' + b"x" * 101 + b'"}',
    ],
)
def test_a_body_that_makes_no_sense_does_nothing(site: Site, body: bytes) -> None:
    status, _ = site.ask("routes/web/httpd:suspend", "POST", body, authorization=f"Bearer {TOKEN}")
    assert status in (400, 422)
    assert site.world.asked == []


def test_a_large_or_slow_body_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.bounds.SLOWEST", 0.1)
    head = b"POST /api/v1/routes/web/httpd:suspend HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    for body, status in ((b"{", b"408"), (b" " * 70_000, b"413")):
        with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
            client.sendall(head + body)
            assert client.recv(4096).startswith(b"HTTP/1.1 " + status)
    assert site.world.asked == []


def test_what_fails_inside_is_told_in_the_log_alone(site: Site) -> None:
    site.world.broken = AccessDenied("s3:GetObject", "s3://secret-bucket/key", "AccessDenied", "no")
    status, answer = site.ask("services")
    assert status == 503
    assert "secret-bucket" not in json.dumps(answer)
    site.world.broken = RuntimeError("secret-bucket")
    assert site.ask("services") == (500, {"detail": "Internal Server Error"})


def test_watchers_hear_of_a_change_and_are_let_go_at_a_stop() -> None:
    site = Site()
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
        client.sendall(b"GET /api/v1/watch HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = b""
        while b"event: changed" not in heard:
            heard += client.recv(4096)
        assert b"text/event-stream" in heard
        assert site.server.stop(4)


def test_the_schema_names_every_path_and_has_examples(quiet: Site) -> None:
    _, schema = quiet.ask("openapi.json")
    assert {path.removeprefix("/api/v1/").partition("/")[0] for path in schema["paths"]} == {
        "summary",
        "services",
        "routes",
        "plans",
        "events",
        "problems",
        "history",
    }
    assert {"/api/v1/routes/{namespace}/{name}:suspend", "/api/v1/plans/{digest}:approve"} <= schema["paths"].keys()
    assert schema["components"]["schemas"]["Service"]["properties"]["key"]["examples"]
    assert schema["components"]["securitySchemes"]


schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", Face().app())


NOT_HERE = [negative_data_rejection, ignored_auth]
"""What is unknown in a query is ignored, as everywhere; who may ask has tests above."""


@schema.parametrize()
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_to_its_schema_whatever_is_asked(case: Any) -> None:
    case.call_and_validate(headers={"authorization": f"Bearer {TOKEN}"}, excluded_checks=NOT_HERE)


def test_names_in_a_path_may_be_quoted(quiet: Site) -> None:
    assert quiet.ask(f"services/{quote(f'{PLACE}/family:nightly', safe='')}")[0] == 200
