"""Which queue tells of which place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from controller.api.keys import Place

NAMES = ("account", "region", "shard")


def queue_of(pattern: str, place: Place, places: Sequence[Place], account: Callable[[], str]) -> str | None:
    """The URL of the queue that a place reads. None where another that comes before it in `places` reads it already:
    two would take each other's events away. `account`: twelve digits, asked for only where the pattern names them.
    """
    named = [name for name in NAMES if f"{{{name}}}" in pattern]

    def told(one: Place) -> list[str]:
        return [getattr(one, name) for name in named]

    if next(one for one in places if told(one) == told(place)) != place:
        return None
    filled = pattern.replace("{region}", place.region).replace("{shard}", place.shard)
    return filled.replace("{account}", account()) if "{account}" in filled else filled
