"""Scripted faults, as real clients meet them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)

from controller.sandbox import Sandbox

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def register(sandbox: Sandbox, family: str = "app") -> Any:
    containers = [{"name": "a", "image": "i", "memory": 64}]
    ecs = sandbox.client("ecs", config=ONCE)
    return ecs.register_task_definition(family=family, containerDefinitions=containers)


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, int]:
    answer: Any = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


CALLS: dict[str, Any] = {
    "ecs:ListClusters": lambda sandbox: sandbox.client("ecs", config=ONCE).list_clusters(),
    "logs:DescribeLogGroups": lambda sandbox: sandbox.client("logs", config=ONCE).describe_log_groups(),
    "s3:ListBuckets": lambda sandbox: sandbox.client("s3", config=ONCE).list_buckets(),
    "sts:GetCallerIdentity": lambda sandbox: sandbox.client("sts", config=ONCE).get_caller_identity(),
    "secretsmanager:ListSecrets": lambda sandbox: sandbox.client("secretsmanager", config=ONCE).list_secrets(),
    "sqs:ListQueues": lambda sandbox: sandbox.client("sqs", config=ONCE).list_queues(),
    "iam:ListRoles": lambda sandbox: sandbox.client("iam", config=ONCE).list_roles(),
}


@pytest.mark.parametrize("calls", CALLS)
def test_an_error_comes_in_the_shape_of_each_protocol(sandbox: Sandbox, calls: str) -> None:
    sandbox.add_fault(calls=calls, effect="error", code="AccessDenied", message="not <you>", status=403)
    with pytest.raises(ClientError) as caught:
        CALLS[calls](sandbox)
    assert error_of(caught) == ("AccessDenied", "not <you>", 403)
    CALLS[calls](sandbox)


THROTTLED = {
    "ecs:ListClusters": ("ThrottlingException", 400),
    "logs:DescribeLogGroups": ("ThrottlingException", 400),
    "s3:ListBuckets": ("SlowDown", 503),
    "sts:GetCallerIdentity": ("Throttling", 400),
}


@pytest.mark.parametrize("calls", THROTTLED)
def test_a_throttle_is_the_services_own(sandbox: Sandbox, calls: str) -> None:
    sandbox.add_fault(calls=calls, effect="throttle")
    with pytest.raises(ClientError) as caught:
        CALLS[calls](sandbox)
    code, _, status = error_of(caught)
    assert (code, status) == THROTTLED[calls]


def test_a_head_request_gets_the_status_alone(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3", config=ONCE)
    s3.create_bucket(Bucket="configs")
    sandbox.add_fault(calls="s3:HeadBucket", effect="error", code="AccessDenied", status=403)
    with pytest.raises(ClientError, match="403"):
        s3.head_bucket(Bucket="configs")
    s3.head_bucket(Bucket="configs")


def test_a_lost_answer_is_of_a_call_that_happened(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="lose-answer")
    with pytest.raises(ConnectionClosedError):
        register(sandbox)
    assert [one["revision"] for one in sandbox.revisions("app")] == [1]
    assert register(sandbox)["taskDefinition"]["revision"] == 2


def test_a_lost_answer_of_motos_side_happened_too(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3", config=ONCE)
    s3.create_bucket(Bucket="configs")
    sandbox.add_fault(calls="s3:PutObject", effect="lose-answer", matching="^/configs/a")
    with pytest.raises(BotoCoreError):
        s3.put_object(Bucket="configs", Key="a", Body=b"x")
    assert s3.get_object(Bucket="configs", Key="a")["Body"].read() == b"x"


def test_a_refused_call_did_not_happen(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="refuse")
    with pytest.raises(ConnectionClosedError):
        register(sandbox)
    assert sandbox.revisions("app") == []


def test_a_call_that_hangs_runs_into_the_clients_timeout(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:ListClusters", effect="hang", seconds=60)
    hasty = sandbox.client("ecs", config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        hasty.list_clusters()
    hasty.list_clusters()


def test_a_late_answer_is_the_right_one(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="delay", seconds=0.2)
    before = time.monotonic()
    assert register(sandbox)["taskDefinition"]["revision"] == 1
    assert time.monotonic() - before >= 0.2


def test_garbage_is_a_page_of_somebody_else(sandbox: Sandbox) -> None:
    """The SDK takes it for an answer in which everything is left out: the harm of a 200 that is none."""
    sandbox.add_fault(calls="*:*", effect="garbage", times=0)
    assert "clusterArns" not in CALLS["ecs:ListClusters"](sandbox)
    assert "Buckets" not in CALLS["s3:ListBuckets"](sandbox)
    with pytest.raises(KeyError):
        CALLS["sts:GetCallerIdentity"](sandbox)
    body = sandbox.client("s3", config=ONCE).get_object(Bucket="configs", Key="a")["Body"].read()
    assert body.startswith(b"<!DOCTYPE html>")


def test_a_fault_lets_calls_pass_first_and_strikes_as_often_as_it_says(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:Register*", effect="refuse", after=1, times=2)
    happened = []
    for _ in range(5):
        try:
            happened.append(register(sandbox)["taskDefinition"]["revision"])
        except ConnectionClosedError:
            happened.append(None)
    assert happened == [1, None, None, 2, 3]


def test_a_fault_that_always_strikes_ends_when_it_is_removed(sandbox: Sandbox) -> None:
    name = sandbox.add_fault(calls="*:*", effect="throttle", times=0)
    for _ in range(3):
        with pytest.raises(ClientError, match="ThrottlingException"):
            register(sandbox)
    assert sandbox.faults() == [{"id": name, "calls": "*:*", "effect": "throttle", "times": 0, "seen": 3, "struck": 3}]
    sandbox.remove_fault(name)
    register(sandbox)
    assert sandbox.faults() == []
    with pytest.raises(LookupError, match=name):
        sandbox.remove_fault(name)


def test_a_fault_can_be_for_one_body_alone(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:*", effect="refuse", matching=r'"family": ?"web"', times=0)
    assert register(sandbox, "app")
    with pytest.raises(ConnectionClosedError):
        register(sandbox, "web")


def test_a_body_that_a_fault_looked_into_arrives_whole(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="*:*", effect="refuse", matching="no such words")
    s3 = sandbox.client("s3", config=ONCE)
    s3.create_bucket(Bucket="configs")
    s3.put_object(Bucket="configs", Key="seekable", Body=b"x" * 100_000)
    assert len(s3.get_object(Bucket="configs", Key="seekable")["Body"].read()) == 100_000
    assert register(sandbox)["taskDefinition"]["family"] == "app"


def test_a_fault_can_be_for_one_caller_alone(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:*", effect="refuse", by="*:assumed-role/ci/*", times=0)
    assert register(sandbox)
    sandbox.add_fault(calls="ecs:*", effect="refuse", by="arn:aws:*", times=0)
    with pytest.raises(ConnectionClosedError):
        register(sandbox)


def test_of_two_faults_that_fit_the_older_strikes_first(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:*", effect="throttle")
    sandbox.add_fault(calls="ecs:*", effect="error", code="ServerException", status=500)
    codes = []
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            register(sandbox)
        codes.append(error_of(caught)[0])
    assert codes == ["ThrottlingException", "ServerException"]


def test_a_struck_call_counts_as_a_call(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:*", effect="refuse")
    with pytest.raises(ConnectionClosedError):
        register(sandbox)
    assert sandbox.call_counts["ecs:RegisterTaskDefinition"] == 1


def test_a_sandbox_that_stops_waits_for_no_hanging_call() -> None:
    before = time.monotonic()
    with Sandbox() as sandbox:
        sandbox.add_fault(calls="ecs:*", effect="hang", seconds=200)
        hasty = sandbox.client("ecs", config=Config(read_timeout=0.1, retries={"total_max_attempts": 1}))
        with pytest.raises(ReadTimeoutError):
            hasty.list_clusters()
    assert time.monotonic() - before < 60


WRONG: dict[str, dict[str, Any]] = {
    "an unknown effect": {"calls": "ecs:*", "effect": "explode"},
    "an unknown key": {"calls": "ecs:*", "effect": "refuse", "colour": "red"},
    "a name without a service": {"calls": "UpdateService", "effect": "refuse"},
    "an error without a code": {"calls": "ecs:*", "effect": "error"},
    "a code for what is no error": {"calls": "ecs:*", "effect": "refuse", "code": "X"},
    "a delay without seconds": {"calls": "ecs:*", "effect": "delay"},
    "seconds for what does not wait": {"calls": "ecs:*", "effect": "refuse", "seconds": 1},
    "an hour": {"calls": "ecs:*", "effect": "hang", "seconds": 3600},
    "no regex": {"calls": "ecs:*", "effect": "refuse", "matching": "("},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox, case: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        sandbox.add_fault(**WRONG[case])
    assert sandbox.faults() == []
