"""What nothing needs any more goes, after a grace, and only where the settings say so; whatever is in doubt stays."""

from __future__ import annotations

from typing import Any

import pytest

from controller.aws.ports import AwsError
from controller.reconciling.garbage import Collector, Swept
from controller.settings import Garbage
from controller.taskdef.body import register_form
from controller.telemetry.metrics import Metrics
from controller.telling import Teller
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml
from tests.support.shop import Shop

DAY = 24 * 3600.0
JSON_LINES = "[{name: stdout, format: json_lines}]"


def collector(play: Playground, **said: Any) -> Collector:
    play.settings = play.settings.model_copy(update={"garbage": Garbage(**{"configs": "delete", **said})})
    play.start()
    play.step()
    found = play.app.collector()
    assert found is not None
    return found


def changed(play: Playground) -> tuple[str, str]:
    """A service whose route was changed; the paths of the former config and of the one in use."""
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    (before,) = play.configs()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    (after,) = play.configs().keys() - {before}
    return before, after


def deregister(play: Playground, *revisions: int, family: str = "example") -> None:
    for revision in revisions:
        play.ecs.deregister_task_definition(taskDefinition=f"{family}:{revision}")


def url(path: str) -> str:
    return f"s3://{STORE}/{PREFIX}/{path}"


def copy_of(path: str) -> str:
    return f"_state/configs/{path.partition('/')[0]}"


def over(play: Playground, found: Collector, days: int) -> Swept:
    """What a sweep finds at the end of so many days, with one at the beginning."""
    found.sweep()
    play.sandbox.advance(days * DAY)
    return found.sweep()


def test_a_config_that_an_active_revision_names_stays(play: Playground) -> None:
    before, after = changed(play)
    swept = over(play, collector(play), 200)
    assert swept == Swept()
    assert play.configs().keys() == {before, after}


