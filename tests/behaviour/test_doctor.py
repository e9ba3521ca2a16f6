"""`logroute doctor`: a healthy world passes, and each fault is told on its own line, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.doctor import BLOCKS, Findings, doctor, secure, troubles
from tests.support.playground import CLUSTER, REGION, STORE, Playground, route_yaml

Look = Callable[..., Findings]


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


def line(found: Findings, check: str) -> dict[str, str]:
    return next(one for one in found if one["check"] == check and one["verdict"] != "pass")


def deny(play: Playground, calls: str, code: str = "AccessDenied", **more: Any) -> None:
    play.sandbox.add_fault(calls=calls, effect="error", code=code, status=403, times=0, **more)


def test_a_healthy_world_passes_and_stays_as_it_was(play: Playground, look: Look) -> None:
    before, revisions = play.objects(), play.revisions()
    found = look()
    assert troubles(found) == {}
    assert {"credentials", "clock", "bucket", "bucket-conditions", "permissions", "targets", "quotas"} <= {
        one["check"] for one in found
    }
    assert (play.objects(), play.revisions()) == (before, revisions)


def test_what_cannot_be_proved_is_a_warning(look: Look) -> None:
    found = line(look(), "write-permissions")
    assert found["verdict"] == "warn"
    assert "logroute iam controller" in found["hint"]


def test_read_only_writes_nothing_at_all(play: Playground, look: Look) -> None:
    play.sandbox.reset_call_counts()
    assert "bucket-write" not in {one["check"] for one in look("--read-only")}
    assert not {name for name in play.sandbox.call_counts if name in ("s3:PutObject", "s3:DeleteObject")}


def test_no_credentials_fail_and_nothing_else_is_asked(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    found = look()
    assert troubles(found) == {"credentials": "fail"}
    assert "Give AWS credentials" in line(found, "credentials")["hint"]


def test_expired_credentials_say_so(play: Playground, look: Look) -> None:
    deny(play, "sts:GetCallerIdentity", "ExpiredToken")
    found = look()
    assert troubles(found) == {"credentials": "fail"}
    assert "ExpiredToken" in line(found, "credentials")["message"]


@pytest.mark.parametrize(("seconds", "verdict"), [(-30, None), (90, "warn"), (-90, "warn"), (250, "fail")])
def test_the_clock_is_held_against_aws_s(
    play: Playground, look: Look, monkeypatch: pytest.MonkeyPatch, seconds: int, verdict: str | None
) -> None:
    monkeypatch.setattr("controller.cli.doctor.time.time", lambda: play.sandbox.clock.now() + seconds)
    assert troubles(look()).get("clock") == verdict


@pytest.mark.parametrize(
    "call",
    [
        "ecs:ListClusters",
        "ecs:DescribeServices",
        "ecs:ListServiceDeployments",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTaskDefinitionFamilies",
        "logs:DescribeLogGroups",
    ],
)
def test_a_denied_call_names_the_action_and_the_policy(play: Playground, look: Look, call: str) -> None:
    deny(play, call, "AccessDeniedException")
    found = look()
    assert troubles(found) == {"permissions": "fail"}
    assert f"Allow {call} on " in line(found, "permissions")["hint"]
    assert "logroute iam controller" in line(found, "permissions")["hint"]


def test_codedeploy_is_needed_by_its_services_alone(play: Playground, look: Look) -> None:
    deny(play, "codedeploy:ListApplications", "AccessDeniedException")
    assert troubles(look()) == {"permissions": "warn"}


def test_schedules_are_asked_for_where_routes_name_families(play: Playground, look: Look) -> None:
    deny(play, "events:ListRules", "AccessDeniedException")
    assert troubles(look()) == {}
    play.write(
        "jobs.yaml",
        route_yaml("jobs", extra="").replace(
            f"{{cluster: {CLUSTER}, services: [example]}}", "{taskFamilies: [nightly]}"
        ),
    )
    assert troubles(look()) == {"permissions": "fail"}


def test_a_bucket_that_is_not_there(look: Look) -> None:
    found = look(configStore="s3://nowhere-at-all/logroute")
    assert troubles(found) == {"bucket": "fail"}
    assert "there is no bucket nowhere-at-all" in line(found, "bucket")["message"]


def test_a_bucket_of_another_region(play: Playground, look: Look) -> None:
    play.sandbox.client("s3", region="eu-west-1").create_bucket(
        Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    secure(play.sandbox.client("s3", region="eu-west-1"), "far-away")
    found = look(configStore="s3://far-away/logroute")
    assert troubles(found) == {"bucket": "warn"}
    assert f"lies in eu-west-1, not in {REGION}" in line(found, "bucket")["message"]


def test_a_bucket_that_refuses_us(play: Playground, look: Look) -> None:
    deny(play, "s3:HeadBucket")
    assert troubles(look()) == {"bucket": "fail"}


@pytest.mark.parametrize(
    ("call", "check", "verdict"),
    [
        ("s3:PutObject", "bucket-write", "fail"),
        ("s3:ListObjectsV2", "bucket-list", "fail"),
        ("s3:GetObject", "bucket-read", "fail"),
        ("s3:DeleteObject", "bucket-delete", "warn"),
        ("s3:GetBucketVersioning", "bucket-versioning", "warn"),
    ],
)
def test_a_policy_of_the_bucket_that_denies(play: Playground, look: Look, call: str, check: str, verdict: str) -> None:
    deny(play, call)
    assert troubles(look()) == {check: verdict}


def test_a_policy_that_denies_objects_is_found_by_trying(play: Playground, look: Look) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{STORE}/*"}
    play.s3.put_bucket_policy(Bucket=STORE, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert troubles(look()) == {"bucket-tls": "warn", "bucket-read": "fail"}


def test_without_the_right_to_delete_one_probe_stays_however_often(play: Playground, look: Look) -> None:
    deny(play, "s3:DeleteObject")
    for _ in range(3):
        assert troubles(look()) == {"bucket-delete": "warn"}
    assert [key for key in play.objects() if "doctor" in key] == ["_state/doctor/probe"]


def test_settings_of_the_bucket_that_are_missing_are_warnings(play: Playground, look: Look) -> None:
    play.s3.put_bucket_versioning(Bucket=STORE, VersioningConfiguration={"Status": "Suspended"})
    play.s3.delete_bucket_encryption(Bucket=STORE)
    play.s3.put_public_access_block(
        Bucket=STORE, PublicAccessBlockConfiguration={**dict.fromkeys(BLOCKS, True), "BlockPublicAcls": False}
    )
    play.s3.delete_bucket_policy(Bucket=STORE)
    expected = ("bucket-versioning", "bucket-encryption", "bucket-public-access", "bucket-tls")
    assert troubles(look()) == dict.fromkeys(expected, "warn")


def test_a_policy_that_asks_for_something_else_is_not_taken_for_tls(play: Playground, look: Look) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{STORE}/*"}]}
    play.s3.put_bucket_policy(Bucket=STORE, Policy=json.dumps(policy))
    assert troubles(look()) == {"bucket-tls": "warn"}
