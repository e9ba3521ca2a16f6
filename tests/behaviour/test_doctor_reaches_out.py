"""`logroute doctor` where the fault is not AWS's word: silence, other accounts, the source, and this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from tests.support.doctor import Findings, doctor, secure, troubles
from tests.support.playground import CLUSTER, REGION, Playground, route_yaml

Look = Callable[..., Findings]
ROLE = "arn:aws:iam::222222222222:role/logroute"


@pytest.fixture
def look(play: Playground, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    monkeypatch.setattr("controller.cli.doctor.time.time", play.sandbox.clock.now)
    secure(play.s3)
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.write("class.yaml", (play.specs / "class.yaml").read_text().replace("rollout:", "engine: unchecked, rollout:"))
    return lambda *options, **more: doctor(play, capsys, tmp_path / "run", *options, **more)


def said(found: Findings, check: str) -> str:
    return next(
        f"{one['message']} {one['hint']}" for one in found if one["check"] == check and one["verdict"] != "pass"
    )


def test_an_endpoint_that_hangs_is_a_line_and_not_a_wait(
    play: Playground, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.aws.probe.SECONDS", 0.3)
    play.sandbox.add_fault(calls="s3:*", effect="hang", seconds=1, times=0)
    found = look()
    assert troubles(found) == {"bucket": "fail"}
    assert "ReadTimeoutError" in said(found, "bucket")


def test_nobody_at_the_endpoint(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    found = look()
    assert troubles(found) == {"credentials": "fail"}
    assert "AWS_ENDPOINT_URL" in said(found, "credentials")


def test_somebody_else_s_page_is_not_taken_for_aws(play: Playground, look: Look) -> None:
    play.sandbox.add_fault(calls="sts:*", effect="garbage", times=0)
    assert troubles(look())["credentials"] == "fail"


def test_a_role_that_cannot_be_assumed_stops_its_own_account_alone(play: Playground, look: Look) -> None:
    play.sandbox.add_fault(calls="sts:AssumeRole", effect="error", code="AccessDenied", status=403, times=0)
    found = look(accounts={"main": {}, "data": {"roleArn": ROLE, "externalId": "x1", "regions": [REGION]}})
    assert troubles(found) == {"credentials": "fail"}
    assert ROLE in said(found, "credentials")
    assert "logroute iam controller --trust" in said(found, "credentials")
    assert {one["place"] for one in found if one["check"] == "bucket-conditions"} == {f"main/{REGION}"}


def test_another_account_is_looked_at_through_its_role(look: Look) -> None:
    found = look(accounts={"main": {}, "data": {"roleArn": ROLE, "regions": [REGION]}})
    assert {one["place"] for one in found if one["check"] == "credentials" and one["verdict"] == "pass"} == {
        f"main/{REGION}",
        f"data/{REGION}",
    }


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("cluster: nowhere, services: [example]", "there is no cluster nowhere"),
        (f"cluster: {CLUSTER}, services: [exampel]", f"no service in {CLUSTER} matches exampel"),
        (f"account: nobody, cluster: {CLUSTER}, services: [example]", f"the settings know no nobody/{REGION}"),
    ],
)
def test_a_target_that_names_nothing_is_a_warning(play: Playground, look: Look, target: str, words: str) -> None:
    right = f"cluster: {CLUSTER}, services: [example]"
    play.write("lost.yaml", route_yaml("lost").replace(right, target))
    found = look()
    assert troubles(found) == {"targets": "warn"}
    assert words in said(found, "targets")
    assert "lost.yaml:" in said(found, "targets")


def test_specs_with_errors_are_counted(play: Playground, look: Look) -> None:
    play.write("broken.yaml", route_yaml("broken").replace("pipeline:", "pipelin:"))
    found = look()
    assert troubles(found) == {"specs": "warn"}
    assert "logroute validate" in said(found, "specs")


@pytest.mark.parametrize(
    "source", ["/no/such/folder", "git+https://127.0.0.1:9/specs.git", "s3://no-such-bucket/x", ""]
)
def test_a_source_that_cannot_be_read(look: Look, source: str) -> None:
    assert troubles(look(source=source)) == {"source": "fail"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"source": "git+file:///r", "git": {"verify": {"keys": ["/no/such/keys"]}}}, "/no/such/keys cannot be read"),
        ({"git": {"verify": {"keys": ["/no/such/keys"]}}}, "is no git repository"),
        ({"s3": {"bucketOwner": "123456789012"}}, "is not in S3"),
    ],
)
def test_protections_of_a_source_that_cannot_be_had(look: Look, more: dict[str, Any], words: str) -> None:
    found = look(**more)
    assert troubles(found) == {"source": "fail"}
    assert words in said(found, "source")


def test_the_token_of_a_source_is_in_no_line(look: Look, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hunter2hunter2")
    token.chmod(0o600)
    found = look(source="git+https://127.0.0.1:9/specs.git", git={"tokenFile": str(token)})
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("setting", "mode", "verdict"),
    [
        ("sshKeyFile", 0o644, "fail"),
        ("tokenFile", 0o644, "warn"),
        ("tokenFile", None, "fail"),
        ("sshKeyFile", 0o600, ""),
    ],
)
def test_files_of_git_are_there_and_private(
    look: Look, tmp_path: Path, setting: str, mode: int | None, verdict: str
) -> None:
    file = tmp_path / "secret"
    if mode is not None:
        file.write_text("x")
        file.chmod(mode)
    assert troubles(look(git={setting: str(file)})).get("git-files", "") == verdict


def test_an_engine_that_is_none_and_one_that_is_missing(play: Playground, look: Look) -> None:
    play.remove("class.yaml")
    assert troubles(look()) == {"engine": "warn"}
    found = look(fluentBit={"5.0.9": "/bin/true"})
    assert troubles(found) == {"engine": "fail"}
    assert "/bin/true" in said(found, "engine")


def test_an_address_that_is_taken_is_a_warning(look: Look) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert troubles(look(listen=f"127.0.0.1:{taken.getsockname()[1]}")) == {"listen": "warn"}


@pytest.mark.parametrize(
    "more", [{"configStores": "s3://x/y"}, {"poll": "often"}, {"tenants": [{}]}, {"accounts": {"a": {"roleArn": ROLE}}}]
)
def test_settings_that_cannot_be_used_are_one_line(look: Look, more: dict[str, Any]) -> None:
    found = look(**more)
    assert [(one["check"], one["verdict"]) for one in found] == [("settings", "fail")]


def test_a_store_that_ignores_conditions_is_refused(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    from controller.doctor import store

    plain = store._put
    monkeypatch.setattr(store, "_put", lambda bucket, key, body, **_: plain(bucket, key, body))
    found = look()
    assert troubles(found) == {"bucket-conditions": "fail"}
    assert "ignores If-None-Match" in said(found, "bucket-conditions")


def test_people_read_a_line_each_and_what_to_do(look: Look, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    look()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--config", str(tmp_path / "run" / "settings.yaml"), "--source", str(tmp_path / "gone")])
    shown = capsys.readouterr().out
    assert ended.value.code == 1
    assert "  fail  source: " in shown
    assert f"main/{REGION}\n  pass  credentials: account 123456789012" in shown
    assert shown.splitlines()[-1].endswith("1 fail")
