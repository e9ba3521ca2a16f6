"""Turns, looked at one by one; what holds for all of them is in tests/property/test_waves.py."""

from __future__ import annotations

from controller.api.keys import ServiceKey
from controller.api.kinds import Rollout
from tests.property.test_waves import PLACE, Fleet


def fleet(count: int, **rollout: object) -> Fleet:
    keys = [ServiceKey(PLACE, "c", f"s{number:02}") for number in range(count)]
    settings = Rollout.model_validate({"batch": "1", "maxParallel": 0, **rollout})
    found = Fleet(settings, keys, dict.fromkeys(keys, 0))
    found.a_pass()
    return found


def test_after_an_outage_the_first_batch_goes_first_again() -> None:
    """Each batch was let by while the one before met errors; the errors end for all at once."""
    some = fleet(5)
    for key in some.keys:
        assert some.queue == [key]
        some.queue.clear()
        some.waves.failed(key)
        some.queue += some.waves.due(0.0)
    some.queue = list(some.keys)
    for _ in some.keys:
        some.work()
    assert some.begun == some.keys[:1]
    some.end(some.keys[0], "done")
    some.work()
    assert some.begun == some.keys[:2]
