"""What is printed allows what is needed, and nothing else."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.aws import codedeploy, destinations, ecs, leases, logs, objects, rights, schedules
from controller.cli.main import main
from controller.permissions.controller import Reach, Store, statements
from controller.permissions.destinations import Where, accesses
from controller.permissions.policy import LARGEST, Statement, parts, size
from controller.permissions.tasks import Need, fold
from tests.support.playground import route_yaml

MODULES = (
    ("ecs", ecs),
    ("events", schedules),
    ("scheduler", schedules),
    ("codedeploy", codedeploy),
    ("logs", logs),
    ("dynamodb", leases),
    ("iam", rights),
    ("firehose", destinations),
    ("kinesis", destinations),
    ("secretsmanager", destinations),
)
S3 = {
    "ListObjectsV2": "s3:ListBucket",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
}
"""S3's actions have other names than its operations."""
BESIDE = {
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "ecs:TagResource",
    "logs:TagResource",
    "iam:PassRole",
    "codedeploy:GetDeploymentConfig",
    "codedeploy:RegisterApplicationRevision",
}
"""Checked by AWS with a call of another name: tags and roles of what is registered or made, the
key of a bucket, and CreateDeployment."""
EVERYTHING = Reach(
    account="123456789012",
    region="eu-west-1",
    store=Store("configs", "logroute"),
    lease_table="leases",
    key="arn:aws:kms:eu-west-1:123456789012:key/1",
    deletes_configs=True,
    deregisters=True,
    source_bucket=Store("specs", "prod"),
    versions_of="specs",
    secret="arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-AbCdEf",
    assumes=("arn:aws:iam::222222222222:role/logroute",),
)


def actions(some: Iterable[Statement]) -> set[str]:
    return {action for one in some for action in one.actions}


def called() -> set[str]:
    """Actions of the operations that the code names."""
    found = set()
    for service, module in MODULES:
        names = set(re.findall(r'"([A-Z][A-Za-z]+)"', inspect.getsource(module)))
        known = botocore.session.get_session().get_service_model(service).operation_names
        found |= {f"{service}:{name}" for name in names & set(known)}
    source = inspect.getsource(objects) + inspect.getsource(destinations)
    named = set(re.findall(r'"([A-Z][A-Za-z0-9]+)"', source))
    return found | {action for operation, action in S3.items() if operation in named}


def test_the_controller_s_policy_has_every_call_that_the_code_makes_and_no_other() -> None:
    others = {"secretsmanager:GetSecretValue", "sts:AssumeRole"}
    assert actions(statements(EVERYTHING)) == called() | others | BESIDE


