"""Records for ledgers, and keys whose shard is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from controller.aws.ports import ObjectStore
from controller.state.ledger import Ledger, shard_of

PREFIX = "p/_state/things"


@dataclass(frozen=True, slots=True)
class Thing:
    """The smallest record."""

    value: str

    def as_plain(self) -> dict[str, Any]:
        return {"value": self.value}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Thing:
        if not isinstance(plain["value"], str):
            raise TypeError("value is no text")
        return cls(plain["value"])


def things(store: ObjectStore, *, load: bool = True) -> Ledger[Thing]:
    ledger = Ledger(store, PREFIX, Thing.from_plain)
    if load:
        ledger.load()
    return ledger


def keys_in(shard: str) -> Iterator[str]:
    return (key for key in (f"key-{number}" for number in count()) if shard_of(key) == shard)


def object_key(shard: str) -> str:
    return f"{PREFIX}/{shard}.json"
