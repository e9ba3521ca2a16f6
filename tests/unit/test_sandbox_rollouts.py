"""Rollouts in the sandbox: they move on its clock, complete, fail, and roll back as ECS's do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox

ENOUGH = 120  # seconds that any healthy rollout here takes at most
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
CONFIG = "arn:aws:s3:::configs/extra.conf"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def ecs(sandbox: Sandbox) -> Any:
    client = sandbox.client("ecs")
    client.create_cluster(clusterName="c")
    register(client)
    return client


def register(ecs: Any, *, router: dict[str, Any] | None = None) -> str:
    """A revision of `app`; with `router`, one whose logs that container routes."""
    app: dict[str, Any] = {"name": "app", "image": "httpd", "memory": 64}
    containers = [app]
    if router is not None:
        app["logConfiguration"] = {"logDriver": "awsfirelens"}
        base = {"name": "log_router", "image": "fluent-bit", "memory": 64}
        containers.append(base | {"firelensConfiguration": {"type": "fluentbit"}} | router)
    answer = ecs.register_task_definition(family="app", containerDefinitions=containers)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def create(ecs: Any, sandbox: Sandbox, **fields: Any) -> None:
    request = {"cluster": "c", "serviceName": "web", "taskDefinition": "app", "desiredCount": 2} | fields
    ecs.create_service(**request)
    sandbox.advance(ENOUGH)


def update(ecs: Any, **fields: Any) -> dict[str, Any]:
    service: dict[str, Any] = ecs.update_service(cluster="c", service="web", **fields)["service"]
    return service


def deployments(sandbox: Sandbox) -> list[tuple[str, str, str, int]]:
    """(status, family:revision, rollout state, running), the primary one first."""
    return [
        (one["status"], one["taskDefinition"].rsplit("/", 1)[1], one["rolloutState"], one["runningCount"])
        for one in sandbox.service("c", "web")["deployments"]
    ]


def records(ecs: Any) -> list[dict[str, Any]]:
    briefs = ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]
    arns = [brief["serviceDeploymentArn"] for brief in briefs]
    found: list[dict[str, Any]] = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    return found


def messages(sandbox: Sandbox) -> list[str]:
    """What the service's events say, the oldest first."""
    return [event["message"] for event in reversed(sandbox.service("c", "web")["events"])]


def test_a_new_service_starts_its_tasks_and_completes(ecs: Any, sandbox: Sandbox) -> None:
    ecs.create_service(cluster="c", serviceName="web", taskDefinition="app", desiredCount=2)
    first = sandbox.service("c", "web")["deployments"][0]
    assert first["id"].removeprefix("ecs-svc/").isdecimal()
    assert len(first["id"].removeprefix("ecs-svc/")) == 19
    assert (first["pendingCount"], first["runningCount"]) == (2, 0)
    assert first["rolloutStateReason"] == f"ECS deployment {first['id']} in progress."
    sandbox.advance(3)
    assert {task["lastStatus"] for task in sandbox.tasks("c", service="web")} == {"PENDING"}
    sandbox.advance(2)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "IN_PROGRESS", 2)]
    sandbox.advance(5)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 2)]
    done = sandbox.service("c", "web")["deployments"][0]
    assert done["rolloutStateReason"] == f"ECS deployment {first['id']} completed."
    assert messages(sandbox)[1:] == [
        f"(service web) (deployment {first['id']}) deployment completed.",
        "(service web) has reached a steady state.",
    ]


