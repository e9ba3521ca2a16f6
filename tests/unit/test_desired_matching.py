"""Which routes select which services."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.keys import ServiceKey
from controller.desired.matching import Home, RouteIndex, Undecidable, containers_of
from controller.desired.subject import Subject
from tests.support.routes import route_document, routes, subject

HOME = Home("main", "ap-northeast-1")


def selecting(key: str, *documents: dict[str, Any], tags: dict[str, str] | None = None, home: Home = HOME) -> list[str]:
    index = RouteIndex(routes(*documents), home)
    return [route.key for route in index.routes_for_service(ServiceKey.parse(key), tags or {}, "family")]


def target(name: str = "r", **fields: Any) -> dict[str, Any]:
    return route_document(name, target=fields)


@pytest.mark.parametrize(
    ("services", "service", "matches"),
    [
        (["web"], "web", True),
        (["web"], "web-1", False),
        (["web-*"], "web-1", True),
        (["web-?"], "web-12", False),
        (["*", "!web-legacy"], "web-legacy", False),
        (["!web-legacy", "web-*"], "web-legacy", False),
        (["!web-legacy", "web-*"], "web-new", True),
        (["WEB"], "web", False),
    ],
)
def test_services_are_names_globs_and_exclusions(services: list[str], service: str, matches: bool) -> None:
    assert bool(selecting(f"main/ap-northeast-1/c/{service}", target(services=services))) is matches


@pytest.mark.parametrize(
    ("key", "matches"),
    [
        ("main/ap-northeast-1/c/x", True),
        ("main/ap-northeast-1/d/x", False),
        ("main/eu-west-1/c/x", False),
        ("prod/ap-northeast-1/c/x", False),
    ],
)
def test_an_absent_account_and_region_are_the_controllers_own(key: str, matches: bool) -> None:
    assert bool(selecting(key, target())) is matches


def test_a_route_may_name_another_account_region_and_a_glob_of_clusters() -> None:
    document = target(account="prod", region="eu-west-1", cluster="c-*")
    assert selecting("prod/eu-west-1/c-1/x", document) == ["web/r"]
    assert selecting("main/ap-northeast-1/c-1/x", document) == []


def test_a_selector_and_services_must_both_hold() -> None:
    document = target(services=["web-*"], serviceSelector={"matchTags": {"team": "web", "tier": "front"}})
    tags = {"team": "web", "tier": "front", "more": "x"}
    assert selecting("main/ap-northeast-1/c/web-1", document, tags=tags) == ["web/r"]
    assert selecting("main/ap-northeast-1/c/web-1", document, tags={"team": "web"}) == []
    assert selecting("main/ap-northeast-1/c/job", document, tags=tags) == []


def test_routes_come_by_priority_then_by_name() -> None:
    documents = [route_document(name, priority=priority) for name, priority in (("b", 0), ("a", 0), ("z", 9))]
    assert selecting("main/ap-northeast-1/c/x", *documents) == ["web/z", "web/a", "web/b"]


def test_plain_names_and_globs_are_found_alike() -> None:
    documents = [target("exact", services=["x", "y"]), target("glob", services=["*"])]
    assert selecting("main/ap-northeast-1/c/x", *documents) == ["web/exact", "web/glob"]
    assert selecting("main/ap-northeast-1/c/z", *documents) == ["web/glob"]


def without_cluster(service: str | None, family: str = "nightly") -> Subject:
    return Subject(None, "ap-northeast-1", None, service, family, subject().app)


def test_without_a_cluster_a_target_that_names_one_cannot_be_decided() -> None:
    index = RouteIndex(routes(target(services=["nightly"])), HOME)
    with pytest.raises(Undecidable, match="cluster"):
        index.routes_for(without_cluster("nightly"))
    assert index.routes_for(without_cluster("other")) == []


def test_without_a_cluster_a_family_matches_task_families() -> None:
    document = route_document("jobs")
    document["spec"]["target"] = {"taskFamilies": ["nightly-*", "nightly"]}
    index = RouteIndex(routes(document), HOME)
    assert [route.key for route in index.routes_for(without_cluster(None))] == ["web/jobs"]


def test_without_a_live_service_its_tags_cannot_be_decided() -> None:
    index = RouteIndex(routes(target(services=["x"], serviceSelector={"matchTags": {"a": "b"}})), HOME)
    with pytest.raises(Undecidable, match="tags"):
        index.routes_for(Subject(None, None, "c", "x", "x", subject().app))


def test_every_container_is_selected_where_none_is_named() -> None:
    (route,) = routes(target())
    assert containers_of(route, ["app", "web"]) == ("app", "web")
    (route,) = routes(target(containers=["w*"]))
    assert containers_of(route, ["app", "web"]) == ("web",)
