"""Whether the controller lives and is ready: by what it finished, not merely by the process answering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controller.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Verdict:
    ok: bool
    message: str


class Health:
    """`last_pass`: what `clock.monotonic()` was when the last pass ended; None before the first.

    The next pass must end within `limit` seconds of the last, the first within `grace` of this object's making, or of
    when there was `gained` something to look after. Where another replica looks after everything (`stands_by`), no pass
    is due. Not healthy means: restart it. Not ready means: it has not seen the world yet.
    """

    def __init__(
        self,
        clock: Clock,
        last_pass: Callable[[], float | None],
        has_specs: Callable[[], bool],
        *,
        stands_by: Callable[[], bool] = lambda: False,
        gained: Callable[[], float | None] = lambda: None,
        limit: float,
        grace: float,
    ) -> None:
        self._clock = clock
        self._last_pass = last_pass
        self._has_specs = has_specs
        self._stands_by, self._gained = stands_by, gained
        self._limit = limit
        self._grace = grace
        self._started = clock.monotonic()

    def live(self) -> Verdict:
        if self._stands_by():
            return Verdict(ok=True, message="standing by: another replica looks after everything")
        last, begun = self._last_pass(), self._gained() or self._started
        if last is None or last < begun:
            age, limit, what = self._age(begun), self._grace, "no pass has ended since the start"
        else:
            age, limit, what = self._age(last), self._limit, "the last pass ended"
        return Verdict(age <= limit, f"{what} {age:.0f} s ago; the limit is {limit:.0f} s")

    def ready(self) -> Verdict:
        """Once ready, always ready: whether passes go on is for `live` to say."""
        milestones = {
            "the first snapshot of the source": self._has_specs(),
            "the end of the first pass": self._last_pass() is not None or self._stands_by(),
        }
        missing = [name for name, reached in milestones.items() if not reached]
        return Verdict(not missing, f"waiting for {' and '.join(missing)}" if missing else "ready")

    def _age(self, since: float) -> float:
        return self._clock.monotonic() - since
