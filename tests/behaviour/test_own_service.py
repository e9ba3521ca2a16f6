"""The controller leaves its own service alone, unless it is told otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from controller.aws.own import ENDPOINT
from controller.aws.ports import Unreachable
from controller.settings import Guards
from tests.support.playground import CLUSTER, REGION, Playground, plain_definition, route_yaml

TASK = {
    "Cluster": CLUSTER,
    "TaskARN": f"arn:aws:ecs:{REGION}:123456789012:task/{CLUSTER}/3de392df6bfa470b97edaa6f482cd7a0",
    "ServiceName": "example",
    "Family": "example",
}


class Metadata(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(TASK).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def as_a_task(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process looks like a task of the service `example`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{server.server_port}/v4/x")
        yield
        server.shutdown()


@pytest.mark.usefixtures("as_a_task")
def test_the_controllers_own_service_is_refused(play: Playground) -> None:
    play.start()
    play.service()
    play.service("other")
    play.write("all.yaml", route_yaml("all", services='["*"]'))
    play.settle()
    assert play.is_routed("other")
    assert not play.is_routed()
    assert play.reason() == "Self"


@pytest.mark.usefixtures("as_a_task")
def test_the_controllers_own_family_is_refused_whoever_runs_it(play: Playground) -> None:
    """The next deploy of the controller by its family's name would run what was registered last."""
    play.start()
    play.service("twin", definition=plain_definition("example"))
    play.write("twin.yaml", route_yaml("twin", services="[twin]"))
    play.write(
        "jobs.yaml", route_yaml("jobs").replace(f"cluster: {CLUSTER}, services: [example]", "taskFamilies: [ex*]")
    )
    play.settle()
    assert play.revisions() == 1
    reasons = {one["reason"] for one in play.controller.board.plain()["services"].values()}
    assert reasons == {"Self"}


@pytest.mark.usefixtures("as_a_task")
def test_the_controllers_own_service_is_routed_when_told(play: Playground) -> None:
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"self": "allow"})})
    play.start()
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()


def test_metadata_that_does_not_answer_is_said(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1/v4/x")
    with pytest.raises(Unreachable, match=r"guards\.self: allow"):
        play.start()
