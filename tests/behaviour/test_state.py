"""State lost, broken, of another version or out of reach: what is unknown is left alone, and said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.aws.objects import S3Bucket
from controller.aws.ports import AccessDenied
from controller.reconciling.notes import Kind, Note
from tests.support.commands import Command, commands
from tests.support.playground import PREFIX, STORE, Playground, plain_definition, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
NEW_IMAGE = "httpd:2.4.65"
BROKEN = {
    "empty": b"",
    "not JSON": b"{ not json",
    "another type": b"[1, 2]",
    "records of another type": b'{"format": 1, "entries": {"main/ap-northeast-1/a/b": 5}}',
    "a newer format": b'{"format": 2, "entries": {}}',
    "a key that is none": b'{"format": 1, "entries": {"nonsense": 5}}',
}


@pytest.fixture
def logroute(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Command:
    return commands(play, monkeypatch)


def routed(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    play.controller.save_status()


def state(play: Playground, kind: str) -> str:
    """The key of the one object of that kind that holds something."""
    (key,) = (
        key
        for key, body in play.objects().items()
        if key.startswith(f"_state/{kind}/") and json.loads(body).get("entries")
    )
    return key


def put(play: Playground, key: str, body: bytes) -> None:
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=body)


def delete(play: Playground, key: str) -> None:
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{key}")


def is_said(play: Playground, key: str) -> bool:
    errors = play.controller.board.plain()["errors"].values()
    metric = b"\nlogroute_unreadable_state 1.0\n" in play.metrics.render("")[0]
    return metric and any(f"{PREFIX}/{key} is not readable" in error for error in errors)


# Services


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("case", BROKEN)
def test_a_service_whose_memory_is_broken_is_left_alone(play: Playground, case: str, restart: bool) -> None:
    routed(play)
    key = state(play, "services")
    put(play, key, BROKEN[case])
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    if restart:
        play.start()
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert play.objects()[key] == BROKEN[case]
    assert play.reason() == "Unknown"
    assert play.status()["Ready"] == ("False", "Unknown")
    assert is_said(play, key)


def test_a_memory_with_fields_of_a_newer_version_is_left_alone(play: Playground) -> None:
    routed(play)
    key = state(play, "services")
    plain = json.loads(play.objects()[key])
    for one in plain["entries"].values():
        one["field_of_a_newer_version"] = {"a": 1}
    newer = json.dumps(plain).encode()
    put(play, key, newer)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert play.objects()[key] == newer
    assert is_said(play, key)


def test_of_a_service_in_the_state_of_a_newer_version_the_configs_still_come_back(play: Playground) -> None:
    routed(play)
    key = state(play, "services")
    plain = json.loads(play.objects()[key])
    for one in plain["entries"].values():
        one["field_of_a_newer_version"] = {"a": 1}
    put(play, key, json.dumps(plain).encode())
    play.start()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    before = play.configs()
    for config in before:
        delete(play, config)
    play.settle()
    assert before
    assert play.configs() == before
    assert play.reason() == "Unknown"


def test_a_memory_without_the_fields_of_this_version_is_read(play: Playground) -> None:
    """As an older version left it: an upgrade writes what it must, and nothing is unknown."""
    routed(play)
    key = state(play, "services")
    plain = json.loads(play.objects()[key])
    for one in plain["entries"].values():
        for later in ("app", "left_out", "why"):
            del one[later]
    put(play, key, json.dumps(plain).encode())
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.start()
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")
    assert play.is_routed()


def test_a_memory_that_vanishes_beside_a_running_controller_freezes(play: Playground) -> None:
    routed(play)
    key = state(play, "services")
    delete(play, key)
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    assert is_said(play, key)
    assert key not in play.objects()


def test_the_rest_goes_on_where_one_part_of_the_state_is_broken(play: Playground) -> None:
    play.service("other")
    play.write("other.yaml", route_yaml("other", services="[other]"))
    routed(play)
    before = {key: body for key, body in play.objects().items() if key.startswith("_state/services/")}
    (key,) = (key for key, body in before.items() if b'/example"' in body and b'/other"' not in body)
    put(play, key, b"{")
    for name in ("example", "other"):
        play.deploy(plain_definition(name, image=NEW_IMAGE), name)
    play.settle()
    assert (play.is_routed(), play.is_routed("other")) == (False, True)


# Routes


@pytest.mark.parametrize("case", BROKEN)
def test_a_deleted_route_of_which_nothing_is_known_restores_nothing(play: Playground, case: str) -> None:
    routed(play)
    key = state(play, "routes")
    put(play, key, BROKEN[case])
    play.remove("httpd.yaml")
    play.start()
    play.settle()
    assert play.is_routed()
    assert play.reason() == "Unknown"
    assert play.objects()[key] == BROKEN[case]
    assert is_said(play, key)


def test_broken_memory_of_routes_is_said_by_a_running_controller_that_goes_on(play: Playground) -> None:
    """What the source says needs no memory."""
    routed(play)
    key = state(play, "routes")
    put(play, key, b"{")
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")
    assert is_said(play, key)
    assert play.objects()[key] == b"{"


# Notes


@pytest.mark.parametrize("case", BROKEN)
def test_where_the_notes_are_broken_what_they_may_suspend_is_not_written(
    play: Playground, logroute: Command, case: str
) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    key = state(play, "notes")
    put(play, key, BROKEN[case])
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    revisions = play.revisions()
    if case == "records of another type":
        play.start()
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("False", "Unknown")
    assert play.objects()[key] == BROKEN[case]
    assert is_said(play, key)


def test_a_command_does_not_write_over_notes_that_it_cannot_read(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    key = state(play, "notes")
    put(play, key, b'{"format": 2}')
    assert logroute("resume", "web/httpd") == 1
    assert "nothing was written" in capsys.readouterr().err
    assert play.objects()[key] == b'{"format": 2}'


def test_a_broken_approval_approves_nothing(play: Playground, logroute: Command) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    for path in play.specs.iterdir():
        path.unlink()
    play.settle()
    notes = play.app.world.notes
    ((digest, _),) = notes.all(Kind.BLOCKED).items()
    assert logroute("approve", digest) == 0
    for key, body in play.objects().items():
        if key.startswith("_state/notes/") and b"approved" in body:
            put(play, key, b"{")
    play.settle()
    assert play.is_routed()
    assert play.reason() == "PlanBlocked"


def test_a_suspend_and_a_pass_that_writes_notes_at_once_both_count(play: Playground, logroute: Command) -> None:
    """The controller knows an older version of the object than the command wrote."""
    routed(play)
    logroute("suspend", "web/httpd")
    notes = play.app.world.notes
    notes.keep(Kind.SUSPENDED, {f"web/route-{number}": Note("bob", 1.0) for number in range(40)})
    notes.ledger.load()
    assert len(notes.all(Kind.SUSPENDED)) == 41


# The status


@pytest.mark.parametrize("body", [None, b"{ not json", b"[]", b'{"format": 99}'])
def test_a_status_that_is_lost_or_spoilt_is_written_again(play: Playground, body: bytes | None) -> None:
    routed(play)
    play.settle(times=1)
    play.controller.save_status()
    before = play.objects()["_state/status.json"]
    if body is None:
        delete(play, "_state/status.json")
    else:
        put(play, "_state/status.json", body)
    play.step()
    play.controller.save_status()
    assert play.objects()["_state/status.json"] == before


@pytest.mark.parametrize("command", [["status"], ["suspend", "web/httpd"]])
@pytest.mark.parametrize(
    "body", [b"", b"{ not json", b"[]", b"5", b"{}", b'{"format": 99}', b'{"format": 1}', b'{"format": 1, "routes": 5}']
)
def test_a_status_that_cannot_be_read_is_an_error_without_a_traceback(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str], command: list[str], body: bytes
) -> None:
    put(play, "_state/status.json", body)
    assert logroute(*command) == 1
    said = capsys.readouterr().err
    assert "status.json" in said
    assert "bug" not in said


# S3 itself


def test_without_a_right_to_read_state_nothing_is_decided(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    routed(play)
    play.remove("httpd.yaml")
    play.start()
    monkeypatch.setattr(S3Bucket, "list", _denied)
    with pytest.raises(AccessDenied):
        play.controller.poll_source()
    assert not play.controller.has_specs
    assert play.is_routed()


def test_a_right_that_is_taken_away_stops_writes_and_is_said(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    routed(play)
    revisions = play.revisions()
    with monkeypatch.context() as patch:
        for operation in ("list", "get", "put"):
            patch.setattr(S3Bucket, operation, _denied)
        play.deploy(plain_definition(image=NEW_IMAGE))
        play.settle()
        assert not play.is_routed()
        assert play.revisions() == revisions + 1
        assert "AccessDenied" in str(play.controller.board.plain()["errors"])
        assert play.status()["Ready"][0] == "False"
    play.settle()
    assert play.is_routed()


def _denied(*_: Any, **__: Any) -> None:
    raise AccessDenied("s3:ListBucket", STORE, "AccessDenied", "no")


def test_a_config_object_comes_back_although_the_notes_cannot_be_read(
    play: Playground, logroute: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    routed(play)
    logroute("suspend", "web/httpd")
    before = play.configs()
    for key in before:
        delete(play, key)
    real = S3Bucket.get

    def get(self: S3Bucket, key: str, **more: Any) -> Any:
        return _denied() if "/notes/" in key else real(self, key, **more)

    monkeypatch.setattr(S3Bucket, "get", get)
    play.step()
    assert play.configs() == before
    assert "AccessDenied" in str(play.controller.board.plain()["errors"])


def test_a_bucket_that_is_gone_stops_writes_and_is_said(play: Playground) -> None:
    routed(play)
    for key in play.objects():
        delete(play, key)
    play.s3.delete_bucket(Bucket=STORE)
    play.deploy(plain_definition(image=NEW_IMAGE))
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert "NoSuchBucket" in str(play.controller.board.plain()["errors"])


def test_a_command_says_that_the_bucket_is_gone(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    play.s3.delete_bucket(Bucket=STORE)
    for command in (["status"], ["suspend", "web/httpd"], ["approve", "0123456789ab"]):
        assert logroute(*command) == 1
        assert "NoSuchBucket" in capsys.readouterr().err
