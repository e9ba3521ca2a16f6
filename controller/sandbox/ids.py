"""Names that AWS makes up, from one seed: two sandboxes with the same seed and calls answer alike."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_TOKEN_LETTERS = string.ascii_letters + string.digits + "_-"
_SMALLEST_19_DIGITS, _LARGEST_19_DIGITS = 10**18, 2**63 - 1


class Ids:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - names in a test double, not secrets

    def hex32(self) -> str:
        """Like a task's id."""
        return f"{self._random.getrandbits(128):032x}"

    def digits19(self) -> str:
        """Like the number in `ecs-svc/<n>` and at the end of a service revision's ARN."""
        return str(self._random.randint(_SMALLEST_19_DIGITS, _LARGEST_19_DIGITS))

    def token(self) -> str:
        """Like the end of a service deployment's ARN."""
        return "".join(self._random.choices(_TOKEN_LETTERS, k=21))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self._random.sample(items, k=len(items))
