"""`get`, `describe`, `events`, `history`: from the config store, and from a running controller, the same."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from controller.cli import readers
from controller.overview import Overview
from controller.sandbox import Sandbox
from controller.web.app import Shown, create_app
from controller.web.health import Health
from controller.web.hooks import Hooks
from controller.web.live import Live
from controller.web.server import Server
from tests.support.looking import look_at, said
from tests.support.playground import CLUSTER, REGION, Playground

SERVICE = f"main/{REGION}/{CLUSTER}/example"


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """For those that only look."""
    specs = tmp_path_factory.mktemp("world") / "specs"
    specs.mkdir()
    with Sandbox(region=REGION) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        yield look_at(Playground(sandbox, specs))


@pytest.fixture
def server(routed: Playground) -> Iterator[str]:
    overview = Overview(
        routed.app.world, routed.controller, routed.app.shards, routed.journal, routed.sandbox.clock.now
    )
    health = Health(routed.clock, lambda: None, lambda: True, limit=600, grace=60)
    shown = Shown(
        overview, overview, list, Hooks({}, lambda: None, routed.clock, lambda *_: None), Live(overview.version)
    )
    found = Server(create_app(routed.metrics.render, health, shown), "127.0.0.1", 0)
    found.start()
    yield found.url
    assert found.stop(10)


def test_tables_have_what_a_person_looks_for(routed: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(routed, capsys, "get", "services").splitlines()
    assert lines[0].split() == ["SERVICE", "READY", "REASON", "ROUTES"]
    assert lines[1].split() == [f"{CLUSTER}/example", "True", "InSync", "web/httpd"]
    assert "MESSAGE" in said(routed, capsys, "get", "services", "-o", "wide").splitlines()[0]
    assert said(routed, capsys, "get", "routes").splitlines()[1].split() == ["web/httpd", "True", "InSync", "1"]
    assert "broken.yaml:" in said(routed, capsys, "get", "problems")
    assert said(routed, capsys, "get", "plans") == "nothing found\n"


@pytest.mark.parametrize("kind", ["services", "routes", "problems", "rollouts"])
def test_the_config_store_and_a_running_controller_tell_the_same(
    routed: Playground, server: str, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    store = json.loads(said(routed, capsys, "get", kind, "-o", "json"))
    assert json.loads(said(routed, capsys, "get", kind, "-o", "json", "--server", server)) == store
    assert yaml.safe_load(said(routed, capsys, "get", kind, "-o", "yaml")) == store


def test_history_tells_who_changed_what_and_why(
    routed: Playground, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(routed, capsys, "history", "example")
    assert told == said(routed, capsys, "history", SERVICE, "--server", server)
    assert "RolloutStarted  example:3 → example:4" in told
    assert "came without the router" in told
    assert "by arn:aws:sts::123456789012:user/moto" in told
    assert "log_router" not in told
    assert '+      "name": "log_router"' in said(routed, capsys, "history", "example", "-o", "wide")
    rows = json.loads(said(routed, capsys, "history", "example", "-o", "json"))["items"]
    assert [row["kind"] for row in rows] == ["RolloutSucceeded", "RolloutStarted"] * 2


def test_events_of_a_service_of_a_route_and_of_all(
    routed: Playground, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = said(routed, capsys, "events", "example")
    assert own.splitlines()[-1].split()[2] == "RolloutSucceeded"
    assert "DriftFound" in own
    assert "SpecsChanged" not in own
    every = said(routed, capsys, "events")
    assert "SpecsChanged" in every
    assert "SpecInvalid" in said(routed, capsys, "events", "--server", server)
    assert "DriftFound" in said(routed, capsys, "events", "web/httpd")


def test_describe_tells_conditions_services_and_events(routed: Playground, capsys: pytest.CaptureFixture[str]) -> None:
    route = said(routed, capsys, "describe", "route", "httpd")
    assert "Ready: True, InSync" in route
    assert f"  {SERVICE}" in route
    service = said(routed, capsys, "describe", "service", "example")
    assert "Routes:" in service
    assert "RolloutStarted" in service


def test_a_name_or_an_end_of_one_is_enough_and_a_wrong_one_is_helped(
    routed: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(said(routed, capsys, "get", "routes", "httpd", "-o", "json"))["key"] == "web/httpd"
    assert "did you mean web/httpd" in said(routed, capsys, "get", "routes", "htpd", status=1)
    assert "there is no service nobody" in said(routed, capsys, "describe", "service", "nobody", status=1)
    assert said(routed, capsys, "get", "routes", "-n", "nobody") == "nothing found\n"
    assert "web/httpd" in said(routed, capsys, "get", "services", "-n", "web")
    said(routed, capsys, "get", "nonsense", status=64)


def test_both_readers_have_every_kind(routed: Playground) -> None:
    store = readers.StoreReader(routed.settings)
    for kind in ("routes", "services", "plans", "events", "problems", "rollouts"):
        assert isinstance(store.rows(kind), list)
