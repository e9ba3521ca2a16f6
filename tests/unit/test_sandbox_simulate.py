"""The sandbox answers iam:SimulatePrincipalPolicy as IAM does, by the policies that it enforces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from controller.sandbox import Sandbox
from controller.sandbox.iam.gate import Attached, Rights
from controller.sandbox.iam.policies import Asked, Decision, decide
from controller.sandbox.iam.simulate import SimulationError, simulate

ROLE = "arn:aws:iam::123456789012:role/team/app"
KEY = "arn:aws:s3:::configs/a.conf"
PASSED = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def stated(action: str, resource: str = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.fixture
def iam() -> Iterator[Any]:
    """Of a world with one role, which may read its config, pass roles to tasks, and never delete."""
    with Sandbox() as sandbox:
        found: Any = sandbox.client("iam")
        trust = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
        found.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=trust)
        reads = document(stated("s3:GetObject", "arn:aws:s3:::configs/*"), stated("s3:Delete*", effect="Deny"))
        found.put_role_policy(RoleName="app", PolicyName="reads", PolicyDocument=reads)
        passes = found.create_policy(
            PolicyName="passes", PolicyDocument=document(stated("iam:PassRole", Condition=PASSED))
        )
        found.attach_role_policy(RoleName="app", PolicyArn=passes["Policy"]["Arn"])
        yield found


def answered(iam: Any, *actions: str, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = iam.simulate_principal_policy(
        PolicySourceArn=ROLE, ActionNames=list(actions), **more
    )["EvaluationResults"]
    return found


def test_each_action_is_decided_and_says_by_which_policy(iam: Any) -> None:
    got = answered(iam, "s3:GetObject", "s3:DeleteObject", "s3:PutObject", ResourceArns=[KEY])
    assert [one["EvalDecision"] for one in got] == ["allowed", "explicitDeny", "implicitDeny"]
    by = {"SourcePolicyId": "role_app_reads", "SourcePolicyType": "role"}
    assert [one["MatchedStatements"] for one in got] == [[by], [by], []]


def test_each_resource_has_a_verdict_of_its_own(iam: Any) -> None:
    [got] = answered(iam, "s3:GetObject", ResourceArns=[KEY, "arn:aws:s3:::other/x"])
    verdicts = {one["EvalResourceName"]: one["EvalResourceDecision"] for one in got["ResourceSpecificResults"]}
    assert verdicts == {KEY: "allowed", "arn:aws:s3:::other/x": "implicitDeny"}
    assert got["EvalDecision"] == "implicitDeny"


def test_a_condition_key_that_is_not_given_is_missing_and_one_that_is_counts(iam: Any) -> None:
    [unknown] = answered(iam, "iam:PassRole")
    assert unknown["EvalDecision"] == "implicitDeny"
    assert unknown["MissingContextValues"] == ["iam:PassedToService"]
    [there] = answered(iam, "iam:PassRole", ResourceArns=[ROLE])
    assert there["MissingContextValues"] == []
    assert there["ResourceSpecificResults"][0]["MissingContextValues"] == ["iam:PassedToService"]
    for service, decision in (("ecs-tasks.amazonaws.com", "allowed"), ("ec2.amazonaws.com", "implicitDeny")):
        entry = {
            "ContextKeyName": "iam:passedtoservice",
            "ContextKeyType": "string",
            "ContextKeyValues": [service],
        }
        [known] = answered(iam, "iam:PassRole", ContextEntries=[entry])
        assert (known["EvalDecision"], known["MissingContextValues"]) == (decision, [])


def test_a_boundary_is_told_of_where_there_is_one(iam: Any) -> None:
    assert "PermissionsBoundaryDecisionDetail" not in answered(iam, "s3:GetObject", ResourceArns=[KEY])[0]
    edge = iam.create_policy(PolicyName="edge", PolicyDocument=document(stated("iam:*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=edge)
    [bounded] = answered(iam, "s3:GetObject", ResourceArns=[KEY])
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    given = [document(stated("s3:*"))]
    [other] = answered(iam, "s3:GetObject", ResourceArns=[KEY], PermissionsBoundaryPolicyInputList=given)
    assert other["EvalDecision"] == "allowed"
    assert other["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}


def test_a_policy_in_the_request_joins_the_attached_ones(iam: Any) -> None:
    [got] = answered(iam, "sqs:ReceiveMessage", PolicyInputList=[document(stated("sqs:*"))])
    assert got["EvalDecision"] == "allowed"
    assert got["MatchedStatements"] == [{"SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "none"}]


def test_results_come_in_pages(iam: Any) -> None:
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=ROLE, ActionNames=["s3:GetObject", "s3:PutObject", "s3:ListBucket"], MaxItems=2
    )
    got = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
    assert got == [["s3:GetObject", "s3:PutObject"], ["s3:ListBucket"]]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:iam::123456789012:role/nobody", "NoSuchEntity"),
        ("arn:aws:iam::123456789012:role/app", "NoSuchEntity"),
        ("arn:aws:iam::210987654321:role/team/app", "NoSuchEntity"),
        ("arn:aws:iam::123456789012:user/nobody", "NoSuchEntity"),
        ("arn:aws:sts::123456789012:assumed-role/app/session", "InvalidInput"),
        ("arn:aws:iam::123456789012:root", "InvalidInput"),
        ("x" * 20, "InvalidInput"),
    ],
)
def test_only_a_role_or_user_that_is_there_is_asked_about(iam: Any, arn: str, code: str) -> None:
    with pytest.raises(ClientError) as error:
        iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
    assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ActionNames": ["s3:*"]}, "InvalidInput.*without wildcards"),
        ({"ActionNames": ["GetObject"]}, "InvalidInput.*GetObject is not valid"),
        ({"ResourcePolicy": document(stated("s3:*"))}, "InvalidInput.*leave it out"),
        ({"PolicyInputList": ["nonsense"]}, "InvalidInput.*no JSON"),
        ({"PolicyInputList": ['{"Statement": [{"Effect": "Allow"}]}']}, "InvalidInput.*no statements with"),
        (
            {"PolicyInputList": [document(stated("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))]},
            "PolicyEvaluation.*IpAddress",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(iam: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        iam.simulate_principal_policy(**{"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"], **more})


def test_who_may_not_simulate_is_denied() -> None:
    with Sandbox() as sandbox:
        iam: Any = sandbox.client("iam")
        trust = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
        iam.create_role(RoleName="asks", AssumeRolePolicyDocument=trust)
        arn = "arn:aws:iam::123456789012:role/asks"
        given = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        keys: Any = dict(
            zip(names, (given[one] for one in ("AccessKeyId", "SecretAccessKey", "SessionToken")), strict=True)
        )
        sandbox.enforce_iam()
        mine: Any = sandbox.client("iam", **keys)
        with pytest.raises(
            ClientError, match=r"AccessDenied.*perform: iam:SimulatePrincipalPolicy on resource: " + arn
        ):
            mine.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])
        allowed = document(stated("iam:SimulatePrincipalPolicy", arn))
        iam.put_role_policy(RoleName="asks", PolicyName="p", PolicyDocument=allowed)
        got = mine.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["iam:SimulatePrincipalPolicy"])
        assert got["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"  # on "*"


ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*", "*", "ecs:Describe*"])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k"])
STATEMENTS = st.builds(stated, ACTIONS, RESOURCES, st.sampled_from(["Allow", "Allow", "Deny"]))


@given(st.lists(STATEMENTS, max_size=4), st.none() | st.lists(STATEMENTS, max_size=3))
def test_what_is_simulated_is_what_would_be_enforced(policy: list[Any], boundary: list[Any] | None) -> None:
    attached = Attached("role_app_p", "role", {"Statement": policy})
    rights = Rights((attached,), None if boundary is None else {"Statement": boundary})
    form = {"ActionNames.member.1": "s3:GetObject", "ResourceArns.member.1": "arn:aws:s3:::b/k"}
    [result] = simulate(form, rights)["EvaluationResults"]
    asked = Asked("s3:GetObject", "arn:aws:s3:::b/k", {})
    held = [decide([one], asked) for one in (attached.document, rights.boundary) if one is not None]
    assert (result["EvalDecision"] == "allowed") is all(one is Decision.ALLOWED for one in held)
    assert (result["EvalDecision"] == "explicitDeny") is (Decision.DENIED in held)


NAMES = st.sampled_from(
    ["ActionNames.member.1", "ResourceArns.member.1", "PolicyInputList.member.1", "MaxItems", "Marker"]
    + [f"ContextEntries.member.1.{one}" for one in ("ContextKeyName", "ContextKeyType", "ContextKeyValues.member.1")]
)


@given(st.dictionaries(NAMES, st.sampled_from(["s3:GetObject", "1", "{}", "[]", "stringList"]) | st.text(max_size=8)))
def test_no_form_breaks_it(form: dict[str, str]) -> None:
    with suppress(SimulationError):
        assert "EvaluationResults" in simulate(form, Rights(()))