def test_a_config_stays_for_as_long_as_ecs_may_go_back_to_it_and_then_for_its_grace(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    assert over(play, found, 89) == Swept()
    assert over(play, found, 2).unused == (url(before),)
    assert over(play, found, 29).due == ()
    assert over(play, found, 2).gone == {url(before)}
    assert play.configs().keys() == {after}
    assert {copy_of(before), copy_of(after)} <= play.objects().keys()


def test_the_second_copy_goes_a_grace_after_the_object(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play, graceDays=5)
    over(play, found, 91)
    assert over(play, found, 6).gone == {url(before)}
    assert over(play, found, 4).gone == frozenset()
    assert over(play, found, 2).gone == {url(copy_of(before))}
    assert {path for path in play.objects() if not path.startswith("_state/") or "configs" in path} == {
        after,
        copy_of(after),
    }
    play.settle()
    assert play.status()["Ready"][0] == "True"


def test_the_grace_goes_on_over_a_restart(play: Playground) -> None:
    before, _ = changed(play)
    deregister(play, 2)
    over(play, collector(play), 91)
    play.sandbox.advance(20 * DAY)
    collector(play).sweep()
    play.sandbox.advance(11 * DAY)
    assert collector(play).sweep().gone == {url(before)}


def test_a_dry_run_tells_and_deletes_nothing(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play, configs="dry-run")
    over(play, found, 91)
    swept = over(play, found, 31)
    assert swept == Swept(unused=(url(before),), due=(url(before),))
    assert play.configs().keys() == {before, after}


def test_the_default_is_a_dry_run() -> None:
    assert Garbage().configs == "dry-run"
    assert Garbage().revisions == "off"


def test_a_task_that_runs_keeps_its_config(play: Playground) -> None:
    before, _ = changed(play)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    started = {"cluster": CLUSTER, "launchType": "FARGATE", "networkConfiguration": network}
    (task,) = play.ecs.run_task(taskDefinition="example:2", **started)["tasks"]
    deregister(play, 2)
    found = collector(play)
    assert over(play, found, 91) == over(play, found, 31) == Swept()
    play.ecs.stop_task(cluster=CLUSTER, task=task["taskArn"])
    over(play, found, 1)
    assert over(play, found, 31).gone == {url(before)}


def test_a_service_without_a_task_keeps_the_config_of_its_revision(play: Playground) -> None:
    changed(play)
    routed = register_form(play.running())
    play.ecs.create_cluster(clusterName="elsewhere")
    play.write("httpd.yaml", route_yaml(outputs="[{name: 'null'}]"))
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    sleeping = play.register({**routed, "family": "sleeping"})
    play.ecs.create_service(
        cluster="elsewhere",
        serviceName="sleeping",
        taskDefinition=sleeping,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    play.settle()
    deregister(play, 2, 3)
    deregister(play, 1, family="sleeping")
    found = collector(play)
    over(play, found, 91)
    swept = over(play, found, 31)
    assert len(swept.gone) == 1
    kept = {
        one["value"] for one in routed["containerDefinitions"][-1].get("environment", ()) if "s3:::" in one["value"]
    }
    assert kept
    assert all(any(path in value for path in play.configs()) for value in kept)


def test_the_task_sets_of_codedeploy_keep_their_configs(play: Playground) -> None:
    shop = Shop(play)
    shop.deploy(plain_definition())
    play.sandbox.advance(15 * 60)
    play.write("httpd.yaml", route_yaml())
    play.settle(times=8)
    assert shop.is_routed
    (needed,) = play.configs()
    deregister(play, play.revisions())
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{'a' * 64}/pipeline.conf", Body=b"x")
    found = collector(play)
    play.sandbox.reset_call_counts()
    over(play, found, 91)
    over(play, found, 31)
    assert list(play.configs()) == [needed]
    assert "ecs:ListServiceDeployments" not in play.sandbox.call_counts


def test_what_comes_back_into_use_begins_its_grace_anew(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    over(play, found, 20)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    found.sweep()
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.settle()
    deregister(play, play.revisions() - 1)
    assert over(play, found, 15).gone == frozenset()
    assert {before, after} == play.configs().keys()


@pytest.mark.parametrize(
    "operation", ["ListClusters", "ListTasks", "DescribeTasks", "ListServices", "ListServiceDeployments"]
)
def test_where_something_cannot_be_read_nothing_goes(play: Playground, operation: str) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.sandbox.add_fault(calls=f"ecs:{operation}", effect="refuse", times=0)
    with pytest.raises(AwsError, match=operation):
        found.sweep()
    assert play.configs().keys() == {before, after}


def test_where_a_memory_cannot_be_read_nothing_goes(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    key = f"{PREFIX}/_state/services/main/{REGION}/00.json"
    play.s3.put_object(Bucket=STORE, Key=key, Body=b"{")
    play.start()
    again = play.app.collector()
    assert again is not None
    assert "00.json is not readable" in again.sweep().why
    assert play.configs().keys() == {before, after}


def test_a_store_that_unknown_accounts_load_from_is_left_alone(play: Playground) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/services/data/eu-west-1/00.json", Body=b"{}")
    assert "data/eu-west-1, which is not in the settings" in found.sweep().why
    assert play.configs().keys() == {before, after}


def test_what_is_no_config_object_is_nobodys_garbage(play: Playground) -> None:
    changed(play)
    for key in ("README.md", "old/pipeline.conf", f"{'a' * 64}/other.conf"):
        play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=b"x")
    assert over(play, collector(play), 200) == Swept()


def test_where_all_is_in_use_no_task_or_service_is_looked_at(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    found = collector(play)
    play.sandbox.reset_call_counts()
    assert found.sweep() == Swept()
    assert not [call for call in play.sandbox.call_counts if call.startswith("ecs:")]


def often_changed(play: Playground, times: int) -> None:
    play.service()
    for number in range(times):
        play.write("httpd.yaml", route_yaml(outputs=f"[{{name: stdout, alias: a{number}}}]"))
        play.settle(times=2)


def active(play: Playground) -> list[int]:
    return [one["revision"] for one in play.sandbox.revisions("example") if one["status"] == "ACTIVE"]


def test_the_latest_revisions_of_ours_stay_and_older_ones_go(play: Playground) -> None:
    often_changed(play, 5)
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.settle()
    assert active(play) == [1, 2, 3, 4, 5, 6, 7, 8]
    found = collector(play, configs="off", revisions="deregister", keepRevisions=2)
    assert found.sweep().gone == frozenset()  # ECS may go back to them
    play.sandbox.advance(91 * DAY)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    found.sweep()
    assert active(play) == [1, 7, 8, 9]  # 1 and 7 are somebody else's


def test_superseded_revisions_are_told_in_a_dry_run(play: Playground) -> None:
    often_changed(play, 3)
    play.sandbox.advance(91 * DAY)
    swept = collector(play, configs="off", revisions="dry-run", keepRevisions=1).sweep()
    assert [arn.rpartition("/")[2] for arn in sorted(swept.superseded)] == ["example:2"]  # 3 is what 4 goes back to
    assert active(play) == [1, 2, 3, 4]


def test_what_was_found_and_what_went_is_counted() -> None:
    metrics = Metrics("test")
    teller = Teller(metrics)
    teller.swept(Swept(("a", "b"), ("b",), ("arn:aws:ecs:x",), frozenset({"b"})))
    teller.swept(Swept(why="in doubt"))
    shown = metrics.render()[0].decode()
    for line in ('{kind="unused"} 2.0', '{kind="due"} 1.0', '{kind="superseded"} 1.0'):
        assert f"logroute_garbage{line}" in shown
    assert 'logroute_garbage_collected_total{kind="config"} 1.0' in shown
    assert 'logroute_garbage_collected_total{kind="revision"} 0.0' in shown
