"""A person asks to reconcile while workers are at it: neither undoes what the other wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from controller.planning.memory import ServiceMemory
from controller.reconciling.asked import answer
from controller.reconciling.notes import Kind, Note
from controller.state.ledger import Ledger
from tests.support.playground import CLUSTER, REGION, Playground, route_yaml


def test_what_a_worker_remembers_meanwhile_stays(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle(4)
    key, site, specs = f"main/{REGION}/{CLUSTER}/example", play.app.world.home_site, play.app.keeper.specs
    assert specs is not None
    before, original = site.memories.get(key), Ledger.update
    assert before is not None
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))

    def update(self: Ledger[Any], changes: Mapping[str, Any], **rest: Any) -> None:
        if any(isinstance(one, ServiceMemory) for one in changes.values()):
            monkeypatch.setattr(Ledger, "update", original)
            play.step()
        original(self, changes, **rest)

    monkeypatch.setattr(Ledger, "update", update)
    site.notes.write(Kind.RECONCILE, "web/httpd", Note("somebody", site.notes.now()))
    answer(play.app.world, site, specs)
    after = site.memories.get(key)
    assert after is not None
    assert after.revision == play.running()["taskDefinition"]["taskDefinitionArn"] != before.revision
    assert after.fingerprint == ""
