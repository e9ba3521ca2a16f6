"""What is wired is what the rooms ask for. The type checker reads this file; the tests keep it from being unused."""

from __future__ import annotations

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role, SecretsManager
from controller.aws.ecs import BotoEcs
from controller.aws.logs import CloudWatchLogGroups
from controller.aws.objects import S3Bucket
from controller.aws.ports import Account, Ecs, LogGroups, ObjectStore, Secrets
from tests.support.aws import MemoryStore, caller, offline


def test_what_is_wired_satisfies_the_ports() -> None:
    account: Account = AwsAccount(Place("main", "us-east-1"), Role(), Options())
    ecs: Ecs = BotoEcs(caller(offline("ecs")))
    logs: LogGroups = CloudWatchLogGroups(caller(offline("logs")))
    secrets: Secrets = SecretsManager(caller(offline("secretsmanager")))
    stores: list[ObjectStore] = [S3Bucket(caller(offline("s3")), "b"), MemoryStore("b")]
    assert account.region == "us-east-1"
    assert [store.bucket for store in stores] == ["b", "b"]
    assert [type(one) for one in (ecs, logs, secrets)] == [BotoEcs, CloudWatchLogGroups, SecretsManager]
