"""A sweep takes hours where there is much to read, and the world goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from controller.aws.objects import S3Bucket
from controller.aws.ports import AwsError
from controller.desired.model import ConfigObject
from controller.observed import usage
from tests.behaviour.test_garbage import DAY, active, changed, collector, deregister, often_changed, over, url
from tests.support.playground import CLUSTER, Playground


def put_up(play: Playground, path: str, body: bytes) -> None:
    """As a rollout does before it registers."""
    play.app.world.home_site.shelf.put(ConfigObject(path.partition("/")[2], body))


def named(play: Playground) -> set[str]:
    return {path for _, memory in play.app.world.home_site.memories.items() for path in memory.configs}


def test_a_config_that_a_rollout_puts_up_while_others_are_deleted_stays(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    often_changed(play, 4)
    deregister(play, 2, 3, 4)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    there = play.configs()
    delete: Callable[..., None] = S3Bucket.delete
    gone: list[str] = []

    def meanwhile(bucket: S3Bucket, key: str, **options: Any) -> None:
        if not gone:
            for path in there:
                if not key.endswith(path):
                    put_up(play, path, there[path])
        gone.append(key)
        delete(bucket, key, **options)

    monkeypatch.setattr(S3Bucket, "delete", meanwhile)
    found.sweep()
    assert len(gone) == 1
    assert play.configs().keys() == {path for path in there if not gone[0].endswith(path)}


def test_what_was_put_up_before_a_sweep_that_failed_is_not_forgotten_by_the_next(play: Playground) -> None:
    often_changed(play, 3)
    deregister(play, 2, 3)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    before, other = play.configs().keys() - named(play)
    put_up(play, before, play.configs()[before])
    play.sandbox.add_fault(calls="ecs:ListTasks", effect="error", code="AccessDeniedException", status=400, times=1)
    with pytest.raises(AwsError, match="ListTasks"):
        found.sweep()
    assert found.sweep().gone == {url(other)}
    assert before in play.configs()


def test_a_revision_that_a_service_goes_back_to_during_a_sweep_is_not_deregistered(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    often_changed(play, 4)
    play.sandbox.advance(91 * DAY)
    found = collector(play, configs="off", revisions="deregister", keepRevisions=1)
    take = usage.take

    def then_somebody_deploys(*given: Any, **options: Any) -> usage.Usage:
        seen = take(*given, **options)
        play.ecs.update_service(cluster=CLUSTER, service="example", taskDefinition="example:3")
        return seen

    monkeypatch.setattr(usage, "take", then_somebody_deploys)
    found.sweep()
    assert active(play) == [1, 3, 4, 5]


def test_a_cluster_that_is_deleted_during_a_sweep_needs_nothing(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.ecs.create_cluster(clusterName="a-pipeline-s")
    ecs = play.app.world.home_site.account.ecs
    listed = ecs.list_clusters

    def then_one_goes() -> list[str]:
        there = listed()
        play.ecs.delete_cluster(cluster="a-pipeline-s")
        return there

    monkeypatch.setattr(ecs, "list_clusters", then_one_goes)
    assert found.sweep().gone == {url(before)}
