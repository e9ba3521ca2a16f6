"""What is sent to AWS at all is on a list, and what the settings forbid is not sent."""

from __future__ import annotations

import inspect
import re
from typing import Any

import botocore.session
import pytest

from controller.api.keys import Place
from controller.aws import (
    accounts,
    codedeploy,
    destinations,
    ecs,
    leases,
    logs,
    objects,
    queues,
    rights,
    schedules,
    topics,
)
from controller.aws.accounts import AwsAccount, Options, Role
from controller.aws.operations import READS, WRITES, Guard, is_read
from controller.aws.ports import Forbidden
from controller.doctor import identity, store, targets, writes
from controller.doctor import rights as doctor_rights
from controller.permissions.controller import WRITING

MODULES = (
    *(("s3", one) for one in (objects, destinations, store)),
    *(("ecs", one) for one in (ecs, doctor_rights, targets, writes)),
    *((name, schedules) for name in ("events", "scheduler")),
    *((name, doctor_rights) for name in ("events", "scheduler", "codedeploy", "logs")),
    *((name, destinations) for name in ("firehose", "kinesis", "secretsmanager", "logs")),
    *(("sts", one) for one in (accounts, identity)),
    *(("iam", one) for one in (rights, writes)),
    ("codedeploy", codedeploy),
    ("logs", logs),
    ("sqs", queues),
    ("sns", topics),
    ("dynamodb", leases),
    ("secretsmanager", accounts),
)
BY_BOTOCORE = {"s3:HeadBucket"}
"""To find the region of a bucket."""


def called() -> set[str]:
    """Operations that the code names."""
    session, found = botocore.session.get_session(), set[str]()
    for service, module in MODULES:
        names = set(re.findall(r'"([A-Z][A-Za-z0-9]+)"', inspect.getsource(module)))
        found |= {f"{service}:{name}" for name in names & set(session.get_service_model(service).operation_names)}
    return found


def test_the_lists_are_what_the_code_calls_and_nothing_else() -> None:
    assert called() | BY_BOTOCORE == READS | WRITES
    assert not READS & WRITES


def test_who_may_not_write_needs_no_right_of_those_that_write() -> None:
    """S3's and DynamoDB's actions have other names, or are for leases; a batch needs the right of one."""
    assert {one.removesuffix("Batch") for one in WRITES if not is_read(one)} <= WRITING


def client(service: str, guard: Guard) -> Any:
    found = AwsAccount(Place("main", "eu-west-1"), Role(), Options(guard=guard)).client(service)
    found.meta.events.register_first("before-send", _unsent)
    return found


def _unsent(**_: Any) -> None:
    raise AssertionError("it was sent")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")


def test_a_call_that_is_on_no_list_is_not_sent() -> None:
    with pytest.raises(Forbidden, match=r"ecs:DeleteService on c failed: .* this program has no such call"):
        client("ecs", Guard()).delete_service(cluster="c", service="web")
    with pytest.raises(Forbidden, match=r"iam:CreateRole on r failed"):
        client("iam", Guard()).create_role(RoleName="r", AssumeRolePolicyDocument="{}")


def test_a_write_that_the_settings_forbid_is_not_sent() -> None:
    with pytest.raises(Forbidden, match="the settings do not allow it"):
        client("ecs", Guard(frozenset())).update_service(cluster="c", service="web")
    with pytest.raises(Forbidden):
        client("s3", Guard(frozenset())).put_object(Bucket="configs", Key="k", Body=b"secret")


@pytest.mark.parametrize(
    ("key", "passes"),
    [
        ("logroute/_state/leases/main", True),
        ("_state/doctor/x1", True),
        ("logroute/_state/routes/0.json", False),
        ("logroute/0a/pipeline.conf", False),
        ("logroute/_state/configs/0a/pipeline.conf", False),
        ("x/_state/leases/../configs/0a", False),
    ],
)
def test_only_what_the_settings_put_away_is_deleted(key: str, *, passes: bool) -> None:
    guard = Guard(deletes_configs=False)
    with pytest.raises(AssertionError if passes else Forbidden):
        client("s3", guard).delete_object(Bucket="configs", Key=key)
    with pytest.raises(AssertionError, match="it was sent"):
        client("s3", Guard()).delete_object(Bucket="configs", Key=key)


@pytest.mark.parametrize("name", ["prod-1", "arn:aws:ecs:eu-west-1:123456789012:cluster/prod-1"])
def test_a_denied_cluster_is_neither_read_nor_written(name: str) -> None:
    guard = Guard(clusters=("prod-*",))
    for call in ("update_service", "list_service_deployments"):
        with pytest.raises(Forbidden, match="the settings deny this cluster"):
            getattr(client("ecs", guard), call)(cluster=name, service="web")
    with pytest.raises(AssertionError, match="it was sent"):
        client("ecs", guard).update_service(cluster="dev", service="web")


def test_what_signs_a_request_is_known_as_a_secret_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    hidden: list[str] = []
    found = AwsAccount(Place("main", "eu-west-1"), Role(), Options(hides=hidden.append)).client("ecs")
    found.meta.events.register_last("before-send", _unsent)
    with pytest.raises(AssertionError, match="it was sent"):
        found.list_clusters()
    assert hidden == ["example", "session-token"]