def test_an_update_replaces_tasks_and_keeps_enough_of_them_running(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    assert deployments(sandbox) == [
        ("PRIMARY", "app:2", "IN_PROGRESS", 0),
        ("ACTIVE", "app:1", "COMPLETED", 2),
    ]
    for _ in range(ENOUGH):
        sandbox.advance(1)
        assert 2 <= sandbox.service("c", "web")["runningCount"] <= 4
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)]
    assert [record["status"] for record in records(ecs)] == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_rollout_without_room_stops_an_old_task_first(ecs: Any, sandbox: Sandbox) -> None:
    tight = {"maximumPercent": 100, "minimumHealthyPercent": 50}
    create(ecs, sandbox, deploymentConfiguration=tight)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    fewest = 2
    for _ in range(ENOUGH):
        sandbox.advance(1)
        running = sandbox.service("c", "web")["runningCount"]
        assert running <= 2
        fewest = min(fewest, running)
    assert fewest == 1
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_the_same_definition_again_deploys_nothing_unless_forced(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    before = sandbox.service("c", "web")["deployments"]
    update(ecs, taskDefinition="app:1", desiredCount=2, enableExecuteCommand=True)
    sandbox.advance(ENOUGH)
    assert sandbox.service("c", "web")["deployments"] == before
    forced = update(ecs, forceNewDeployment=True)["deployments"]
    assert [one["status"] for one in forced] == ["PRIMARY", "ACTIVE"]
    sandbox.advance(ENOUGH)
    after = sandbox.service("c", "web")["deployments"]
    assert [one["taskDefinition"] for one in after] == [one["taskDefinition"] for one in before]
    assert after[0]["id"] != before[0]["id"]


def test_scaling_is_no_deployment(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    update(ecs, desiredCount=4)
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 4)]
    update(ecs, desiredCount=1)
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 1)]
    assert len(records(ecs)) == 1


def test_a_service_without_tasks_completes_without_tasks(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox, desiredCount=0)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 0)]
    assert sandbox.tasks("c") == []


def test_a_deployment_a_revision_and_a_record_belong_together(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    service = sandbox.service("c", "web")
    newest, oldest = records(ecs)
    assert service["currentServiceDeployment"] == newest["serviceDeploymentArn"]
    for deployment, record in zip(service["deployments"], (newest, oldest), strict=True):
        number = deployment["id"].removeprefix("ecs-svc/")
        assert record["targetServiceRevision"]["arn"].endswith(f"/{number}")
    assert newest["sourceServiceRevisions"][0]["arn"] == oldest["targetServiceRevision"]["arn"]
    shown = [one["arn"] for one in service["currentServiceRevisions"]]
    assert shown == [newest["targetServiceRevision"]["arn"], oldest["targetServiceRevision"]["arn"]]
    answer = ecs.describe_service_revisions(serviceRevisionArns=[*shown, f"{shown[0]}0"])
    assert [one["taskDefinition"][-1] for one in answer["serviceRevisions"]] == ["2", "1"]
    assert answer["serviceRevisions"][0]["containerImages"][0]["image"] == "httpd"
    assert answer["failures"][0]["reason"] == "MISSING"


def test_records_are_filtered_by_status_and_time(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    update(ecs, forceNewDeployment=True)

    def listed(**request: Any) -> list[str]:
        answer = ecs.list_service_deployments(cluster="c", service="web", **request)
        return [brief["status"] for brief in answer["serviceDeployments"]]

    assert listed() == ["IN_PROGRESS", "SUCCESSFUL"]
    assert listed(status=["SUCCESSFUL"]) == ["SUCCESSFUL"]
    assert listed(createdAt={"after": sandbox.clock.now() - 1}) == ["IN_PROGRESS"]
    assert listed(createdAt={"before": sandbox.clock.now() - 1}) == ["SUCCESSFUL"]


def test_the_breaker_rolls_back_to_the_last_completed_deployment(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox, deploymentConfiguration=BREAKER)
    good = sandbox.service("c", "web")["deployments"][0]["id"]
    register(ecs, router={})
    sandbox.fail_next_rollout("web", container="log_router", exit_code=1)
    bad = update(ecs, taskDefinition="app:2")["deployments"][0]["id"]
    sandbox.advance(11)
    reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good}."
    assert records(ecs)[0]["status"] == "ROLLBACK_IN_PROGRESS"
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert sandbox.service("c", "web")["deployments"][0]["id"] == good
    assert sandbox.service("c", "web")["taskDefinition"].endswith("app:1")
    record = records(ecs)[0]
    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    assert record["targetServiceRevision"]["arn"].endswith(bad.removeprefix("ecs-svc/"))
    assert record["rollback"]["reason"] == reason
    assert record["rollback"]["serviceRevisionArn"].endswith(good.removeprefix("ecs-svc/"))
    assert record["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert len(records(ecs)) == 2, "a rollback is no record of its own"


def test_a_failed_task_says_which_container_died(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs, router={})
    sandbox.fail_next_rollout("web", container="log_router", exit_code=3, reason="bad config")
    update(ecs, taskDefinition="app:2")
    sandbox.advance(6)
    arns = ecs.list_tasks(cluster="c", serviceName="web", desiredStatus="STOPPED")["taskArns"]
    task = ecs.describe_tasks(cluster="c", tasks=arns)["tasks"][0]
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["stopCode"] == "EssentialContainerExited"
    dead = {one["name"]: (one.get("exitCode"), one.get("reason")) for one in task["containers"]}
    assert dead == {"app": (None, None), "log_router": (3, "bad config")}


def test_without_a_breaker_a_bad_rollout_fails_for_ever(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs, router={})
    sandbox.fail_next_rollout("web")
    update(ecs, taskDefinition="app:2")
    failed = []
    for _ in range(3):
        sandbox.advance(60)
        assert deployments(sandbox) == [
            ("PRIMARY", "app:2", "IN_PROGRESS", 0),
            ("ACTIVE", "app:1", "COMPLETED", 2),
        ]
        failed.append(sandbox.service("c", "web")["deployments"][0]["failedTasks"])
    assert 3 < failed[0] < failed[1] < failed[2]
    assert records(ecs)[0]["status"] == "IN_PROGRESS"
    impaired = [one for one in messages(sandbox) if "unable to consistently start tasks" in one]
    assert len(impaired) <= 1


def test_a_breaker_without_rollback_stops_where_it_is(ecs: Any, sandbox: Sandbox) -> None:
    create(
        ecs,
        sandbox,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    )
    register(ecs, router={})
    sandbox.fail_next_rollout("web")
    update(ecs, taskDefinition="app:2")
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "FAILED", 0), ("ACTIVE", "app:1", "COMPLETED", 2)]
    reason = sandbox.service("c", "web")["deployments"][0]["rolloutStateReason"]
    assert reason == "ECS deployment circuit breaker: tasks failed to start."


