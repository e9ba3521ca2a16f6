"""What services need outside their definitions and do not have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.configs import Found, LostForGood, copy_of
from controller.applying.group_watch import GroupNews
from controller.planning.model import Because
from controller.reconciling.world import Site

CONFIGS = {Found.MISSING: Reason.CONFIG_MISSING, Found.ALTERED: Reason.CONFIG_ALTERED}
NAMED = 20
"""Services of a config object that are told of it."""


def lost_from(
    site: Site, wrong: Mapping[str, Found], lost: Iterable[LostForGood]
) -> Iterator[tuple[ServiceKey, Because]]:
    """Services and the config objects of theirs that nobody can put back."""
    gone = {one.path: Because(CONFIGS[wrong[one.path]], str(one)) for one in lost}
    for text, memory in site.memories.items() if gone else ():
        yield from ((ServiceKey.parse(text), gone[path]) for path in memory.configs if path in gone)


def naming(site: Site, paths: Collection[str]) -> dict[str, tuple[ServiceKey, ...]]:
    """Config object, or its second copy → the first of the services whose revisions name it."""
    found: dict[str, list[ServiceKey]] = {path: [] for path in paths}
    for text, memory in site.memories.items() if paths else ():
        for path in memory.configs:
            for one in (path, copy_of(path)):
                if one in found and len(found[one]) < NAMED:
                    found[one].append(ServiceKey.parse(text))
    return {path: tuple(keys) for path, keys in found.items()}


def standing_groups(news: GroupNews) -> Iterator[tuple[ServiceKey, Because]]:
    for drift in news.drifts:
        if not drift.repaired:
            yield from ((key, Because(drift.reason, drift.message)) for key in drift.services)
