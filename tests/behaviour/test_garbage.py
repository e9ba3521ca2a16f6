"""Config objects and revisions that nothing names any more, and all that keeps them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from controller.desired.model import ConfigObject
from controller.planning.garbage import DAY, Policy
from controller.reconciling.garbage import Sweeper, Swept
from controller.settings import AccountSettings
from controller.telling import Teller
from tests.behaviour.test_many_accounts import CONTROLLER, OWN_STORE, away
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

__all__ = ["away"]

DELETE = Policy("delete")
DRY_RUN = Policy("dry-run")
OTHER_REGION = "us-east-1"
CALLS = (
    "ecs:ListTaskDefinitions",
    "ecs:ListClusters",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:ListServices",
    "ecs:DescribeServices",
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeTaskDefinition",
    "s3:ListObjectsV2",
)
OLD = "[{name: stdout}]"
NEW = "[{name: stdout, format: json_lines}]"


def sweep(play: Playground, policy: Policy = DELETE) -> Swept:
    return Sweeper(play.app.world, policy, Teller(play.metrics), play.controller.board).sweep()


def days(play: Playground, number: float) -> None:
    play.sandbox.advance(number * DAY)


def deregister(play: Playground, arn: str) -> None:
    play.ecs.deregister_task_definition(taskDefinition=arn)


def configs(play: Playground, bucket: str = STORE) -> set[str]:
    """Config objects by key below the store's prefix."""
    keys = [row["Key"].removeprefix(f"{PREFIX}/") for row in play.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {key for key in keys if not key.startswith("_state/")}


def two_configs(play: Playground) -> tuple[str, str]:
    """A config that was replaced: its path, and the revision that names it."""
    play.service()
    for outputs in (OLD, NEW):
        play.write("httpd.yaml", route_yaml(outputs=outputs))
        play.settle()
    router = play.ecs.describe_task_definition(taskDefinition="example:2")["taskDefinition"]
    [path] = re.findall(r"[0-9a-f]{64}/pipeline.conf", str(router["containerDefinitions"]))
    return path, router["taskDefinitionArn"]


@pytest.fixture
def old(play: Playground) -> tuple[str, str]:
    return two_configs(play)


def copy_of(path: str) -> str:
    return f"_state/configs/{path.partition('/')[0]}"


def forgotten(play: Playground, revision: str) -> None:
    """Nothing names what `revision` names: it is INACTIVE, and its deployment is no more in the history."""
    deregister(play, revision)
    play.app.world.home_site.shelf.wanted.clear()  # as the sweeps of these days do
    days(play, 91)


def test_a_config_goes_a_grace_after_the_last_that_named_it(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    assert sweep(play).doubts == []
    days(play, 29)
    sweep(play)
    assert path in play.configs()
    days(play, 2)
    swept = sweep(play)
    assert swept.doubts == []
    assert path not in play.configs()
    assert len(play.configs()) == 1
    assert [one.rsplit("/", 2)[-2:] for one in swept.removed] == [path.split("/")]


def test_its_second_copy_goes_another_grace_later(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    sweep(play)
    assert path not in play.configs()
    days(play, 29)
    sweep(play)
    assert copy_of(path) in play.objects()
    days(play, 2)
    sweep(play)
    assert copy_of(path) not in play.objects()
    assert len(play.configs()) == 1


def test_a_dry_run_lists_and_deletes_nothing(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play, DRY_RUN)
    days(play, 31)
    swept = sweep(play, DRY_RUN)
    assert path in play.configs()
    assert [uri for uri, why in swept.due if why.startswith("nothing names it since 2026-")] == [
        f"s3://configs/logroute/{path}"
    ]


def test_what_may_go_is_in_status_and_metrics_and_stays_there_over_a_restart(
    play: Playground, old: tuple[str, str]
) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play, DRY_RUN)
    days(play, 31)
    for _ in range(2):
        play.app.world.home_site.account.ecs.list_clusters()  # the passes ask ECS, and so know its time
        Sweeper(play.app.world, DRY_RUN, Teller(play.metrics), play.controller.board).tick()
        told: dict[str, Any] = play.controller.board.plain()["garbage"]
        assert told["mayGo"][0]["path"].endswith(path)
        assert b'\nlogroute_garbage_configs{state="due"} 1.0\n' in play.metrics.render("")[0]
        play.start()


def test_what_is_about_to_be_named_stays(play: Playground, old: tuple[str, str]) -> None:
    """A revision follows its config, at the rate at which AWS registers."""
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    play.app.world.home_site.shelf.put(ConfigObject(path.partition("/")[2], play.configs()[path]))
    assert sweep(play).waiting == 0
    assert path in play.configs()
    sweep(play)
    days(play, 31)
    sweep(play)
    assert path not in play.configs()


def test_a_deployment_of_89_days_ago_keeps_what_it_brought_out(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    quick = Policy("delete", grace=DAY / 4)
    deregister(play, revision)
    days(play, 88)
    assert sweep(play, quick).waiting == 0
    days(play, 1)
    sweep(play, quick)
    assert path in play.configs()
    days(play, 2)
    sweep(play, quick)
    days(play, 1)
    sweep(play, quick)
    assert path not in play.configs()


def test_a_task_keeps_the_config_of_its_revision_that_is_deregistered(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    run = {"cluster": CLUSTER, "taskDefinition": revision, "launchType": "FARGATE", "networkConfiguration": network}
    [task] = play.ecs.run_task(**run)["tasks"]
    forgotten(play, revision)
    for _ in range(3):
        assert sweep(play).waiting == 0
        days(play, 31)
    assert path in play.configs()
    play.ecs.stop_task(cluster=CLUSTER, task=task["taskArn"])
    days(play, 1)
    sweep(play)
    days(play, 31)
    sweep(play)
    assert path not in play.configs()


def test_an_active_revision_keeps_its_config_for_ever(play: Playground, old: tuple[str, str]) -> None:
    for _ in range(3):
        days(play, 100)
        swept = sweep(play)
        assert (swept.doubts, swept.waiting) == ([], 0)
    assert old[0] in play.configs()


def test_an_orphaned_revision_keeps_its_config(play: Playground) -> None:
    """The route left, and its router stays in the revision, whoever runs that, and whatever is remembered of it."""
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  deletionPolicy: orphan\n"))
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    play.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    play.settle()
    assert not list(play.app.world.home_site.memories.items())
    for _ in range(3):
        days(play, 100)
        assert sweep(play).doubts == []
    assert len(play.configs()) == 1


def test_a_config_that_comes_back_into_use_within_its_grace_is_kept(play: Playground, old: tuple[str, str]) -> None:
    path, revision = old
    forgotten(play, revision)
    assert sweep(play).waiting == 1
    days(play, 20)
    play.write("httpd.yaml", route_yaml(outputs=OLD))
    play.settle()
    for wait in (0, 11, 31):
        days(play, wait)
        sweep(play)
    assert path in play.configs()
    assert path in str(play.containers()["log_router"]["environment"])


def test_a_config_that_is_named_again_after_its_grace_comes_back(play: Playground, old: tuple[str, str]) -> None:
    """Somebody registers a copy of the old definition: without the object its tasks would not start."""
    path, revision = old
    containers = play.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]["containerDefinitions"]
    before = play.configs()[path]
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    sweep(play)
    assert path not in play.configs()
    play.ecs.register_task_definition(**{**plain_definition("copied"), "containerDefinitions": containers})
    assert len(sweep(play).back) == 1
    assert play.configs()[path] == before
    days(play, 100)
    assert sweep(play).waiting == 0


def test_a_place_that_cannot_be_read_lets_nothing_go_anywhere(play: Playground, away: Playground) -> None:
    away.register(plain_definition("far"))
    path, revision = two_configs(play)
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    fault = play.sandbox.add_fault(calls="ecs:*", effect="refuse", by=CONTROLLER, times=0)
    [doubt] = sweep(play).doubts
    assert doubt.startswith(f"data/{REGION}: ")
    assert path in configs(play, OWN_STORE)
    play.sandbox.remove_fault(fault)
    assert sweep(play).doubts == []
    assert path not in configs(play, OWN_STORE)


def test_a_config_that_another_region_names_stays(play: Playground) -> None:
    """One store for two regions; the route is for the first alone."""
    play.settings = play.settings.model_copy(
        update={"accounts": {"main": AccountSettings.model_validate({"regions": [REGION, OTHER_REGION]})}}
    )
    play.start()
    path, revision = two_configs(play)
    there = play.sandbox.client("ecs", region=OTHER_REGION)
    containers = play.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]["containerDefinitions"]
    there.register_task_definition(**{**plain_definition("far"), "containerDefinitions": containers})
    for _ in range(3):
        forgotten(play, revision)
        swept = sweep(play)
        assert (swept.doubts, swept.waiting) == ([], 0)
    assert path in play.configs()


def test_a_place_that_only_the_state_knows_lets_nothing_go(play: Playground) -> None:
    """An account that was taken out of the settings still runs what it ran."""
    play.settings = play.settings.model_copy(
        update={"accounts": {"main": AccountSettings.model_validate({"regions": [REGION, OTHER_REGION]})}}
    )
    play.start()
    path, revision = two_configs(play)
    play.sandbox.client("ecs", region=OTHER_REGION).register_task_definition(**plain_definition("far"))
    sweep(play)
    play.settings = play.settings.model_copy(update={"accounts": {"main": AccountSettings()}})
    play.start()
    forgotten(play, revision)
    for _ in range(2):
        [doubt] = sweep(play).doubts
        assert f"main/{OTHER_REGION}" in doubt
        days(play, 31)
    assert path in play.configs()


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_denied_lets_nothing_go(play: Playground, old: tuple[str, str], call: str) -> None:
    path, revision = old
    forgotten(play, revision)
    sweep(play)
    days(play, 31)
    play.deploy(plain_definition(image="httpd:9"))
    fault = play.sandbox.add_fault(calls=call, effect="error", code="AccessDeniedException", status=400, times=0)
    swept = sweep(play)
    play.sandbox.remove_fault(fault)
    assert "AccessDenied" in swept.doubts[0]
    assert path in play.configs()
