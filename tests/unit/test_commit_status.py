"""Each commit is told at its forge what became of it, once for each thing that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from controller.notifying.commits import CommitStatus, CommitStatusSettings, Verdict, repository_of, verdict
from controller.notifying.http import Again
from controller.overview import NOTHING
from controller.secret_reader import SecretReader
from controller.settings import Settings, SettingsError
from controller.sourcing import repository
from tests.unit.test_notifying import Endpoint, endpoint

__all__ = ["endpoint"]
COMMIT = "4f3c" * 10
TOKEN = "ghp_token-of-these-tests"


def service(reason: str = "InSync", message: str = "") -> dict[str, Any]:
    return {"ready": reason == "InSync", "reason": reason, "message": message}


def status(**more: Any) -> dict[str, Any]:
    return {**NOTHING, "revision": COMMIT, "services": {"a": service(), "b": service()}, **more}


PROBLEM = {"file": "a.yaml", "line": 3, "column": 5, "severity": "error", "message": "s3 needs bucket"}


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (status(), "success", "all 2 services"),
        (status(services={"a": service("RollingOut"), "b": service()}), "pending", "1 of 2"),
        (
            status(services={"a": service("WaitingForTurn"), "b": service("RolledBack", "it died")}),
            "failure",
            "b: RolledBack: it died",
        ),
        (status(problems=[PROBLEM, PROBLEM]), "failure", "a.yaml:3:5: s3 needs bucket and 1 more"),
        (status(problems=[{**PROBLEM, "severity": "warning"}]), "success", "applied"),
        (status(sourceError="not signed", refused=COMMIT), "failure", "not signed"),
        (status(services={"a": service("PermissionsMissing", "x" * 500)}), "failure", "…"),
    ],
)
def test_what_became_of_a_commit(found: Mapping[str, Any], state: str, words: str) -> None:
    told = verdict(found)
    assert isinstance(told, Verdict)
    assert (told.state, len(told.description) <= 140) == (state, True)
    assert words in told.description


def test_what_is_no_commit_is_not_told() -> None:
    assert verdict(status(revision="sha256:4f")) is None
    assert verdict(status(revision="")) is None


class Room:
    def __init__(self, url: str, forge: str = "github", *, speaks: bool = True) -> None:
        settings = CommitStatusSettings.model_validate({"forge": forge, "token": "env:TOKEN", "api": url})
        self.status = status()
        reader = SecretReader(None, lambda: 0.0, {"TOKEN": TOKEN})
        self.told = CommitStatus(settings, "team/log-routes", "logroute", reader, lambda: self.status, lambda: speaks)


def test_github_is_told_once_for_each_thing(endpoint: Endpoint) -> None:
    room = Room(endpoint.url)
    assert room.told.tell()
    headers, body = endpoint.next()
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert body == {
        "state": "success",
        "description": "applied: all 2 services are as it says",
        "context": "logroute/logroute",
    }
    assert not room.told.tell()
    room.status = status(services={"a": service("RollingOut")})
    assert room.told.tell()
    assert endpoint.next()[1]["state"] == "pending"


def test_gitlab_has_words_and_a_path_of_its_own(endpoint: Endpoint) -> None:
    room = Room(endpoint.url, "gitlab")
    room.status = status(problems=[PROBLEM])
    assert room.told.tell()
    headers, body = endpoint.next()
    assert headers["private-token"] == TOKEN
    assert (body["state"], body["name"]) == ("failed", "logroute/logroute")


def test_a_forge_that_is_unwell_is_tried_again_and_one_that_refuses_is_not(endpoint: Endpoint) -> None:
    room = Room(endpoint.url)
    endpoint.answers = [(502, {}, b""), (200, {}, b"")]
    with pytest.raises(Again):
        room.told.tell()
    assert room.told.tell()
    endpoint.answers = [(403, {}, b"")]
    room.status = status(problems=[PROBLEM])
    assert room.told.tell()
    assert not room.told.tell()


def test_a_replica_that_does_not_look_after_the_source_says_nothing(endpoint: Endpoint) -> None:
    assert not Room(endpoint.url, speaks=False).told.tell()
    assert endpoint.got.empty()


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("github.com/team/log-routes.git", "team/log-routes"),
        ("git@github.com/team/log-routes", "team/log-routes"),
        ("gitlab.example.com/group/sub/log-routes.git/", "group/sub/log-routes"),
    ],
)
def test_the_repository_is_that_of_the_source(location: str, name: str) -> None:
    assert repository_of(location) == name


def test_a_source_without_commits_cannot_be_told() -> None:
    told = {"forge": "github", "token": "env:TOKEN"}
    with pytest.raises(SettingsError, match="no git repository"):
        repository(Settings(source="specs", commit_status=told))
    found = Settings(source="git+https://github.com/team/log-routes.git@main", commit_status=told)
    assert repository(found) == "team/log-routes"
