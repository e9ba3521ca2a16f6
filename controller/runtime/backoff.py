"""How long to wait after so many failures in a row."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Backoff = Callable[[int], float]
"""Failures in a row, from 1, to seconds."""

_MAX_POWER = 64  # enough for any cap, and far from float's overflow


@dataclass(frozen=True, slots=True)
class Exponential:
    """`base`, then `factor` times as long each time, at most `cap` seconds.

    Up to the share `jitter` is taken off at random, never added: what failed together must not come back
    together, and the cap stays a promise. `random` gives numbers in [0, 1).
    """

    base: float = 1.0
    factor: float = 2.0
    cap: float = 15 * 60.0
    jitter: float = 0.25
    random: Callable[[], float] = random.random

    def __call__(self, failures: int) -> float:
        whole = min(self.cap, self.base * self.factor ** min(failures - 1, _MAX_POWER))
        return whole * (1 - self.jitter * self.random())
