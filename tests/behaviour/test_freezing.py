"""Routes that meet on a service: one that may not be written freezes what it shares, and nothing else."""

from __future__ import annotations

import pytest

from tests.support.commands import commands
from tests.support.playground import (
    CLUSTER,
    PREFIX,
    REGION,
    STORE,
    Playground,
    plain_definition,
    route_yaml,
)

JSON_LINES = "[{name: stdout, format: json_lines}]"
NOWHERE = '[{name: "null"}]'
NEW_IMAGE = "httpd:2.4.65"
SUSPEND, WARN = "  suspend: true\n", "  mode: warn\n"


def first(outputs: str = "[{name: stdout}]", extra: str = "", services: str = "[example]") -> str:
    return route_yaml("first", services, outputs, extra)


def second(outputs: str = NOWHERE, extra: str = "") -> str:
    """On the shared service, and on one of its own."""
    return route_yaml("second", "[example, own]", outputs, extra)


def meeting(play: Playground) -> None:
    for name in ("example", "own"):
        play.service(name)
    play.write("first.yaml", first())
    play.write("second.yaml", second())
    play.settle()
    assert play.is_routed()
    assert play.is_routed("own")


def said(play: Playground, condition: str, route: str = "web/second") -> str:
    rows = play.controller.board.plain()["routes"][route]
    return str(next(one["message"] for one in rows if one["condition"] == condition))


def config_of(play: Playground, service: str = "example") -> bytes:
    """The pipeline that the service's router loads."""
    named = {one["value"] for one in play.containers(service)["log_router"]["environment"]}
    (found,) = (body for key, body in play.configs().items() if any(value.endswith(key) for value in named))
    return found


def runs(play: Playground, service: str) -> str:
    return str(play.sandbox.service(CLUSTER, service)["taskDefinition"])


@pytest.mark.parametrize(("extra", "reason"), [(SUSPEND, "Suspended"), (WARN, "WarnOnly")])
def test_a_frozen_route_freezes_the_services_that_it_shares_and_no_others(
    play: Playground, extra: str, reason: str
) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=extra))
    play.settle()
    before = runs(play, "example"), runs(play, "own")
    play.write("second.yaml", second(JSON_LINES))
    play.settle()
    assert runs(play, "example") == before[0]
    assert runs(play, "own") != before[1]
    assert play.is_routed("own")
    assert play.reason() == reason
    assert play.status("web/second")["Ready"] == ("False", reason)
    assert said(play, "Ready").startswith("web/first ")


@pytest.mark.parametrize(("extra", "reason"), [(SUSPEND, "Suspended"), (WARN, "WarnOnly")])
def test_the_others_say_so_before_they_change_anything(play: Playground, extra: str, reason: str) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=extra))
    play.settle()
    assert play.status("web/second")["Ready"] == ("True", "InSync")
    assert play.status("web/second")["Suspended"] == ("False", reason)
    assert said(play, "Suspended").startswith("web/first ")


@pytest.mark.parametrize("extra", [SUSPEND, WARN])
def test_a_thawed_route_lets_the_others_go_on(play: Playground, extra: str) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=extra))
    play.write("second.yaml", second(JSON_LINES))
    play.settle()
    before = runs(play, "example")
    play.write("first.yaml", first())
    play.settle()
    assert runs(play, "example") != before
    assert play.status("web/second")["Ready"] == ("True", "InSync")
    assert play.status("web/second")["Suspended"][0] == "False"


@pytest.mark.parametrize("extra", [SUSPEND, WARN])
def test_a_route_that_leaves_a_frozen_service_waits(play: Playground, extra: str) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=extra))
    play.settle()
    before = runs(play, "example")
    play.remove("second.yaml")
    play.settle()
    assert runs(play, "example") == before
    assert not play.is_routed("own")


def test_a_suspended_route_that_looks_elsewhere_stays_in_what_it_left(play: Playground) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=SUSPEND, services="[elsewhere]"))
    play.settle()
    before = runs(play, "example")
    play.write("second.yaml", second(JSON_LINES))
    play.settle()
    assert runs(play, "example") == before
    assert play.reason() == "Suspended"


def test_a_new_route_does_not_join_a_frozen_service(play: Playground) -> None:
    play.service()
    play.write("first.yaml", first(extra=SUSPEND))
    play.write("second.yaml", second())
    play.settle()
    assert not play.is_routed()
    assert play.status("web/second")["Ready"] == ("False", "Suspended")


def test_drift_of_a_frozen_service_is_reported_by_all_its_routes(play: Playground) -> None:
    meeting(play)
    play.write("first.yaml", first(extra=WARN))
    play.deploy(plain_definition(image=NEW_IMAGE))
    play.settle()
    assert not play.is_routed()
    assert play.status("web/first")["Drifted"][0] == "True"
    assert play.status("web/second")["Drifted"][0] == "True"


def test_an_invalid_route_stays_in_force_as_it_was_and_the_others_go_on(play: Playground) -> None:
    meeting(play)
    play.write("first.yaml", first("[{name: no_such_output}]"))
    before = runs(play, "example")
    play.write("second.yaml", second(JSON_LINES))
    play.settle()
    assert runs(play, "example") != before
    assert b"web.first." in config_of(play)
    assert play.status("web/first")["Stalled"] == ("True", "InvalidSpec")
    assert play.status("web/second")["Ready"] == ("True", "InSync")


def test_an_invalid_route_of_which_nothing_is_known_freezes_what_it_is_in(play: Playground) -> None:
    meeting(play)
    play.write("first.yaml", first("[{name: no_such_output}]"))
    forget_routes(play)
    before = runs(play, "example"), runs(play, "own")
    play.write("second.yaml", second(JSON_LINES))
    play.start()
    play.settle()
    assert runs(play, "example") == before[0]
    assert runs(play, "own") != before[1]
    assert play.status("web/second")["Ready"] == ("False", "Unknown")
    assert "web/first routed it, and is neither in force nor known to be deleted" in said(play, "Ready")


def test_a_route_that_is_readable_again_is_known_again(play: Playground) -> None:
    meeting(play)
    play.write("first.yaml", first("[{name: no_such_output}]"))
    forget_routes(play)
    play.write("second.yaml", second(JSON_LINES))
    play.start()
    play.settle()
    play.write("first.yaml", first())
    play.settle()
    assert play.status("web/second")["Ready"] == ("True", "InSync")
    assert play.status("web/first")["Ready"] == ("True", "InSync")


def forget_routes(play: Playground) -> None:
    for key in play.objects():
        if key.startswith("_state/routes"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")


def test_a_route_that_a_person_suspended_freezes_as_one_that_its_spec_suspends(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting(play)
    play.controller.save_status()
    assert commands(play, monkeypatch)("suspend", "web/first") == 0
    before = runs(play, "example"), runs(play, "own")
    play.write("second.yaml", second(JSON_LINES))
    play.settle()
    assert runs(play, "example") == before[0]
    assert runs(play, "own") != before[1]
    assert said(play, "Ready").startswith("web/first was suspended by ann@laptop")


def test_a_suspended_service_is_named_by_each_route_of_it(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting(play)
    play.controller.save_status()
    assert commands(play, monkeypatch)("suspend", "--service", f"{CLUSTER}/example") == 0
    play.settle()
    for route in ("web/first", "web/second"):
        assert play.status(route)["Suspended"] == ("False", "Suspended")
        assert said(play, "Suspended", route).startswith(f"main/{REGION}/{CLUSTER}/example was suspended")
