"""Service deployments and revisions in the sandbox: the history of a service, as ECS tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Sandbox, Settings
from tests.support.rollouts import BREAKER, ENOUGH, Web, refused


@pytest.fixture
def web() -> Iterator[Web]:
    with Sandbox() as running:
        yield Web(running)


def test_a_deployment_a_revision_and_a_record_belong_together(web: Web) -> None:
    web.create()
    web.register()
    web.update(taskDefinition="app:2")
    service = web.service
    newest, oldest = web.records
    assert service["currentServiceDeployment"] == newest["serviceDeploymentArn"]
    for deployment, record in zip(service["deployments"], (newest, oldest), strict=True):
        number = deployment["id"].removeprefix("ecs-svc/")
        assert record["targetServiceRevision"]["arn"].endswith(f"/{number}")
    assert newest["sourceServiceRevisions"][0]["arn"] == oldest["targetServiceRevision"]["arn"]
    shown = [one["arn"] for one in service["currentServiceRevisions"]]
    assert shown == [newest["targetServiceRevision"]["arn"], oldest["targetServiceRevision"]["arn"]]
    answer = web.ecs.describe_service_revisions(serviceRevisionArns=[*shown, f"{shown[0]}0"])
    assert [one["taskDefinition"][-1] for one in answer["serviceRevisions"]] == ["2", "1"]
    assert answer["serviceRevisions"][0]["containerImages"][0]["image"] == "httpd"
    assert answer["failures"][0]["reason"] == "MISSING"


def test_records_are_filtered_by_status_and_time(web: Web) -> None:
    web.create()
    web.update(forceNewDeployment=True)

    def listed(**request: Any) -> list[str]:
        answer = web.ecs.list_service_deployments(cluster="c", service="web", **request)
        return [brief["status"] for brief in answer["serviceDeployments"]]

    assert listed() == ["IN_PROGRESS", "SUCCESSFUL"]
    assert listed(status=["SUCCESSFUL"]) == ["SUCCESSFUL"]
    assert listed(createdAt={"after": web.sandbox.clock.now() - 1}) == ["IN_PROGRESS"]
    assert listed(createdAt={"before": web.sandbox.clock.now() - 1}) == ["SUCCESSFUL"]


def test_a_deployment_is_stopped_by_rolling_it_back(web: Web) -> None:
    web.create()
    web.register()
    web.update(taskDefinition="app:2")
    arn = web.records[0]["serviceDeploymentArn"]
    assert web.ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert web.records[0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert refused(web.ecs.stop_service_deployment, serviceDeploymentArn=arn)[0] == "ConflictException"
    gone = refused(web.ecs.stop_service_deployment, serviceDeploymentArn=f"{arn}x")[0]
    assert gone == "ServiceDeploymentNotFoundException"


def test_an_aborted_deployment_stays_where_it_is(web: Web) -> None:
    web.create()
    web.register()
    web.update(taskDefinition="app:2")
    arn = web.records[0]["serviceDeploymentArn"]
    web.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    web.sandbox.advance(ENOUGH)
    assert web.records[0]["status"] == "STOPPED"
    assert web.deployments[0][1:3] == ("app:2", "FAILED")
    assert web.deployments[1] == ("ACTIVE", "app:1", "COMPLETED", 2)


def test_a_newer_deployment_takes_over_from_one_in_progress(web: Web) -> None:
    web.create()
    web.register()
    web.register()
    web.update(taskDefinition="app:2")
    web.sandbox.advance(1)
    web.update(taskDefinition="app:3")
    assert [one[:2] for one in web.deployments] == [
        ("PRIMARY", "app:3"),
        ("ACTIVE", "app:2"),
        ("ACTIVE", "app:1"),
    ]
    web.sandbox.advance(ENOUGH)
    assert web.deployments == [("PRIMARY", "app:3", "COMPLETED", 2)]
    assert [record["status"] for record in web.records] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


@pytest.fixture
def slow() -> Iterator[Web]:
    """A service in a world where every request about a deployment takes ECS ten seconds."""
    with Sandbox(settings=Settings(deployment_lag_seconds=10)) as running:
        slow = Web(running)
        slow.create()
        slow.register()
        yield slow


def test_a_deployment_is_pending_until_it_starts(slow: Web) -> None:
    slow.update(taskDefinition="app:2")
    slow.sandbox.advance(9)
    assert slow.record["status"] == "PENDING"
    assert "startedAt" not in slow.record
    assert slow.deployments == [("PRIMARY", "app:2", "IN_PROGRESS", 0), ("ACTIVE", "app:1", "COMPLETED", 2)]
    slow.sandbox.advance(6)
    record = slow.record
    assert (record["status"], (record["startedAt"] - record["createdAt"]).seconds) == ("IN_PROGRESS", 10)
    slow.sandbox.advance(ENOUGH)
    assert slow.record["status"] == "SUCCESSFUL"
    assert slow.record["finishedAt"] > slow.record["startedAt"]


def test_a_requested_rollback_is_first_requested(slow: Web) -> None:
    slow.update(taskDefinition="app:2")
    slow.sandbox.advance(12)
    slow.ecs.stop_service_deployment(serviceDeploymentArn=slow.record["serviceDeploymentArn"])
    assert slow.record["status"] == "ROLLBACK_REQUESTED"
    slow.sandbox.advance(10)
    assert slow.record["status"] == "ROLLBACK_IN_PROGRESS"
    assert slow.record["rollback"]["serviceRevisionArn"] == slow.records[1]["targetServiceRevision"]["arn"]
    slow.sandbox.advance(ENOUGH)
    assert slow.record["status"] == "ROLLBACK_SUCCESSFUL"
    assert slow.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]


@pytest.mark.parametrize(("stop", "ends"), [("ABORT", "STOPPED"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL")])
def test_a_pending_deployment_can_be_stopped_before_it_starts_anything(slow: Web, stop: str, ends: str) -> None:
    slow.update(taskDefinition="app:2")
    slow.sandbox.advance(5)
    slow.ecs.stop_service_deployment(serviceDeploymentArn=slow.record["serviceDeploymentArn"], stopType=stop)
    slow.sandbox.advance(ENOUGH)
    assert slow.record["status"] == ends
    assert {one["taskDefinitionArn"][-1] for one in slow.sandbox.tasks("c", service="web")} == {"1"}


def test_a_pending_deployment_is_superseded(slow: Web) -> None:
    slow.update(taskDefinition="app:2")
    slow.sandbox.advance(5)
    slow.update(forceNewDeployment=True)
    slow.sandbox.advance(ENOUGH)
    assert [one["status"] for one in slow.records] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
    assert "new deployment" in slow.records[1]["statusReason"]


def test_a_rollback_makes_no_new_service_revision_and_is_told_in_its_record(web: Web) -> None:
    web.create(deploymentConfiguration=BREAKER)
    before = web.service["currentServiceRevisions"]
    web.sandbox.break_container("web", "app", rollouts=1)
    web.update(taskDefinition=web.register())
    web.sandbox.advance(ENOUGH)
    assert web.service["currentServiceRevisions"] == before
    record = web.record
    assert record["rollback"]["serviceRevisionArn"] == before[0]["arn"]
    assert record["statusReason"] == record["rollback"]["reason"]
    assert record["createdAt"] < record["rollback"]["startedAt"] < record["finishedAt"]
    assert "stoppedAt" not in record


def test_a_record_keeps_the_configuration_it_started_with(web: Web) -> None:
    web.create()
    web.update(deploymentConfiguration=BREAKER)
    web.update(forceNewDeployment=True)
    enabled = [one["deploymentConfiguration"]["deploymentCircuitBreaker"]["enable"] for one in web.records]
    assert enabled == [True, False]


def test_history_is_forgotten_after_ninety_days_but_for_what_runs(web: Web) -> None:
    web.create()
    web.update(taskDefinition=web.register())
    web.sandbox.advance(ENOUGH)
    newest, oldest = web.records
    web.sandbox.advance(90 * 86400)
    assert web.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"] == []
    arns = [one["serviceDeploymentArn"] for one in (newest, oldest)]
    assert web.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"] == []
    revisions = [one["targetServiceRevision"]["arn"] for one in (newest, oldest)]
    answer = web.ecs.describe_service_revisions(serviceRevisionArns=revisions)
    assert [one["taskDefinition"][-1] for one in answer["serviceRevisions"]] == ["2"]
    assert answer["failures"] == [{"arn": revisions[1], "reason": "MISSING"}]


def test_a_stop_of_what_already_stops_changes_nothing(slow: Web) -> None:
    """Developer guide, "Stopping Amazon ECS service deployments"."""
    slow.update(taskDefinition="app:2")
    slow.sandbox.advance(12)
    arn = slow.record["serviceDeploymentArn"]
    for status in ("ROLLBACK_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"):
        slow.ecs.stop_service_deployment(serviceDeploymentArn=arn)
        assert slow.record["status"] == status
        slow.sandbox.advance(6)
    slow.sandbox.advance(ENOUGH)
    assert slow.record["status"] == "ROLLBACK_SUCCESSFUL"
    assert slow.deployments == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert refused(slow.ecs.stop_service_deployment, serviceDeploymentArn=arn)[0] == "ConflictException"


def test_while_five_deployments_live_there_is_no_sixth() -> None:
    """Tasks here take an hour to stop, and each update comes before that."""
    with Sandbox(settings=Settings(stop_seconds=3600)) as running:
        web = Web(running)
        web.create(deploymentConfiguration={"maximumPercent": 1000})
        for _ in range(4):
            web.update(taskDefinition=web.register())
        before = [one["taskDefinition"].rsplit(":", 1)[1] for one in web.service["deployments"]]
        assert before == ["5", "4", "3", "2", "1"]
        said = refused(web.update, taskDefinition=web.register(), desiredCount=3)
        assert said[1] == "5 active deployments exist, unable to create new deployment."
        assert [one["taskDefinition"].rsplit(":", 1)[1] for one in web.service["deployments"]] == before
        assert web.service["desiredCount"] == 2
        web.update(desiredCount=3)
        web.sandbox.advance(2 * 3600)
        web.update(taskDefinition="app:6")
        web.sandbox.advance(2 * 3600)
        assert web.deployments == [("PRIMARY", "app:6", "COMPLETED", 3)]
