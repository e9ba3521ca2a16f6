"""Neither state nor cache is left, and the services are in sync: the pass that finds it out remembers them itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.api.keys import ServiceKey
from controller.aws.ports import AccessDenied
from controller.planning.memory import ServiceMemory, Stage
from controller.reconciling import adoption
from controller.reconciling.keeper import Specs
from controller.reconciling.survey import Survey
from controller.state.ledger import shard_of
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

NAMES = [f"s-{number}" for number in range(6)]
SHARDS = {shard_of(f"main/{REGION}/{CLUSTER}/{name}", 64) for name in NAMES}
GROUPS = "  logGroups: [{{name: /web/{}, retentionDays: 14}}]\n"


@pytest.fixture
def forgotten(play: Playground) -> Playground:
    """All is routed, and then the state of the services is lost and the controller starts anew."""
    for name in NAMES:
        play.service(name, definition=plain_definition(name))
        play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]", extra=GROUPS.format(name)))
    play.settle()
    assert all(map(play.is_routed, NAMES))
    for path in play.objects():
        if path.startswith("_state/services/"):
            play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.start()
    play.controller.poll_source()
    return play


def remembered(play: Playground) -> set[str]:
    return {ServiceKey.parse(text).service for text, _ in play.app.world.home_site.memories.items()}


def counting(play: Playground, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that are written from now on, below the store's prefix."""
    written: list[str] = []
    objects = play.app.world.home_site.shelf.objects
    put = objects.put

    def noted(key: str, body: bytes, **options: Any) -> str:
        written.append(key.removeprefix(f"{PREFIX}/"))
        return put(key, body, **options)

    monkeypatch.setattr(objects, "put", noted)
    return written


def test_each_shard_of_the_state_is_written_once_and_no_worker_is_needed(
    forgotten: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = counting(forgotten, monkeypatch)
    before = {name: forgotten.revisions(name) for name in NAMES}
    forgotten.controller.resync()
    assert not forgotten.queue.depth()
    assert remembered(forgotten) == set(NAMES)
    state = [key for key in written if key.startswith("_state/services/")]
    assert len(state) == len(set(state)) == len(SHARDS)
    forgotten.settle()
    assert {name: forgotten.revisions(name) for name in NAMES} == before
    assert {forgotten.reason(name) for name in NAMES} == {"InSync"}


def test_what_lacks_a_log_group_gets_it_before_it_is_remembered(forgotten: Playground) -> None:
    forgotten.logs.delete_log_group(logGroupName="/web/s-3")
    forgotten.controller.resync()
    assert remembered(forgotten) == set(NAMES) - {"s-3"}
    forgotten.drain()
    assert remembered(forgotten) == set(NAMES)
    assert forgotten.logs.describe_log_groups(logGroupNamePrefix="/web/s-3")["logGroups"]


def test_a_retention_that_a_spec_lowers_is_lowered_by_the_first_pass(play: Playground) -> None:
    """The definition stays the same; what is remembered of the service itself is no reason to keep events longer."""
    play.service()
    play.write("httpd.yaml", route_yaml(extra=GROUPS.format("x")))
    play.settle()
    play.write("httpd.yaml", route_yaml(extra=GROUPS.format("x").replace("14", "7")))
    play.step()
    (group,) = play.logs.describe_log_groups(logGroupNamePrefix="/web/x")["logGroups"]
    assert group["retentionInDays"] == 7


def test_where_log_groups_cannot_be_looked_at_workers_see_to_the_services(
    forgotten: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def refuse(names: object) -> Any:
        asked.append(names)
        raise AccessDenied("logs:DescribeLogGroups", "2 log groups", "AccessDeniedException", "no")

    monkeypatch.setattr(adoption, "AT_ONCE", 1)
    monkeypatch.setattr(forgotten.app.world.home_site.account.logs, "describe", refuse)
    forgotten.controller.resync()
    assert not remembered(forgotten)
    assert len(asked) == 1
    assert forgotten.queue.depth() == len(NAMES)


def test_a_config_object_that_is_lost_is_back_though_nothing_remembers_it(forgotten: Playground) -> None:
    """Its second copy is there; the next look in the same pass finds it by the definitions that were read."""
    lost = min(forgotten.configs())
    forgotten.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{lost}")
    forgotten.controller.resync()
    assert lost in forgotten.configs()
    assert remembered(forgotten) == set(NAMES)


def test_where_all_of_the_state_is_lost_the_second_copies_are_made_again(forgotten: Playground) -> None:
    """Else the next config object that somebody deletes would be lost for good."""
    before = forgotten.objects()
    copies = {path for path in before if path.startswith("_state/configs/")}
    assert len(copies) >= len(NAMES)
    for path in copies:
        forgotten.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    forgotten.controller.resync()
    assert {path: body for path, body in forgotten.objects().items() if path in copies} == {
        path: before[path] for path in copies
    }
    assert remembered(forgotten) == set(NAMES)


def test_a_config_object_of_which_no_copy_is_left_is_made_by_the_worker(forgotten: Playground) -> None:
    lost = min(forgotten.configs())
    for path in (lost, f"_state/configs/{lost.partition('/')[0]}"):
        forgotten.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    forgotten.controller.resync()
    assert len(remembered(forgotten)) == len(NAMES) - 1
    forgotten.drain()
    assert lost in forgotten.configs()
    assert remembered(forgotten) == set(NAMES)


def test_what_a_worker_wrote_meanwhile_counts(forgotten: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass saw the service some time ago."""
    memories, told = forgotten.app.world.home_site.memories, forgotten.controller.board.surveyed
    key = f"main/{REGION}/{CLUSTER}/s-0"
    theirs: list[ServiceMemory] = []

    def meanwhile(seen: Survey, specs: Specs) -> None:
        theirs.append(replace(seen.adoptions[ServiceKey.parse(key)].after, stage=Stage.ASKED))
        memories.put(key, theirs[0])
        told(seen, specs)

    monkeypatch.setattr(forgotten.controller.board, "surveyed", meanwhile)
    forgotten.controller.resync()
    assert memories.get(key) == theirs[0]
    assert remembered(forgotten) == set(NAMES)
