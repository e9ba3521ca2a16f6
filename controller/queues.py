"""Which queue tells of which place."""

from __future__ import annotations

from collections.abc import Callable, Collection

from controller.api.keys import Place
from controller.settings import SettingsError


def queue_url(pattern: str, place: Place, places: Collection[Place], account: Callable[[], str]) -> str:
    """`account`: twelve digits, asked for only where the pattern names them. Raises SettingsError where two places
    would read one queue: each would take the other's events away.
    """
    named = [name for name in ("account", "region", "shard") if f"{{{name}}}" in pattern]
    told = [tuple(getattr(one, name) for name in named) for one in places]
    if len(set(told)) < len(told):
        raise SettingsError(
            f"events.queue: {len(told)} places would read one queue; tell them apart by {{account}}, {{region}} or "
            "{shard} in its URL"
        )
    filled = pattern.replace("{region}", place.region).replace("{shard}", place.shard)
    return filled.replace("{account}", account()) if "{account}" in filled else filled
