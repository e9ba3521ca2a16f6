"""Which events go where, and how often. Pure, but for what was sent already."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from controller.api.events import Event, EventKind, Level
from controller.api.globs import selected

TOLD = frozenset(
    {
        EventKind.SPEC_INVALID,
        EventKind.SPEC_MENDED,
        EventKind.SOURCE_FAILED,
        EventKind.SOURCE_READ,
        EventKind.DRIFT_FOUND,
        EventKind.REPAIRED,
        EventKind.CONFIG_LOST,
        EventKind.ROLLED_BACK,
        EventKind.CONTESTED,
        EventKind.HELD,
        EventKind.RELEASED,
        EventKind.FAILED,
        EventKind.PLAN_BLOCKED,
        EventKind.APPROVED,
        EventKind.PLACE_UNREAD,
        EventKind.ROLLOUT_SUCCEEDED,
    }
)
"""What is worth a message where the settings name no kinds; the severity decides then."""
GOOD_NEWS = frozenset({EventKind.SPEC_MENDED, EventKind.SOURCE_READ, EventKind.RELEASED, EventKind.APPROVED})
"""They end what was told as a warning or worse, so whoever heard of that hears of these."""
ONCE_SECONDS = 3600.0
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """`routes`: globs of `namespace/name`; empty: all. `kinds` empty: those of TOLD."""

    least: Level = Level.WARNING
    routes: tuple[str, ...] = ()
    kinds: Collection[EventKind] = frozenset()

    def wants(self, event: Event) -> bool:
        if event.kind not in (self.kinds or TOLD):
            return False
        if event.level < self.least and not (event.kind in GOOD_NEWS and self.least <= Level.WARNING):
            return False
        return not self.routes or self._is_about(event)

    def _is_about(self, event: Event) -> bool:
        """What is about no route at all, such as a blocked plan, is everybody's."""
        names = event.routes or ((event.about,) if event.about.count("/") == 1 else ())
        return not names or any(selected(self.routes, name) for name in names)


@dataclass(slots=True)
class Repeats:
    """The same again within an hour is no news; how often it came is told with the next that goes. Times in monotonic
    seconds.
    """

    _sent: OrderedDict[tuple[str, ...], tuple[float, int]] = field(default_factory=OrderedDict)

    def first(self, event: Event, now: float) -> int | None:
        """None: it was told lately. Else how many such were left out since."""
        key = (event.kind.value, event.about, event.reason, event.digest)
        at, left_out = self._sent.get(key, (-ONCE_SECONDS, 0))
        if now - at < ONCE_SECONDS:
            self._sent[key] = (at, left_out + 1)
            return None
        self._sent[key] = (now, 0)
        self._sent.move_to_end(key)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return left_out
