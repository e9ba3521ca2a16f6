"""A command that writes holds the leases of all places while it runs, so that no controller writes beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from controller.aws.ports import AwsError
from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.runtime.clock import SystemClock
from controller.runtime.leases import BEAT, GRACE, TTL, Leases
from controller.runtime.loop import Periodic

PATIENCE = TTL + GRACE + 2 * BEAT
"""Seconds after which whoever holds a lease still is alive, and goes on holding it."""
STOP_SECONDS = 5.0
pause = time.sleep


@contextmanager
def held(leases: Leases) -> Iterator[None]:
    """Raises CommandError where a controller, or another command, holds one of them and lives; AwsError."""
    try:
        _take_all(leases)
        beats = Periodic("leases", leases.tick, BEAT, clock=SystemClock(), backoff=lambda _failures: 1.0)
        beats.start()
        try:
            yield
        finally:
            beats.stop(STOP_SECONDS)
    finally:
        with suppress(AwsError):
            leases.close(STOP_SECONDS)


def _take_all(leases: Leases) -> None:
    until, told = time.monotonic() + PATIENCE, False
    leases.tick()
    while missing := leases.missing():
        holders = ", ".join(f"{shard} by {holder}" for shard, holder in sorted(missing.items()))
        if time.monotonic() >= until:
            raise CommandError(
                f"the lease is held: {holders}. A controller that runs carries out what its source says: commit there, "
                "or stop it first"
            )
        if not told:
            say(f"waiting for the lease, held: {holders}; {PATIENCE:.0f} s at most")
            told = True
        pause(1.0)
        leases.tick()
