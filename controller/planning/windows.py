"""When services may be written: windows as cron, duration and time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from controller.api.kinds import Window


def opens_in(windows: Sequence[Window], now: float) -> float:
    """Seconds until a window is open; 0 where one is, or where there are none. `now` in seconds since the epoch."""
    return min((_opens_in(one, now) for one in windows), default=0.0)


def _opens_in(window: Window, now: float) -> float:
    """A window is open for its duration after each moment of its cron. cronsim is asked for the first such moment
    after the last one that would be over by now.
    """
    zone = ZoneInfo(window.time_zone)
    over = datetime.fromtimestamp(now, UTC) - timedelta(seconds=window.duration)
    starts = next(CronSim(window.cron, over.astimezone(zone)), None)
    if starts is None:
        return NEVER
    return max(0.0, starts.timestamp() - now)


NEVER = 10 * 366 * 24 * 3600.0
"""Such a cron is refused when specs are read; this is for one that was good then."""