@pytest.mark.parametrize(
    ("without", "gone"),
    [
        ({"deregisters": False}, {"ecs:DeregisterTaskDefinition"}),
        ({"key": ""}, {"kms:Decrypt", "kms:GenerateDataKey"}),
        ({"secret": ""}, {"secretsmanager:GetSecretValue"}),
        ({"assumes": ()}, {"sts:AssumeRole"}),
        ({"moves_schedules": False}, {"events:PutTargets", "scheduler:UpdateSchedule"}),
        ({"preflight": False}, {"iam:SimulatePrincipalPolicy", "s3:GetBucketPolicy"}),
        ({"services": False}, {"ecs:UpdateService"}),
        ({"lease_table": ""}, {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:DeleteItem"}),
    ],
)
def test_what_is_not_used_is_not_allowed(without: dict[str, Any], gone: set[str]) -> None:
    assert not gone & actions(statements(replace(EVERYTHING, **without)))


def allows(some: Iterable[Statement], action: str, resource: str) -> bool:
    return any(
        action in one.actions and any(fnmatchcase(resource, pattern) for pattern in one.resources) for one in some
    )


ACTIONS = st.sampled_from(["s3:PutObject", "s3:GetObject", "logs:PutLogEvents", "kinesis:PutRecords"])
RESOURCES = st.builds(
    lambda name, tail: f"arn:aws:x:::{name}{tail}", st.text("ab/", min_size=1, max_size=4), st.sampled_from(["", "*"])
)


@given(
    st.lists(st.tuples(st.sets(ACTIONS, min_size=1), st.sets(RESOURCES, min_size=1)), max_size=6), ACTIONS, RESOURCES
)
def test_folded_needs_allow_exactly_what_they_allowed_apart(
    some: list[tuple[set[str], set[str]]], action: str, resource: str
) -> None:
    needs = [Need("task", tuple(acts), tuple(res), "web/x", "output y") for acts, res in some]
    apart = [Statement("x", need.actions, need.resources) for need in needs]
    folded, asked = fold(needs), resource.rstrip("*")
    assert allows(folded, action, asked) == allows(apart, action, asked)
    for need in needs:
        for one in need.resources:
            assert allows(folded, need.actions[0], one)


@given(st.integers(1, 60))
def test_a_long_policy_is_split_into_policies_that_iam_takes(count: int) -> None:
    some = [
        Statement(f"S{number}", ("s3:PutObject",), (f"arn:aws:s3:::{'x' * 200}{number}",)) for number in range(count)
    ]
    found = list(parts(some))
    assert [one for part in found for one in part] == some
    assert all(size(part) <= LARGEST for part in found)
    assert len(found) == 1 or size(some) > LARGEST


OUTPUTS = """
      - {name: s3, bucket: archive, region: eu-west-1, s3_key_format: /web/%Y/$UUID.gz, canned_acl: private}
      - {name: cloudwatch_logs, region: eu-west-1, log_group_name: web, log_stream_prefix: x, auto_create_group: On, log_retention_days: 3}
      - {name: kinesis_streams, stream: events, region: eu-west-1}
      - {name: kinesis_firehose, delivery_stream: lake, region: eu-central-1, role_arn: arn:aws:iam::222222222222:role/lake}
      - {name: opensearch, host: vpc-logs-abc123.eu-west-1.es.amazonaws.com, port: 443, tls: On, aws_auth: On, aws_region: eu-west-1, index: web, suppress_type_name: On}
      - {name: http, host: example.com, port: 443, tls: On}
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    extra = "  secrets: {DD: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-Ab12Cd:key::'}\n"
    text = route_yaml(outputs=OUTPUTS, extra=extra)
    (tmp_path / "route.yaml").write_text(text)
    (tmp_path / "class.yaml").write_text(
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\n"
        "spec: {image: 333333333333.dkr.ecr.eu-west-1.amazonaws.com/mirror/fluent-bit:init-3.4.15, engine: '5.0.9'}\n"
    )
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, set[str]], str]:
    """Action → resources, and what was said beside it."""
    with pytest.raises(SystemExit) as ended:
        main(["iam", *words])
    told = capsys.readouterr()
    assert not ended.value.code, told.err
    found: dict[str, set[str]] = {}
    for one in json.loads(told.out)["Statement"]:
        for action in one["Action"]:
            resources = one["Resource"]
            found.setdefault(action, set()).update([resources] if isinstance(resources, str) else resources)
    return found, told.err


def test_the_task_role_needs_what_each_output_writes_to(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--specs", str(specs), "--config-store", "s3://configs/p", "--region", "eu-west-1", "--account-id")
    found, said = printed(capsys, "task-role", *words, "123456789012")
    assert found == {
        "s3:GetObject": {"arn:aws:s3:::configs/p/*/pipeline.conf", "arn:aws:s3:::configs/p/*/parsers.conf"},
        "s3:GetBucketLocation": {"arn:aws:s3:::configs"},
        "s3:ListBucket": {"arn:aws:s3:::configs"},
        "s3:PutObject": {"arn:aws:s3:::archive/web/*"},
        "s3:PutObjectAcl": {"arn:aws:s3:::archive/web/*"},
        "logs:CreateLogStream": {"arn:aws:logs:eu-west-1:123456789012:log-group:web:*"},
        "logs:PutLogEvents": {"arn:aws:logs:eu-west-1:123456789012:log-group:web:*"},
        "logs:CreateLogGroup": {f"arn:aws:logs:eu-west-1:123456789012:log-group:web{end}" for end in ("", ":*")},
        "logs:PutRetentionPolicy": {f"arn:aws:logs:eu-west-1:123456789012:log-group:web{end}" for end in ("", ":*")},
        "kinesis:PutRecords": {"arn:aws:kinesis:eu-west-1:123456789012:stream/events"},
        "sts:AssumeRole": {"arn:aws:iam::222222222222:role/lake"},
        "es:ESHttpPost": {"arn:aws:es:eu-west-1:123456789012:domain/logs/*"},
    }
    assert "role/lake needs firehose:PutRecordBatch on arn:aws:firehose:eu-central-1" in said


@pytest.mark.parametrize(
    ("options", "actions", "said"),
    [
        ({"name": "http", "host": "x.example", "aws_auth": "On", "aws_service": "es"}, ("es:ESHttpPost",), ""),
        (
            {"name": "http", "host": "x.example", "aws_auth": "On", "aws_service": "es", "http_method": "PUT"},
            (),
            "requests to es at x.example",
        ),
        ({"name": "opentelemetry", "host": "x.example", "aws_auth": "On"}, (), "requests to logs at x.example"),
        ({"name": "kafka", "aws_msk_iam": "On"}, ("kafka-cluster:Connect",), "MSK looks at topics too"),
        ({"name": "kafka"}, None, ""),
        ({"name": "opensearch", "host": "x", "aws_auth": "Off"}, None, ""),
        (
            {"name": "prometheus_remote_write", "uri": "/workspaces/ws-1/api/v1/remote_write", "aws_auth": "On"},
            ("aps:RemoteWrite",),
            "",
        ),
    ],
)
def test_what_signs_its_requests(options: dict[str, str], actions: tuple[str, ...] | None, said: str) -> None:
    found = list(accesses(options, Where("aws", "123456789012", "eu-west-1")))
    assert [one.actions for one in found] == ([] if actions is None else [actions])
    assert all(said in one.remark for one in found)


def test_the_execution_role_needs_the_log_the_secrets_and_the_image(
    specs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--specs", str(specs), "--config-store", "s3://configs/p", "--region", "eu-west-1")
    found, _ = printed(capsys, "execution-role", *words)
    repository = "arn:aws:ecr:eu-west-1:333333333333:repository/mirror/fluent-bit"
    assert found == {
        "logs:CreateLogStream": {"arn:aws:logs:eu-west-1:*:log-group:/logroute/*"},
        "logs:PutLogEvents": {"arn:aws:logs:eu-west-1:*:log-group:/logroute/*"},
        "secretsmanager:GetSecretValue": {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-Ab12Cd"},
        "ecr:GetAuthorizationToken": {"*"},
        "ecr:BatchCheckLayerAvailability": {repository},
        "ecr:BatchGetImage": {repository},
        "ecr:GetDownloadUrlForLayer": {repository},
    }


SETTINGS = """
source: s3://specs/prod
configStore: s3://configs-{account}/logroute
region: eu-west-1
accounts:
  main: {clusters: ["web-*"]}
  data: {roleArn: "arn:aws:iam::222222222222:role/logroute", externalId: x1, regions: [eu-west-1]}
"""


@pytest.fixture
def settings(tmp_path: Path) -> str:
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS)
    return str(path)


def test_the_controller_s_policy_is_bound_by_settings_and_options(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    narrowed = ("--account-id", "123456789012", "--family", "web-*", "--role", "web/*")
    found, _ = printed(capsys, "controller", "--config", settings, *narrowed)
    assert found["ecs:UpdateService"] == {"arn:aws:ecs:eu-west-1:123456789012:service/web-*/*"}
    assert found["ecs:RegisterTaskDefinition"] == {"arn:aws:ecs:eu-west-1:123456789012:task-definition/web-*:*"}
    assert found["iam:PassRole"] >= {"arn:aws:iam::123456789012:role/web/*"}
    assert "arn:aws:s3:::configs-123456789012/logroute/*" in found["s3:PutObject"]
    assert found["sts:AssumeRole"] == {"arn:aws:iam::222222222222:role/logroute"}
    assert "arn:aws:s3:::specs/prod/*" in found["s3:GetObject"]


def test_another_account_s_role_has_its_own_store_and_no_leases(
    settings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = printed(capsys, "controller", "--config", settings, "--account", "data")
    assert found["s3:PutObject"] == {"arn:aws:s3:::configs-222222222222/logroute/*"}
    assert "sts:AssumeRole" not in found
    assert found["s3:DeleteObject"] == {"arn:aws:s3:::configs-222222222222/logroute/_state/doctor/*"}
    with pytest.raises(SystemExit):
        main(["iam", "controller", "--config", settings, "--account", "data", "--trust", "arn:aws:iam::1:role/me"])
    [trust] = json.loads(capsys.readouterr().out)["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x1"}}


def test_specs_narrow_it_further(settings: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "a.yaml").write_text(route_yaml(extra="  logGroups: [{name: web}]\n"))
    found, _ = printed(capsys, "controller", "--config", settings, "--specs", str(folder))
    assert "scheduler:GetSchedule" not in found
    group = "arn:aws:logs:eu-west-1:*:log-group"
    assert found["logs:CreateLogGroup"] == {f"{group}:/logroute/*", f"{group}:web", f"{group}:web:*"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("controller", "--account", "nobody"), "the settings know no account nobody; they know main, data"),
        (("controller", "--trust", "arn:aws:iam::1:role/me"), "give --account"),
        (("task-role",), "give --specs"),
        (("task-role", "--specs", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_told_is_said(
    settings: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["iam", *words, "--config", settings])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (1, "")
    assert said in told.err
