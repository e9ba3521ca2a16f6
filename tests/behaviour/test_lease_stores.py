"""Leases in S3 and in DynamoDB, through real clients."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role
from controller.aws.leases import LeaseFolder
from controller.aws.ports import AwsError, NotFound
from controller.runtime.leases import Leases, LeaseStore, Taken
from tests.support.lease_room import Replica, Room
from tests.support.playground import REGION, STORE, Playground


@pytest.fixture(params=["s3", "dynamodb"])
def store(request: pytest.FixtureRequest, play: Playground) -> LeaseStore:
    account = AwsAccount(Place("main", REGION), Role(), Options(share=1.0, attempts=1))
    if request.param == "s3":
        return LeaseFolder(account.bucket(STORE), "logroute/_state/leases/")
    client: Any = play.sandbox.client("dynamodb")
    client.create_table(
        TableName="leases",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("installation", "name")],
        KeySchema=[
            {"AttributeName": "installation", "KeyType": "HASH"},
            {"AttributeName": "name", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return account.table("leases", f"{STORE}/logroute")


def test_a_record_is_created_once_and_replaced_by_who_knows_its_version(store: LeaseStore) -> None:
    assert store.versions() == {}
    assert store.read("held/main/r") is None
    first = store.put("held/main/r", b"1", over=None)
    with pytest.raises(Taken):
        store.put("held/main/r", b"2", over=None)
    second = store.put("held/main/r", b"2", over=first)
    with pytest.raises(Taken):
        store.put("held/main/r", b"3", over=first)
    assert store.read("held/main/r") == (second, b"2")
    assert store.versions() == {"held/main/r": second}


def test_a_record_is_deleted_by_who_knows_its_version(store: LeaseStore) -> None:
    first = store.put("replicas/a", b"1", over=None)
    second = store.put("replicas/a", b"2", over=first)
    with pytest.raises(Taken):
        store.delete("replicas/a", over=first)
    store.delete("replicas/a", over=second)
    assert store.versions() == {}
    with pytest.raises(Taken):
        store.put("replicas/a", b"3", over=second)
    with pytest.raises(Taken):
        store.delete("replicas/a", over=second)


def test_leases_come_before_replicas_in_a_listing(store: LeaseStore) -> None:
    """Or one could be seen to name a replica that had not begun when the replicas were read."""
    for name in ("replicas/run.a.1", "held/main/z", "held/family"):
        store.put(name, b"{}", over=None)
    assert list(store.versions()) == ["held/family", "held/main/z", "replicas/run.a.1"]


def test_replicas_share_and_take_over(store: LeaseStore) -> None:
    room = Room(["main/a", "main/b"])
    room.records = store  # type: ignore[assignment]
    first, second = Replica(room, "a", "run"), Replica(room, "b", "run")
    room.replicas = [first, second]
    room.run(20)
    assert [len(one.leases.held) for one in room.replicas] == [1, 1]
    first.awake = False
    room.run(28)
    assert second.leases.held == room.shards
    second.leases.close(0)
    assert not [name for name in store.versions() if "run.b" in name or name.startswith("held/")]


@pytest.mark.usefixtures("play")
def test_a_bucket_or_table_that_is_not_there_is_said() -> None:
    account = AwsAccount(Place("main", REGION), Role(), Options(share=1.0, attempts=1))
    stores: list[LeaseStore] = [LeaseFolder(account.bucket("nowhere"), "x/"), account.table("nowhere", "x")]
    for one in stores:
        with pytest.raises(NotFound, match="nowhere"):
            one.put("replicas/a", b"", over=None)
        with pytest.raises(AwsError, match="nowhere"):
            Leases(one, ["main/a"], "a", Replica(Room([]), "a", "run"), now=lambda: 0.0).tick()
