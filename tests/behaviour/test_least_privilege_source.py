"""Specs in a bucket of their own: what `logroute iam` prints is enough to read them, and no more of that bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.cli.main import main
from controller.settings import S3Settings
from tests.behaviour.test_least_privilege import FOR_TASKS, OWN
from tests.support.playground import REGION, Playground, route_yaml

BUCKET = "specs-of-teams"


@pytest.fixture
def policy(play: Playground, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What is printed for specs under `team` in a bucket, which holds a route, and somebody else's object."""
    play.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, text in (("archive.yaml", (play.specs / "archive.yaml").read_text()), ("web.yaml", route_yaml("web"))):
        play.s3.put_object(Bucket=BUCKET, Key=f"team/{name}", Body=text.encode())
    play.s3.put_object(Bucket=BUCKET, Key="payroll/all.csv", Body=b"none of ours")
    play.service()
    play.sandbox.advance(1200)
    source = f"s3://{BUCKET}/team"
    play.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    play.settings = play.settings.model_copy(update={"source": source, "s3": S3Settings(versioning="require")})
    path = play.specs.parent / "iam.yaml"
    path.write_text(
        f"source: {source}\nconfigStore: {play.settings.config_store}\nregion: {REGION}\ns3: {{versioning: require}}\n"
    )
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["iam", "controller", "--config", str(path), "--account-id", "123456789012"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def as_controller(play: Playground, patch: pytest.MonkeyPatch, policy: dict[str, Any], without: str = "") -> None:
    statements = [one for one in policy["Statement"] if one["Sid"] != without]
    assert (len(statements) < len(policy["Statement"])) is bool(without)
    iam: Any = play.sandbox.client("iam")
    iam.create_role(RoleName="logroute-controller", AssumeRolePolicyDocument=FOR_TASKS)
    document = json.dumps({**policy, "Statement": statements})
    iam.put_role_policy(RoleName="logroute-controller", PolicyName="controller", PolicyDocument=document)
    given = play.sandbox.client("sts").assume_role(RoleArn=OWN, RoleSessionName="task")["Credentials"]
    patch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    patch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    patch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    play.sandbox.enforce_iam()
    play.start()


def test_specs_in_a_bucket_are_read_with_what_is_printed(
    play: Playground, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_controller(play, monkeypatch, policy)
    play.settle(8)
    assert play.is_routed()
    assert play.sandbox.denied == []


def test_the_rest_of_the_bucket_stays_closed(
    play: Playground, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_controller(play, monkeypatch, policy)
    simulated = play.sandbox.client("iam").simulate_principal_policy(
        PolicySourceArn=OWN,
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=[f"arn:aws:s3:::{BUCKET}/team/web.yaml", f"arn:aws:s3:::{BUCKET}/payroll/all.csv"],
    )["EvaluationResults"]
    got = [[one["EvalResourceDecision"] for one in action["ResourceSpecificResults"]] for action in simulated]
    assert got == [["allowed", "implicitDeny"], ["implicitDeny", "implicitDeny"]]


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        ("SpecsListing", "s3:ListBucket"),
        ("Specs", "s3:GetObject"),
        ("SpecsVersioning", "s3:GetBucketVersioning"),
    ],
)
def test_specs_that_may_not_be_read_change_nothing_and_people_are_told_which_right_it_takes(
    play: Playground, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch, sid: str, action: str
) -> None:
    as_controller(play, monkeypatch, policy, without=sid)
    play.settle(4)
    assert not play.is_routed()
    assert any(f"perform: {action} on resource: arn:aws:s3:::{BUCKET}" in one for one in play.sandbox.denied)
    told = json.dumps(play.controller.board.plain())
    assert f"is not authorized to perform: {action} on resource: arn:aws:s3:::{BUCKET}" in told
    assert f"Allow {action}" in told


def test_a_bucket_that_stops_keeping_versions_leaves_the_specs_as_they_are(
    play: Playground, policy: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_controller(play, monkeypatch, policy)
    play.settle(8)
    play.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    play.s3.delete_object(Bucket=BUCKET, Key="team/web.yaml")
    play.start()
    play.settle(4)
    assert play.is_routed()
    assert f"the bucket {BUCKET} does not keep versions" in json.dumps(play.controller.board.plain())
