"""A plan that would change what is somebody else's is not carried out, whatever made it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from controller.planning.decide import decide
from controller.planning.model import ServicePlan
from tests.support.playground import Playground, route_yaml

ADMIN = "arn:aws:iam::123456789012:role/admin"


def raises_the_role(body: dict[str, Any]) -> None:
    body["taskRoleArn"] = ADMIN


def swaps_the_image(body: dict[str, Any]) -> None:
    next(one for one in body["containerDefinitions"] if one["name"] == "app")["image"] = "evil:1"


@pytest.mark.parametrize(
    ("mutate", "what"), [(raises_the_role, "taskRoleArn"), (swaps_the_image, "image of container app")]
)
@pytest.mark.parametrize("leaving", [False, True])
def test_it_is_not_registered_and_told(
    play: Playground,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[dict[str, Any]], None],
    what: str,
    *,
    leaving: bool,
) -> None:
    play.settings = play.settings.model_copy(update={"preflight": "off"})
    play.start()
    play.service()
    play.write("archive.yaml", OTHER)
    if leaving:
        play.write("httpd.yaml", route_yaml())
        play.settle()
        assert play.is_routed()
        play.remove("httpd.yaml")
    else:
        play.write("httpd.yaml", route_yaml())
    revisions = play.revisions()

    def wrong(case: Any) -> ServicePlan:
        plan = decide(case)
        if plan.after is not None:
            object.__setattr__(plan, "after", copy.deepcopy(plan.after))
            mutate(plan.after)
        return plan

    monkeypatch.setattr("controller.reconciling.look.decide", wrong)
    play.controller.poll_source()
    play.controller.resync()
    key = play.queue.get()
    assert key is not None
    with pytest.raises(Exception, match=what):
        play.controller.reconcile(key)
    assert play.revisions() == revisions
    assert play.is_routed() == leaving
    assert play.reason() == "InternalError"


OTHER = route_yaml("other", "[nothing-of-that-name]")
"""Something that stays: from an empty source nothing is restored unasked."""
