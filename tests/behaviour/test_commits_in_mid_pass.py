"""A commit that arrives while a pass is under way: what the pass asked for is carried out by what was known then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from controller.reconciling.survey import in_turn
from tests.support.playground import Playground, route_yaml


def meanwhile(monkeypatch: pytest.MonkeyPatch, something: Callable[[], None]) -> None:
    """When the next pass has looked at everything, and has not handed out anything."""
    name = "controller.reconciling.controller.in_turn"

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(name, in_turn)
        something()
        return in_turn(*args)

    monkeypatch.setattr(name, interrupted)


def test_a_route_that_is_taken_back_in_the_pass_that_began_with_it_leaves_the_service(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service()
    play.step()
    play.write("httpd.yaml", route_yaml())

    def taken_back() -> None:
        play.remove("httpd.yaml")
        play.controller.poll_source()

    meanwhile(monkeypatch, taken_back)
    play.step()
    assert play.is_routed()
    play.start()
    play.settle(5)
    assert not play.is_routed()
    assert play.reason() == ""
