"""Notifications over real sockets: what goes out, to whom, how often, and what a bad endpoint can do (nothing)."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from controller.api.events import Event, EventKind, Level
from controller.notifying import http, render
from controller.notifying.http import Again, Poster, Rejected
from controller.notifying.rules import ONCE_SECONDS, Repeats, Rule
from controller.notifying.sender import ATTEMPTS, GATHER_SECONDS, MOST_WAITING, Sender, Sink
from controller.notifying.settings import NotificationSettings
from controller.notifying.sinks import sinks
from controller.runtime.clock import ManualClock
from controller.sandbox import Sandbox
from controller.secret_reader import SecretReader
from controller.web.signatures import standard

REGION = "ap-northeast-1"
SERVICE = f"main/{REGION}/prod/web"


def event(kind: EventKind = EventKind.ROLLED_BACK, about: str = SERVICE, **more: Any) -> Event:
    return Event(**{"at": 1.0, "kind": kind, "about": about, "message": "it failed", **more})


class Endpoint:
    """A server that answers what a test tells it to, and keeps what it got."""

    def __init__(self) -> None:
        self.got: SimpleQueue[tuple[dict[str, str], bytes]] = SimpleQueue()
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                endpoint.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
                status, headers, answer = endpoint.answers.pop(0) if endpoint.answers else (200, {}, b"ok")
                self.send_response(status)
                for name, value in {"content-length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def next(self) -> tuple[dict[str, str], Any]:
        headers, body = self.got.get(timeout=10)
        return headers, json.loads(body)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.server.shutdown()
    found.server.server_close()


class Room:
    """Sinks of settings, with a clock that is turned."""

    def __init__(
        self, *settings: dict[str, Any], topic: Callable[[str], Any] = lambda _arn: None, **secrets: str
    ) -> None:
        self.clock, self.counts = ManualClock(), Counter[tuple[str, str]]()
        reader = SecretReader(None, self.clock.monotonic, secrets)
        models = [NotificationSettings.model_validate(one) for one in settings]
        now = lambda: self.clock.now().timestamp()  # noqa: E731 - each time anew
        found = sinks(models, "logroute", reader, topic, now)
        self.told: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self.senders = [Sender(one, self.clock, self._count, jitter=lambda: 1.0) for one in found]
        for sender in self.senders:
            sender.start()

    def _count(self, *what: str) -> None:
        self.counts.update([what])  # type: ignore[list-item] # two words
        self.told.put(what)  # type: ignore[arg-type] # the same

    def tell(self, *events: Event) -> None:
        for one in events:
            for sender in self.senders:
                sender.tell(one)

    def turn(self, seconds: float = GATHER_SECONDS) -> None:
        self.clock.advance(seconds)

    def result(self) -> tuple[str, str]:
        return self.told.get(timeout=10)

    def stop(self) -> None:
        for sender in self.senders:
            assert sender.stop(10)


def webhook(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    return {"name": "hook", "webhook": {"url": endpoint.url, "secret": "env:SIGNING"}, **more}


SIGNING = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or more").decode()


def test_a_webhook_is_signed_as_its_specification_says(endpoint: Endpoint) -> None:
    room = Room(webhook(endpoint), SIGNING=SIGNING)
    room.tell(event())
    room.turn()
    headers, body = endpoint.got.get(timeout=10)
    check = standard(headers, [SIGNING], room.clock.now().timestamp())
    check.feed(body)
    assert check.refusal() is None
    plain = json.loads(body)
    assert (plain["type"], plain["owner"], plain["events"][0]["kind"]) == ("logroute.events", "logroute", "RolledBack")
    mac = hmac.new(base64.b64decode(SIGNING.removeprefix("whsec_")), digestmod="sha256")
    mac.update(f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac.digest()).decode()}"
    room.stop()


def test_what_comes_together_goes_as_one_message_and_the_rest_is_counted(endpoint: Endpoint) -> None:
    room = Room(webhook(endpoint), SIGNING="any text")
    room.tell(*(event(about=f"main/{REGION}/prod/web-{number}") for number in range(50)))
    room.turn()
    _, body = endpoint.next()
    assert (len(body["events"]), body["more"]) == (20, 30)
    room.stop()


def test_the_same_is_told_once_an_hour_and_then_how_often_it_came(endpoint: Endpoint) -> None:
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event(), event(), event(digest="another"))
    room.turn()
    assert len(endpoint.next()[1]["events"]) == 2
    assert room.counts["hook", "suppressed"] == 1
    room.clock.advance(ONCE_SECONDS)
    room.tell(event())
    room.turn()
    assert "and 1 more like it" in endpoint.next()[1]["events"][0]["message"]
    room.stop()


@pytest.mark.parametrize("answer", [(500, {}), (503, {}), (429, {})])
def test_an_endpoint_that_is_unwell_is_tried_again_with_the_same_id(
    endpoint: Endpoint, answer: tuple[int, dict[str, str]]
) -> None:
    endpoint.answers = [(*answer, b"no")]
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event())
    room.turn()
    first, _ = endpoint.next()
    assert room.result() == ("hook", "retried")
    room.turn(60)
    second, _ = endpoint.next()
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert room.result() == ("hook", "sent")
    room.stop()


def test_how_long_to_wait_the_endpoint_may_say(endpoint: Endpoint) -> None:
    endpoint.answers = [(429, {"retry-after": "40"}, b"")]
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event())
    room.turn()
    endpoint.next()
    assert room.result() == ("hook", "retried")
    room.turn(39)
    assert endpoint.got.empty()
    room.turn(1)
    endpoint.next()
    room.stop()


@pytest.mark.parametrize("answer", [(400, {}), (404, {}), (302, {"location": "http://127.0.0.1:1/elsewhere"})])
def test_what_is_refused_is_dropped_and_a_redirect_is_a_refusal(
    endpoint: Endpoint, answer: tuple[int, dict[str, str]]
) -> None:
    endpoint.answers = [(*answer, b"")]
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event())
    room.turn()
    endpoint.next()
    assert room.result() == ("hook", "dropped")
    assert endpoint.got.empty()
    room.stop()


def test_after_six_attempts_it_is_dropped_and_the_next_goes_on(endpoint: Endpoint) -> None:
    endpoint.answers = [(500, {}, b"")] * ATTEMPTS
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event())
    for _ in range(ATTEMPTS):
        room.turn(300)
        endpoint.next()
        result = room.result()
    assert result == ("hook", "dropped")
    room.tell(event(message="another", digest="d"))
    room.turn()
    endpoint.next()
    assert room.result() == ("hook", "sent")
    room.stop()


def test_an_endpoint_that_hangs_holds_up_nobody_else(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        hangs = {"name": "hangs", "webhook": {"url": url, "secret": "env:SIGNING"}}
        room = Room(hangs, webhook(endpoint), SIGNING="x")
        room.tell(event())
        room.turn()
        endpoint.next()
        assert {room.result(), room.result()} == {("hook", "sent"), ("hangs", "retried")}
        room.stop()


def test_an_endpoint_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.3)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    client.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        Poster().post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
        over.set()
        thread.join(10)
        assert not thread.is_alive()


def test_a_large_answer_is_not_read() -> None:
    found = Endpoint()
    found.answers = [(200, {}, b"x" * 50_000_000)]
    Poster().post(found.url, b"{}", {})
    found.server.shutdown()
    found.server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "gopher://x",
        "http://127.0.0.1@example.com/",
    ],
)
def test_plain_http_goes_to_this_machine_alone(url: str) -> None:
    with pytest.raises(Rejected, match="must be https"):
        Poster().post(url, b"{}", {})


def test_no_answer_at_all_is_worth_another_try_and_names_no_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Again) as caught:
        Poster().post(f"http://127.0.0.1:{port}/T000/SECRET", b"{}", {})
    assert "SECRET" not in str(caught.value)


def test_slack_gets_blocks_and_its_url_is_read_where_it_is_kept(endpoint: Endpoint) -> None:
    room = Room({"name": "chat", "slack": "env:SLACK_URL"}, SLACK_URL=endpoint.url)
    room.tell(event(message="<!channel> *look* & <http://evil|here>", by="@jane"))
    room.turn()
    _, body = endpoint.next()
    text = body["blocks"][0]["text"]["text"]
    assert "RolledBack" in text
    assert "<" not in text
    assert ">" not in text
    room.stop()


def test_a_secret_that_is_missing_is_told_and_tried_again(endpoint: Endpoint) -> None:
    room = Room(webhook(endpoint))
    room.tell(event())
    room.turn()
    assert room.result() == ("hook", "retried")
    room.stop()


def test_a_queue_that_is_full_drops_the_oldest() -> None:
    sender = Sender(Sink("s", Rule(), lambda _events: None), ManualClock(), lambda *_: None)
    for number in range(MOST_WAITING + 7):
        sender.tell(event(digest=str(number)))
    assert sender.waiting == MOST_WAITING


def test_a_stop_sends_what_waits(endpoint: Endpoint) -> None:
    room = Room(webhook(endpoint), SIGNING="x")
    room.tell(event())
    room.stop()
    endpoint.next()


def test_sns_takes_it_with_attributes_for_filters() -> None:
    with Sandbox(region=REGION) as sandbox:
        sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
        arn = sns.create_topic(Name="alerts")["TopicArn"]
        url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        policy = {"FilterPolicy": json.dumps({"severity": ["error"]})}
        sns.subscribe(
            TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:inbox", Attributes=policy
        )
        from controller.api.keys import Place
        from controller.aws.accounts import AwsAccount, Options, Role

        with pytest.MonkeyPatch.context() as patch:
            for name, value in sandbox.environment().items():
                patch.setenv(name, value)
            account = AwsAccount(Place("main", REGION), Role(), Options())
            room = Room({"name": "topic", "severity": "info", "sns": arn}, topic=account.topic)
            room.tell(event(EventKind.ROLLOUT_SUCCEEDED, message="läuft\nwieder"))
            room.turn()
            assert room.result() == ("topic", "sent")
            room.tell(event(message="kaputt"))
            room.turn()
            assert room.result() == ("topic", "sent")
            room.stop()
        (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        told = json.loads(message["Body"])
        assert told["Subject"] == f"LogRoute logroute: RolledBack {SERVICE}: kaputt"
        assert json.loads(told["Message"])["events"][0]["message"] == "kaputt"


@pytest.mark.parametrize(
    ("rule", "told", "wanted"),
    [
        (Rule(), event(), True),
        (Rule(), event(EventKind.ROLLOUT_SUCCEEDED), False),
        (Rule(Level.INFO), event(EventKind.ROLLOUT_SUCCEEDED), True),
        (Rule(Level.INFO), event(EventKind.ROLLOUT_STARTED), False),
        (Rule(kinds=(EventKind.ROLLOUT_STARTED,), least=Level.INFO), event(EventKind.ROLLOUT_STARTED), True),
        (Rule(Level.ERROR), event(EventKind.DRIFT_FOUND), False),
        (Rule(), event(EventKind.SPEC_MENDED, "a.yaml"), True),
        (Rule(Level.ERROR), event(EventKind.SPEC_MENDED, "a.yaml"), False),
        (Rule(routes=("web/*",)), event(routes=("data/x",)), False),
        (Rule(routes=("web/*",)), event(routes=("data/x", "web/httpd")), True),
        (Rule(routes=("web/*",)), event(EventKind.PLAN_BLOCKED, ""), True),
    ],
)
def test_each_sink_gets_what_it_asked_for(rule: Rule, told: Event, wanted: bool) -> None:
    assert rule.wants(told) is wanted


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"name": "x"}, "exactly one"),
        (
            {"name": "x", "slack": "env:A", "sns": f"arn:aws:sns:{REGION}:123456789012:t"},
            "exactly one",
        ),
        (
            {"name": "x", "slack": "https://hooks.slack.com/services/T0/B0/hunter2"},
            "must say where the secret is",
        ),
        ({"name": "x", "sns": "topic"}, "match pattern"),
        ({"name": "x", "severity": "loud", "slack": "env:A"}, "severity"),
        ({"name": "x", "kinds": ["Nothing"], "slack": "env:A"}, "kinds"),
    ],
)
def test_settings_that_make_no_sense_are_refused_without_showing_a_secret(given_: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NotificationSettings.model_validate(given_)
    told = "\n".join(
        f"{one['loc']} {one['msg']}" for one in caught.value.errors(include_input=False, include_url=False)
    )
    assert words in told
    assert "hunter2" not in told


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4000)


@given(st.lists(st.builds(event, about=TEXTS, message=TEXTS, by=TEXTS), min_size=1, max_size=60))
def test_no_text_breaks_out_of_a_slack_message(events: list[Event]) -> None:
    found = render.slack(events, "logroute")
    assert len(found["blocks"]) <= 50
    for block in found["blocks"][:-1]:
        text = block["text"]["text"]
        assert len(text) <= 3000
        assert not set(text) & set("<>")
        bare = text.partition("*")[2].partition("*")[2]  # behind the kind, which is ours
        for mark in "*_~`@#:":
            at = bare.find(mark)
            assert at < 0 or bare[at - 1 : at] in ("\u2060", "")
    subject, body, attributes = render.sns(events, "logroute")
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()
    assert json.loads(body)["owner"] == "logroute"
    assert attributes["severity"] in ("info", "warning", "error")


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 4000)), max_size=50))
def test_the_same_never_goes_twice_within_the_hour(asked: list[tuple[int, float]]) -> None:
    repeats, now, sent = Repeats(), 0.0, dict[int, float]()
    for which, later in asked:
        now += later
        first = repeats.first(event(digest=str(which)), now)
        assert (first is None) == (which in sent and now - sent[which] < ONCE_SECONDS)
        if first is not None:
            sent[which] = now
