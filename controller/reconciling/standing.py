"""What services need outside their definitions and do not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.configs import Found, LostForGood
from controller.applying.group_watch import GroupNews
from controller.planning.model import Because
from controller.reconciling.world import Site

CONFIGS = {Found.MISSING: Reason.CONFIG_MISSING, Found.ALTERED: Reason.CONFIG_ALTERED}


def lost_from(
    site: Site, wrong: Mapping[str, Found], lost: Iterable[LostForGood]
) -> Iterator[tuple[ServiceKey, Because]]:
    """Services and the config objects of theirs that nobody can put back."""
    gone = {one.path: Because(CONFIGS[wrong[one.path]], str(one)) for one in lost}
    for text, memory in site.memories.items() if gone else ():
        yield from ((ServiceKey.parse(text), gone[path]) for path in memory.configs if path in gone)


def standing_groups(news: GroupNews) -> Iterator[tuple[ServiceKey, Because]]:
    for drift in news.drifts:
        if not drift.repaired:
            yield from ((key, Because(drift.reason, drift.message)) for key in drift.services)