def test_a_first_deployment_has_nothing_to_roll_back_to(ecs: Any, sandbox: Sandbox) -> None:
    register(ecs, router={})
    sandbox.fail_next_rollout()
    create(ecs, sandbox, deploymentConfiguration=BREAKER)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "FAILED", 0)]


def test_a_bad_deployment_during_a_rollback_stalls(ecs: Any, sandbox: Sandbox) -> None:
    """The deployment that is being rolled back to is not COMPLETED again yet: there is no target."""
    create(ecs, sandbox, deploymentConfiguration=BREAKER)
    register(ecs, router={})
    sandbox.fail_next_rollout("web")
    update(ecs, taskDefinition="app:2")
    sandbox.advance(11)
    assert records(ecs)[0]["status"] == "ROLLBACK_IN_PROGRESS"
    register(ecs, router={})
    sandbox.fail_next_rollout("web")
    update(ecs, taskDefinition="app:3")
    sandbox.advance(ENOUGH)
    assert deployments(sandbox)[0] == ("PRIMARY", "app:3", "FAILED", 0)
    assert deployments(sandbox)[-1][1:] == ("app:1", "IN_PROGRESS", 2)


def test_a_fault_strikes_once_and_only_where_it_was_meant(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    sandbox.fail_next_rollout("other")
    sandbox.fail_next_rollout("web")
    update(ecs, forceNewDeployment=True)
    sandbox.advance(ENOUGH)
    assert deployments(sandbox)[0][2] == "COMPLETED", "there is no log_router in it yet"
    update(ecs, taskDefinition=register(ecs, router={}))
    sandbox.advance(ENOUGH)
    assert deployments(sandbox)[0][2] == "IN_PROGRESS"
    update(ecs, forceNewDeployment=True)
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)]


def test_a_router_that_is_not_essential_dies_alone(ecs: Any, sandbox: Sandbox) -> None:
    register(ecs, router={"essential": False})
    sandbox.fail_next_rollout()
    create(ecs, sandbox)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)]
    states = {one["name"]: one["lastStatus"] for one in sandbox.tasks("c")[0]["containers"]}
    assert states == {"app": "RUNNING", "log_router": "STOPPED"}


