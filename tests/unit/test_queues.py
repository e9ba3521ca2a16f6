"""Which place reads which queue: never two the same."""

from __future__ import annotations

import pytest

from controller.api.keys import Place
from controller.queues import queue_of

HOME, OTHER, PART, PART_TWO = (
    Place("main", "eu-west-1"),
    Place("data", "eu-west-1"),
    Place("main", "eu-west-1", "a"),
    Place("main", "eu-west-1", "b"),
)
PLAIN = "https://sqs.eu-west-1.amazonaws.com/123456789012/events"


@pytest.mark.parametrize(
    ("pattern", "places", "queues"),
    [
        (PLAIN, [HOME], [PLAIN]),
        (PLAIN, [HOME, OTHER], [PLAIN, None]),
        (PLAIN, [PART, PART_TWO], [PLAIN, None]),
        ("https://sqs/{account}/events", [HOME, OTHER], ["https://sqs/1/events", "https://sqs/1/events"]),
        ("https://sqs.{region}/1/events", [HOME, OTHER], ["https://sqs.eu-west-1/1/events", None]),
        ("https://sqs/1/events-{shard}", [PART, PART_TWO], ["https://sqs/1/events-a", "https://sqs/1/events-b"]),
    ],
)
def test_each_place_has_its_own_queue_or_is_polled(pattern: str, places: list[Place], queues: list[str | None]) -> None:
    assert [queue_of(pattern, one, places, lambda: "1") for one in places] == queues
