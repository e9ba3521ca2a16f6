"""IAM in the sandbox: policies are read as the IAM user guide tells, and denials look as each service's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from controller.sandbox import Sandbox
from controller.sandbox.iam.policies import Asked, Decision, decide, like

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/app"


def policy(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Version": "2012-10-17", "Statement": list(statements)}]


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def asked(action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k", **context: Any) -> Asked:
    return Asked(action, resource, {key.replace("_", ":"): value for key, value in context.items()})


@pytest.mark.parametrize(
    ("statement", "request_", "decision"),
    [
        (allow(), asked(), Decision.ALLOWED),
        (allow("s3:getobject"), asked(), Decision.ALLOWED),
        (allow("s3:Get*"), asked(), Decision.ALLOWED),
        (allow(["s3:PutObject", "s3:*"]), asked(), Decision.ALLOWED),
        (allow("s3:Put?bject"), asked(), Decision.NOT_ALLOWED),
        (allow(resource="arn:aws:s3:::b/*"), asked(), Decision.ALLOWED),
        (allow(resource="arn:aws:s3:::B/*"), asked(), Decision.NOT_ALLOWED),
        (allow(resource=["arn:aws:s3:::c", "arn:aws:s3:::b/k"]), asked(), Decision.ALLOWED),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, asked(), Decision.NOT_ALLOWED),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, asked(), Decision.ALLOWED),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}, asked(), Decision.NOT_ALLOWED),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, asked(), Decision.DENIED),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], request_: Asked, decision: Decision) -> None:
    assert decide(policy(statement), request_) is decision


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringNotEquals", "a", None, True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringLike", "a*", "abc", True),
        ("ArnLike", "arn:aws:ecs:*:1:service/c/*", "arn:aws:ecs:r:1:service/c/s", True),
        ("Bool", "false", "false", True),
        ("Bool", False, "false", True),
        ("Null", "true", None, True),
        ("Null", "true", "x", False),
        ("ForAnyValue:StringEquals", "a", ("a", "b"), True),
        ("ForAllValues:StringEquals", "a", ("a", "b"), False),
        ("ForAllValues:StringEquals", "a", None, True),
    ],
)
def test_conditions(operator: str, wanted: Any, value: Any, *, met: bool) -> None:
    context = {} if value is None else {"x_key": value}
    found = decide(policy(allow(Condition={operator: {"X:Key": wanted}})), asked(**context))
    assert (found is Decision.ALLOWED) is met


def test_a_deny_wins_over_any_allow_and_needs_all_of_its_conditions() -> None:
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"x:key": "a", "y:key": "b"}},
    }
    assert decide(policy(allow(), deny), asked(x_key="a", y_key="b")) is Decision.DENIED
    assert decide(policy(allow(), deny), asked(x_key="a")) is Decision.ALLOWED


@pytest.mark.parametrize(
    "statement", [allow(Condition={"DateLessThan": {"a:b": "x"}}), allow(resource="arn:aws:s3:::${aws:username}/*")]
)
def test_what_is_not_known_is_no_guess(statement: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        decide(policy(statement), asked(a_b="y"))


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_matches_as_the_plain_reading_says(pattern: str, text: str) -> None:
    def reading(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(reading(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and reading(pattern[1:], text[1:])

    assert like(pattern, text) is reading(pattern, text)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(region=REGION) as sandbox:
        yield sandbox


def session(sandbox: Sandbox, *statements: dict[str, Any], trust: Any = None) -> dict[str, str]:
    """Of the role `app`, with such a policy, and IAM enforced from now on."""
    iam: Any = sandbox.client("iam")
    document = trust or {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(document))
    iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=json.dumps(policy(*statements)[0]))
    given = sandbox.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    sandbox.enforce_iam()
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.mark.parametrize(
    ("service", "call", "arguments", "code", "action"),
    [
        ("ecs", "list_clusters", {}, "AccessDeniedException", "ecs:ListClusters"),
        ("logs", "describe_log_groups", {}, "AccessDeniedException", "logs:DescribeLogGroups"),
        ("s3", "list_objects_v2", {"Bucket": "b"}, "AccessDenied", "s3:ListBucket"),
        ("scheduler", "list_schedules", {}, "AccessDeniedException", "scheduler:ListSchedules"),
        ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "xx"}, "AccessDenied", "sts:AssumeRole"),
        ("codedeploy", "list_applications", {}, "AccessDeniedException", "codedeploy:ListApplications"),
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "x"},
            "AccessDeniedException",
            "secretsmanager:GetSecretValue",
        ),
    ],
)
def test_a_denial_looks_as_the_service_s_own(
    sandbox: Sandbox, service: str, call: str, arguments: dict[str, Any], code: str, action: str
) -> None:
    keys: Any = session(sandbox, allow("iam:Nothing"))
    with pytest.raises(ClientError) as error:
        getattr(sandbox.client(service, **keys), call)(**arguments)
    assert error.value.response["Error"]["Code"] == code
    assert f"is not authorized to perform: {action} on resource" in error.value.response["Error"]["Message"]
    assert len(sandbox.denied) == 1


def test_a_role_is_passed_only_where_that_is_allowed_and_to_whom(sandbox: Sandbox) -> None:
    passing = {"Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}
    register = allow("ecs:RegisterTaskDefinition", f"arn:aws:ecs:{REGION}:123456789012:task-definition/web-*:*")
    keys: Any = session(sandbox, register, allow("iam:PassRole", "arn:aws:iam::123456789012:role/web/*", **passing))
    ecs: Any = sandbox.client("ecs", **keys)
    container = {"name": "app", "image": "x", "memory": 64}
    role = "arn:aws:iam::123456789012:role"
    ecs.register_task_definition(family="web-1", containerDefinitions=[container], taskRoleArn=f"{role}/web/a")
    for family, task_role in (("web-1", f"{role}/db"), ("db-1", f"{role}/web/a")):
        with pytest.raises(ClientError, match="not authorized"):
            ecs.register_task_definition(family=family, containerDefinitions=[container], taskRoleArn=task_role)


def test_who_may_not_list_a_bucket_is_not_told_that_an_object_is_missing(sandbox: Sandbox) -> None:
    s3: Any = sandbox.client("s3")
    s3.create_bucket(Bucket="b12", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="b12", Key="there", Body=b"x")
    keys: Any = session(sandbox, allow("s3:GetObject", "arn:aws:s3:::b12/*"))
    mine: Any = sandbox.client("s3", **keys)
    assert mine.get_object(Bucket="b12", Key="there")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="AccessDenied"):
        mine.get_object(Bucket="b12", Key="missing")


def test_a_role_is_assumed_with_the_external_id_that_it_asks_for(sandbox: Sandbox) -> None:
    iam: Any = sandbox.client("iam")
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ROLE},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "x1"}},
            }
        ]
    }
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    keys: Any = session(sandbox, allow("sts:AssumeRole"))
    sts: Any = sandbox.client("sts", **keys)
    there = {"RoleArn": "arn:aws:iam::123456789012:role/other", "RoleSessionName": "xx"}
    assert sts.assume_role(**there, ExternalId="x1")["Credentials"]
    for wrong in ({}, {"ExternalId": "x2"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(**there, **wrong)


def test_the_sandbox_s_own_keys_may_do_everything_and_what_nobody_knows_only_they(sandbox: Sandbox) -> None:
    keys: Any = session(sandbox, allow("*"))
    sandbox.client("ecs").create_cluster(clusterName="c")
    with pytest.raises(ClientError, match="does not know what ecs:CreateCluster needs"):
        sandbox.client("ecs", **keys).create_cluster(clusterName="d")
