"""Webhooks over real sockets: who is heard, who is not, and that no body is worth anything but its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route

from controller.api.errors import Explained
from controller.runtime.clock import ManualClock
from controller.web import hooks, signatures
from controller.web.hooks import Hooks
from controller.web.server import Server

SECRET = "hunter2-of-this-hook"
SIGNING = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or more").decode()
PUSH = json.dumps({"ref": "refs/heads/main", "after": "4f3c"}).encode()


@dataclass
class Site:
    clock: ManualClock = field(default_factory=ManualClock)
    nudges: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    secrets: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = {"github": [SECRET], "bitbucket": [SECRET], "gitlab": [SIGNING], "generic": [SIGNING]}
        found = {forge: self._read(forge) for forge in self.secrets}
        heard = Hooks(found, self._nudge, self.clock, lambda *what: self.told.update([what]))
        app = FastAPI(openapi_url=None, routes=[Route("/hooks/{forge}", heard.hear, methods=["POST"])])
        self.server = Server(app, "127.0.0.1", 0)
        self.server.start()

    def _read(self, forge: str):  # type: ignore[no-untyped-def]
        def read() -> list[str]:
            if not self.secrets[forge]:
                raise Explained("file:/secret cannot be read")
            return self.secrets[forge]

        return read

    def _nudge(self) -> None:
        self.nudges += 1

    def post(self, forge: str, body: bytes = PUSH, /, **headers: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", f"/hooks/{forge}", body, named)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["detail"]
        finally:
            connection.close()

    def signed(self, name: str = "msg_1", body: bytes = PUSH, secret: str = SIGNING, ago: int = 0) -> dict[str, str]:
        """After the Standard Webhooks specification."""
        at = str(int(self.clock.now().timestamp()) - ago)
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"{name}.{at}.".encode() + body, "sha256")
        signature = f"v1,{base64.b64encode(mac.digest()).decode()}"
        return {"webhook_id": name, "webhook_timestamp": at, "webhook_signature": signature}


def hub(body: bytes = PUSH, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    assert site.server.stop(10)


def test_each_forge_is_heard_by_its_own_signature(site: Site) -> None:
    assert site.post("github", X_Hub_Signature_256=hub())[0] == 202
    assert site.post("bitbucket", X_Hub_Signature=hub())[0] == 202
    assert site.post("gitlab", **site.signed())[0] == 202
    assert site.post("generic", **site.signed())[0] == 202
    assert site.nudges == 4


def test_gitlab_s_older_token_is_heard(site: Site) -> None:
    site.secrets["gitlab"] = [SECRET]
    assert site.post("gitlab", X_Gitlab_Token=SECRET)[0] == 202
    assert site.post("gitlab", b"{}", X_Gitlab_Token=f"{SECRET}x")[0] == 401
    assert site.nudges == 1


def test_what_is_signed_need_not_be_json_for_nobody_reads_it(site: Site) -> None:
    body = b"\x00\xff{{{"
    assert site.post("github", body, X_Hub_Signature_256=hub(body))[0] == 202


@pytest.mark.parametrize(
    ("forge", "headers", "words"),
    [
        ("github", {}, "not signed"),
        ("github", {"X_Hub_Signature_256": hub(secret="another")}, "not that of"),
        ("github", {"X_Hub_Signature_256": "sha256="}, "not signed"),
        ("github", {"X_Hub_Signature_256": hub().upper()}, "not signed"),
        ("github", {"X_Hub_Signature_256": hub() + "00"}, "not signed"),
        ("github", {"X_Hub_Signature": hub().replace("sha256", "sha1")}, "not signed"),
        ("bitbucket", {"X_Hub_Signature_256": hub()}, "not signed"),
        ("gitlab", {}, "not signed"),
        ("generic", {"webhook_signature": "v1,!!!", "webhook_id": "a", "webhook_timestamp": "1"}, "not signed"),
        ("generic", {"webhook_signature": "v2,AAAA", "webhook_id": "a", "webhook_timestamp": "1"}, "not signed"),
        ("generic", {"webhook_signature": "v1,AAAA", "webhook_id": "a", "webhook_timestamp": "now"}, "not signed"),
    ],
)
def test_who_is_not_signed_rightly_is_not_heard(site: Site, forge: str, headers: dict[str, str], words: str) -> None:
    status, detail = site.post(forge, **headers)
    assert (status, site.nudges) == (401, 0)
    assert words in detail
    assert SECRET not in detail


def test_a_signature_of_another_body_is_refused(site: Site) -> None:
    assert site.post("github", PUSH + b" ", X_Hub_Signature_256=hub())[0] == 401
    assert site.post("generic", PUSH + b" ", **site.signed())[0] == 401


def test_the_same_request_once_more_is_no_news(site: Site) -> None:
    headers = site.signed()
    assert site.post("generic", **headers)[0] == 202
    assert site.post("generic", **headers) == (200, "heard before")
    assert site.post("github", X_Hub_Signature_256=hub())[0] == 202
    assert site.post("github", X_Hub_Signature_256=hub())[0] == 200
    assert site.nudges == 2
    assert site.told["github", "duplicate"] == 1


def test_a_request_of_long_ago_or_of_the_future_is_refused(site: Site) -> None:
    assert site.post("generic", **site.signed(ago=299))[0] == 202
    status, detail = site.post("generic", **site.signed("msg_2", ago=301))
    assert (status, "five minutes" in detail) == (401, True)
    assert site.post("generic", **site.signed("msg_3", ago=-301))[0] == 401
    assert site.nudges == 1


def test_a_replay_is_known_for_as_long_as_its_timestamp_counts(site: Site) -> None:
    headers = site.signed(ago=-200)
    assert site.post("generic", **headers)[0] == 202
    site.clock.advance(499)
    assert site.post("generic", **headers)[0] == 200


def test_secrets_that_are_changed_count_side_by_side(site: Site) -> None:
    site.secrets["github"] = ["the new one", SECRET]
    assert site.post("github", X_Hub_Signature_256=hub())[0] == 202
    assert site.post("github", b"{}", X_Hub_Signature_256=hub(b"{}", "the new one"))[0] == 202


def test_a_secret_is_read_anew_after_a_while(site: Site) -> None:
    assert site.post("github", X_Hub_Signature_256=hub())[0] == 202
    site.secrets["github"] = ["the new one"]
    site.clock.advance(hooks.SECRET_SECONDS + 1)
    assert site.post("github", b"{}", X_Hub_Signature_256=hub(b"{}"))[0] == 401
    assert site.post("github", b"{}", X_Hub_Signature_256=hub(b"{}", "the new one"))[0] == 202


def test_a_secret_that_cannot_be_read_is_told_without_a_word_of_where_it_is(site: Site) -> None:
    site.secrets["github"] = []
    assert site.post("github", X_Hub_Signature_256=hub()) == (503, "the hook's secret cannot be read")
    assert site.told["github", "failed"] == 1


def test_a_hook_that_nobody_set_up_is_not_there(site: Site) -> None:
    status, detail = site.post("gitea")
    assert (status, "github" in detail) == (404, True)


def test_a_body_beyond_the_limit_is_not_read_to_its_end(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
        client.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{")
        assert client.recv(4096).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
        client.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + bytes(65536) + b"\r\n"
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(hooks.LARGEST // 65536 + 1):
                client.sendall(piece)
        assert client.recv(4096).startswith(b"HTTP/1.1 413")
    assert site.nudges == 0


def test_a_body_that_does_not_come_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "SLOWEST", 0.1)
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
        client.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        assert client.recv(4096).startswith(b"HTTP/1.1 408")
    assert site.told["github", "refused"] == 1


def test_a_head_that_does_not_come_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.server._HEADER_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
        client.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert client.recv(4096) == b""


@given(st.binary(max_size=200), st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=80))
def test_no_header_that_nobody_signed_is_good(body: bytes, text: str) -> None:
    for forge, scheme in signatures.SCHEMES.items():
        for name in ("x-hub-signature-256", "x-hub-signature", "x-gitlab-token", "webhook-signature"):
            headers = {name: text, "webhook-id": "a", "webhook-timestamp": "0"}
            check = scheme(headers, [SECRET], 0.0)
            check.feed(body)
            assert check.refusal() is not None, forge


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_a_body_in_pieces_is_the_body(body: bytes, size: int) -> None:
    check = signatures.SCHEMES["github"]({"x-hub-signature-256": hub(body)}, ["another", SECRET], 0.0)
    for start in range(0, len(body), size):
        check.feed(body[start : start + size])
    assert check.refusal() is None
