"""ECS's own rates, as callers of the sandbox meet them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from controller.sandbox import RealClock, Sandbox, Settings
from controller.sandbox.ecs import wire
from controller.sandbox.ecs.buckets import CATEGORIES

ONCE = Config(retries={"total_max_attempts": 1})
THROTTLING = Settings(throttle=True)


def register(ecs: Any, times: int = 1) -> None:
    for _ in range(times):
        ecs.register_task_definition(family="app", containerDefinitions=[{"name": "a", "image": "i", "memory": 64}])


def test_a_burst_of_registrations_is_throttled_and_refills_on_the_clock() -> None:
    with Sandbox(settings=THROTTLING) as sandbox:
        ecs = sandbox.client("ecs", config=ONCE)
        register(ecs, 20)
        with pytest.raises(ClientError) as caught:
            register(ecs)
        assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        sandbox.advance(2)
        register(ecs, 2)
        with pytest.raises(ClientError, match="ThrottlingException"):
            register(ecs)
        assert len(sandbox.revisions("app")) == 22


def test_register_and_deregister_share_a_bucket_and_others_have_their_own() -> None:
    with Sandbox(settings=THROTTLING) as sandbox:
        ecs = sandbox.client("ecs", config=ONCE)
        register(ecs, 20)
        with pytest.raises(ClientError, match="ThrottlingException"):
            ecs.deregister_task_definition(taskDefinition="app:1")
        assert ecs.describe_task_definition(taskDefinition="app:1")["taskDefinition"]["status"] == "ACTIVE"
        register(sandbox.client("ecs", region="eu-west-1", config=ONCE))


def test_everybody_in_the_account_draws_from_the_same_bucket() -> None:
    with Sandbox(settings=THROTTLING) as sandbox:
        role = {"RoleArn": "arn:aws:iam::123456789012:role/ci", "RoleSessionName": "deploy"}
        keys = sandbox.client("sts").assume_role(**role)["Credentials"]
        ci = boto3.client(
            "ecs",
            region_name="us-east-1",
            endpoint_url=sandbox.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=ONCE,
        )
        register(ci, 20)
        with pytest.raises(ClientError, match="ThrottlingException"):
            register(sandbox.client("ecs", config=ONCE))


def test_status_shows_levels_and_how_often_was_refused() -> None:
    with Sandbox(settings=THROTTLING) as sandbox:
        ecs = sandbox.client("ecs", config=ONCE)
        register(ecs, 20)
        for _ in range(2):
            with pytest.raises(ClientError):
                register(ecs)
        sandbox.advance(5)
        assert sandbox.status()["throttles"] == [
            {
                "account": "123456789012",
                "region": "us-east-1",
                "category": "task definition modify",
                "level": 5,
                "burst": 20,
                "refill_per_second": 1,
                "throttled": 2,
            }
        ]


def test_without_the_setting_nothing_is_throttled() -> None:
    with Sandbox() as sandbox:
        register(sandbox.client("ecs", config=ONCE), 30)
        assert len(sandbox.revisions("app")) == 30
        assert sandbox.status()["throttles"] == []


def test_a_fast_clock_gives_its_callers_no_more_than_aws_would() -> None:
    """Who calls counts real seconds: at a thousand times the speed he would never meet a throttle."""
    clock = RealClock(speed=1000)
    before, sandbox_before = clock.callers_now(), clock.now()
    clock.advance(10)
    assert 10 <= clock.callers_now() - before < 60
    assert clock.now() - sandbox_before >= clock.callers_now() - before


def test_the_categories_hold_operations_of_ecs_and_each_in_one_of_them() -> None:
    names = [name for _, (_, names) in CATEGORIES.items() for name in names.split()]
    assert set(names) <= set(wire.service_model().operation_names)
    assert len(names) == len(set(names))