@pytest.mark.parametrize("variable", ["aws_fluent_bit_init_s3_1", "aws_fluent_bit_init_S3_pipeline"])
def test_a_task_whose_config_object_is_missing_does_not_start(ecs: Any, sandbox: Sandbox, variable: str) -> None:
    create(ecs, sandbox, deploymentConfiguration=BREAKER)
    update(ecs, taskDefinition=register(ecs, router={"environment": [{"name": variable, "value": CONFIG}]}))
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert records(ecs)[0]["status"] == "ROLLBACK_SUCCESSFUL"
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="configs")
    s3.put_object(Bucket="configs", Key="extra.conf", Body=b"[OUTPUT]\n    Name null\n")
    update(ecs, taskDefinition="app:2")
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)]
    s3.delete_object(Bucket="configs", Key="extra.conf")
    update(ecs, desiredCount=3)
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:2", "COMPLETED", 2)], "the third task cannot start"


def test_an_agent_that_cannot_fetch_the_config_fails_the_task(ecs: Any, sandbox: Sandbox) -> None:
    options = {"config-file-type": "s3", "config-file-value": CONFIG}
    register(ecs, router={"firelensConfiguration": {"type": "fluentbit", "options": options}})
    create(ecs, sandbox)
    stopped = [task for task in sandbox.tasks("c") if task["lastStatus"] == "STOPPED"]
    assert stopped[0]["stopCode"] == "TaskFailedToStart"
    assert stopped[0]["stoppedReason"].startswith("ResourceInitializationError")


def test_a_deployment_is_stopped_by_rolling_it_back(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    arn = records(ecs)[0]["serviceDeploymentArn"]
    assert ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:1", "COMPLETED", 2)]
    assert records(ecs)[0]["status"] == "ROLLBACK_SUCCESSFUL"
    assert refused(ecs.stop_service_deployment, serviceDeploymentArn=arn) == "ConflictException"
    gone = refused(ecs.stop_service_deployment, serviceDeploymentArn=f"{arn}x")
    assert gone == "ServiceDeploymentNotFoundException"


def test_an_aborted_deployment_stays_where_it_is(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    arn = records(ecs)[0]["serviceDeploymentArn"]
    ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    sandbox.advance(ENOUGH)
    assert records(ecs)[0]["status"] == "STOPPED"
    assert deployments(sandbox)[0][1:3] == ("app:2", "FAILED")
    assert deployments(sandbox)[1] == ("ACTIVE", "app:1", "COMPLETED", 2)


def test_a_newer_deployment_takes_over_from_one_in_progress(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    register(ecs)
    register(ecs)
    update(ecs, taskDefinition="app:2")
    sandbox.advance(1)
    update(ecs, taskDefinition="app:3")
    assert [one[:2] for one in deployments(sandbox)] == [
        ("PRIMARY", "app:3"),
        ("ACTIVE", "app:2"),
        ("ACTIVE", "app:1"),
    ]
    sandbox.advance(ENOUGH)
    assert deployments(sandbox) == [("PRIMARY", "app:3", "COMPLETED", 2)]
    assert [record["status"] for record in records(ecs)] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]


def test_a_service_keeps_its_last_hundred_events_newest_first(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, sandbox)
    sandbox.fail_next_rollout("web", container="app")
    update(ecs, forceNewDeployment=True)
    sandbox.advance(3600)
    events = sandbox.service("c", "web")["events"]
    assert len(events) == 100
    times = [event["createdAt"] for event in events]
    assert times == sorted(times, reverse=True)


def test_a_definition_with_a_health_check_makes_healthy_tasks(ecs: Any, sandbox: Sandbox) -> None:
    register(ecs, router={"healthCheck": {"command": ["CMD", "true"]}})
    create(ecs, sandbox)
    assert {task["healthStatus"] for task in sandbox.tasks("c")} == {"HEALTHY"}


def test_two_worlds_of_one_seed_are_alike() -> None:
    def lived() -> dict[str, Any]:
        with Sandbox(seed=3) as sandbox:
            ecs = sandbox.client("ecs")
            ecs.create_cluster(clusterName="c")
            register(ecs)
            create(ecs, sandbox)
            return sandbox.service("c", "web")

    assert lived() == lived()


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])
