"""Tags (Amazon ECS API reference, Tag)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json

MOST_TAGS = 50
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def tag_problems(tags: list[Json]) -> Iterator[str]:
    """Why ECS refuses this list. An empty one is refused too: leave `tags` out instead."""
    if not tags:
        yield "Tags can not be empty."
    if len(tags) > MOST_TAGS:
        yield f"The number of tags exceeds the limit of {MOST_TAGS}."
    keys = [tag.get("key", "") for tag in tags]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"Duplicate tag keys found: '{key}'."
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not key or len(key) > _LONGEST_KEY:
            yield f"Tag key must have between 1 and {_LONGEST_KEY} characters: '{key}'."
        if key.lower().startswith("aws:"):
            yield f"Tag keys that start with 'aws:' are reserved: '{key}'."
        if len(value) > _LONGEST_VALUE:
            yield f"The value of tag '{key}' has more than {_LONGEST_VALUE} characters."


def merged(old: list[Json], new: list[Json]) -> list[Json]:
    """`old` with the values of `new`, a key once."""
    values = {tag["key"]: tag.get("value", "") for tag in [*old, *new]}
    return [{"key": key, "value": value} for key, value in values.items()]


def without(tags: list[Json], keys: list[str]) -> list[Json]:
    return [tag for tag in tags if tag["key"] not in keys]
