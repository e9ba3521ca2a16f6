"""The sandbox's time: real time, faster if wanted, or a clock that only turns by hand."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

# A Thursday, far from any change of a clock. Tests print readable times and repeat exactly.
DEFAULT_START = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class Clock(Protocol):
    """What the simulation asks for the time."""

    def now(self) -> float:
        """Seconds since the epoch; it never goes back."""

    def callers_now(self) -> float:
        """The same as whoever calls counts it: where the clock runs fast, its callers are no faster.

        What callers are throttled by. A jump is one here, too.
        """

    def advance(self, seconds: float) -> None:
        """Jump `seconds` ahead. Raises ValueError where that would go back."""


class ManualClock:
    """Stands still until somebody calls `advance`."""

    def __init__(self, start: datetime | float = DEFAULT_START) -> None:
        self._now = start.timestamp() if isinstance(start, datetime) else float(start)

    def now(self) -> float:
        return self._now

    def callers_now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += _forward(seconds)


class RealClock:
    """Follows real time, `speed` times as fast: at speed 10 a rollout of a minute takes six seconds."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._speed = speed
        self._started = time.monotonic()
        self._offset = time.time()

    def now(self) -> float:
        return self._offset + (time.monotonic() - self._started) * self._speed

    def callers_now(self) -> float:
        return self._offset + time.monotonic() - self._started

    def advance(self, seconds: float) -> None:
        self._offset += _forward(seconds)


def _forward(seconds: float) -> float:
    if seconds < 0:
        raise ValueError(f"time does not go back: {seconds}")
    return seconds
