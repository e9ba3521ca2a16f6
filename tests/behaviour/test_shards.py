"""The clusters of one account and region in parts, each with a lease, a pass and waves of its own."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.keys import Place, ServiceKey
from controller.cli import statusfile
from controller.sandbox import Ailment
from controller.settings import AccountSettings
from tests.behaviour.test_families import families_yaml
from tests.behaviour.test_families import is_routed as family_is_routed
from tests.support.playground import CLUSTER, REGION, Playground, plain_definition, route_yaml
from tests.support.replicas import Replicas

PROD, DEV = Place("main", REGION, "prod"), Place("main", REGION, "dev")
SHARDS = {"main": AccountSettings(shards={"prod": (CLUSTER,), "dev": ("dev-*",)})}


def service(play: Playground, cluster: str, name: str = "example") -> None:
    if cluster != CLUSTER and cluster not in str(play.ecs.list_clusters()):
        play.ecs.create_cluster(clusterName=cluster)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    play.ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=play.register(plain_definition(f"{cluster}-{name}")),
        launchType="FARGATE",
        desiredCount=1,
        networkConfiguration=network,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )


def write(
    play: Playground, cluster: str, name: str, services: str = "[example]", outputs: str = "[{name: stdout}]"
) -> None:
    text = route_yaml(name, services, outputs)
    play.write(f"{name}.yaml", text.replace(f"cluster: {CLUSTER}", f"cluster: '{cluster}'"))


def is_routed(play: Playground, cluster: str, name: str = "example") -> bool:
    arn = play.sandbox.service(cluster, name)["taskDefinition"]
    body = play.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return "log_router" in [one["name"] for one in body["containerDefinitions"]]


def revision(play: Playground, cluster: str) -> str:
    return str(play.sandbox.service(cluster, "example")["taskDefinition"])


@pytest.fixture
def parts(play: Playground) -> Playground:
    """A service in each of three clusters, of which no part names the third."""
    for cluster in (CLUSTER, "dev-1", "attic"):
        service(play, cluster)
    play.sandbox.advance(120)
    play.settings = play.settings.model_copy(update={"accounts": SHARDS})
    play.start()
    return play


def test_two_replicas_share_the_clusters_of_one_account_and_region(parts: Playground) -> None:
    write(parts, CLUSTER, "prod")
    write(parts, "dev-1", "dev")
    two = Replicas(parts)
    two.time(20)
    assert [one.held for one in two.all] in ([{str(PROD)}, {str(DEV)}], [{str(DEV)}, {str(PROD)}])
    two.settle()
    assert is_routed(parts, CLUSTER)
    assert is_routed(parts, "dev-1")
    found = statusfile.read(parts.settings)
    assert {key: one["ready"] for key, one in found["services"].items()} == {
        f"main/{REGION}/{CLUSTER}/example": True,
        f"main/{REGION}/dev-1/example": True,
    }
    assert {route: some[0]["status"] for route, some in found["routes"].items()} == {
        "web/prod": "True",
        "web/dev": "True",
    }


def test_a_killed_replica_s_part_is_taken_over(parts: Playground) -> None:
    write(parts, CLUSTER, "prod")
    write(parts, "dev-1", "dev")
    two = Replicas(parts)
    two.time(20)
    two.settle()
    gone = next(one for one in two.all if one.held == {str(DEV)})
    gone.dead = True
    write(parts, "dev-1", "dev", outputs="[{name: stdout, format: json_lines}]")
    before = revision(parts, "dev-1")
    two.time(28)
    two.settle(4)
    assert revision(parts, "dev-1") != before


def test_a_route_to_clusters_of_several_parts_reaches_them_all_and_no_other(parts: Playground) -> None:
    write(parts, "*", "all")
    two = Replicas(parts)
    two.time(20)
    two.settle(5)
    assert [is_routed(parts, cluster) for cluster in (CLUSTER, "dev-1", "attic")] == [True, True, False]
    [ready] = [some[0]["status"] for some in statusfile.read(parts.settings)["routes"].values()]
    assert ready == "True"


def test_where_it_selects_none_in_one_part_it_is_ready_all_the_same(parts: Playground) -> None:
    service(parts, "dev-1", "only")
    parts.sandbox.advance(120)
    write(parts, "*", "some", services="[only]")
    two = Replicas(parts)
    two.time(20)
    two.settle()
    [ready] = [some[0]["status"] for some in statusfile.read(parts.settings)["routes"].values()]
    assert ready == "True"


def test_one_controller_looks_after_all_parts(parts: Playground) -> None:
    write(parts, "*", "all")
    parts.settle(5)
    assert is_routed(parts, CLUSTER)
    assert is_routed(parts, "dev-1")
    assert parts.status("web/all")["Ready"] == ("True", "InSync")


def test_a_failure_in_one_part_pauses_no_other(parts: Playground) -> None:
    """Each part has waves of its own: two services, one at a time."""
    for cluster, name in ((CLUSTER, "web-1"), (CLUSTER, "web-2"), ("dev-1", "web-0-breaks"), ("dev-1", "web-3")):
        service(parts, cluster, name)
    parts.sandbox.advance(120)
    parts.write(
        "class.yaml",
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\n"
        "spec: {rollout: {batch: 1, maxParallel: 1}}\n",
    )
    write(parts, "*", "all", services="['web-*']")
    parts.sandbox.break_container("web-0-breaks", "log_router", Ailment(exit_code=1))
    parts.settle(20)
    assert is_routed(parts, CLUSTER, "web-1")
    assert is_routed(parts, CLUSTER, "web-2")
    assert not is_routed(parts, "dev-1", "web-3")
    [paused] = [one for one in parts.controller.board.rollouts() if one["state"] == "paused"]
    assert paused["place"] == str(DEV)


def test_families_belong_to_the_first_part(parts: Playground) -> None:
    parts.register(plain_definition("nightly-report"))
    parts.write("jobs.yaml", families_yaml())
    parts.settle()
    assert family_is_routed(parts)
    assert parts.revisions("nightly-report") == 2


def test_lines_may_be_drawn_anew_and_nothing_is_forgotten(parts: Playground) -> None:
    """From one part to two, and to others: what was remembered of a service is found by whoever has it now."""
    write(parts, "*", "all")
    others = {"main": AccountSettings(shards={"dev": ("dev-*",), "rest": ("*",)})}
    whole = {"main": AccountSettings(clusters=(CLUSTER, "dev-*"))}
    seen: list[Any] = []
    for accounts in (whole, SHARDS, others, whole):
        parts.settings = parts.settings.model_copy(update={"accounts": accounts})
        parts.start()
        parts.settle(4)
        seen.append((revision(parts, CLUSTER), revision(parts, "dev-1")))
        assert {one["reason"] for one in parts.controller.board.plain()["services"].values()} == {"InSync"}
    assert len(set(seen)) == 1


def test_restores_in_several_parts_are_counted_together(parts: Playground) -> None:
    guards = parts.settings.guards.model_copy(update={"max_count": 1, "max_share": "10%"})
    parts.settings = parts.settings.model_copy(update={"guards": guards})
    write(parts, "*", "all")
    two = Replicas(parts)
    two.time(20)
    two.settle(4)
    parts.remove("all.yaml")
    two.settle(3)
    assert is_routed(parts, CLUSTER)
    assert is_routed(parts, "dev-1")
    assert {one["reason"] for one in statusfile.read(parts.settings)["services"].values()} == {"PlanBlocked"}


def test_all_parts_together_stay_within_the_share_of_the_account(parts: Playground) -> None:
    sites = parts.app.world.sites.values()
    rates = [site.account._limiter.bucket("ecs", "UpdateService")[1]._rate for site in sites]  # type: ignore[attr-defined]
    assert sum(rates) == 5 * parts.settings.limits.share


def test_a_service_is_of_the_first_part_that_names_its_cluster(play: Playground) -> None:
    accounts = {"main": AccountSettings(shards={"one": ("a-*",), "two": ("a-b*", "c"), "three": ("*",)})}
    play.settings = play.settings.model_copy(update={"accounts": accounts})
    play.start()
    world = play.app.world
    found = {name: world.shard_of(ServiceKey(Place("main", REGION), name, "x")).shard for name in ("a-b1", "c", "z")}
    assert found == {"a-b1": "one", "c": "two", "z": "three"}
    assert str(PROD) == f"main/{REGION}/prod"
