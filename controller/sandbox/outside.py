"""What the simulated ECS asks of the rest of AWS. moto answers it in a running sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who signed a request."""

    arn: str
    account: str = ACCOUNT


class Outside(Protocol):
    def object_exists(self, account: str, bucket: str, key: str) -> bool:
        """Whether a task of `account` could download that S3 object."""

    def object_body(self, account: str, bucket: str, key: str) -> bytes | None:
        """That S3 object as `account` could read it; None where it is not there."""

    def principal(self, access_key: str, region: str) -> Principal:
        """The principal that an access key belongs to."""
