"""Services and clusters in the sandbox: what is created, changed, listed and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


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


def register(ecs: Any, family: str = "app", **fields: Any) -> str:
    containers = [{"name": "app", "image": "httpd", "memory": 64}]
    answer = ecs.register_task_definition(family=family, containerDefinitions=containers, **fields)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def create(ecs: Any, name: str = "web", **fields: Any) -> dict[str, Any]:
    request = {"cluster": "c", "serviceName": name, "taskDefinition": "app", "desiredCount": 1} | fields
    service: dict[str, Any] = ecs.create_service(**request)["service"]
    return service


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_a_service_is_described_with_its_defaults(ecs: Any) -> None:
    create(ecs, tags=[{"key": "team", "value": "web"}])
    service = ecs.describe_services(cluster="c", services=["web"])["services"][0]
    assert service["serviceArn"] == "arn:aws:ecs:us-east-1:123456789012:service/c/web"
    assert service["taskDefinition"].endswith("task-definition/app:1")
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    assert service["deploymentController"] == {"type": "ECS"}
    assert service["schedulingStrategy"] == "REPLICA"
    assert service["launchType"] == "EC2"
    assert service["taskSets"] == []
    assert "tags" not in service
    with_tags = ecs.describe_services(cluster="c", services=["web"], include=["TAGS"])["services"][0]
    assert with_tags["tags"] == [{"key": "team", "value": "web"}]


def test_a_deployment_configuration_is_echoed_and_completed(ecs: Any) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    assert create(ecs, deploymentConfiguration=breaker)["deploymentConfiguration"]["maximumPercent"] == 200
    ecs.update_service(cluster="c", service="web", deploymentConfiguration={"maximumPercent": 150})
    configuration = ecs.describe_services(cluster="c", services=["web"])["services"][0]["deploymentConfiguration"]
    assert configuration["maximumPercent"] == 150
    assert configuration["deploymentCircuitBreaker"] == breaker["deploymentCircuitBreaker"]


def test_a_second_service_of_a_name_is_not_idempotent(ecs: Any) -> None:
    create(ecs)
    message = "Creation of service was not idempotent."
    assert refusal(create, ecs=ecs) == ("InvalidParameterException", message)


def test_the_same_client_token_gets_the_same_service(ecs: Any) -> None:
    assert create(ecs, clientToken="t")["serviceArn"] == create(ecs, clientToken="t")["serviceArn"]


REFUSED_CREATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown cluster": ({"cluster": "ghost"}, "ClusterNotFoundException", "Cluster not found."),
    "an unknown definition": ({"taskDefinition": "ghost"}, "ClientException", "TaskDefinition not found."),
    "an inactive definition": ({"taskDefinition": "old:1"}, "ClientException", "TaskDefinition is inactive"),
    "awsvpc without a network": ({"taskDefinition": "vpc"}, "InvalidParameterException", "must be provided"),
    "a network without awsvpc": (
        {"networkConfiguration": NETWORK},
        "InvalidParameterException",
        "not valid for",
    ),
    "Fargate for an EC2 definition": ({"launchType": "FARGATE"}, "InvalidParameterException", "FARGATE"),
    "a bad name": ({"serviceName": "my service"}, "InvalidParameterException", "name"),
    "a rollout that cannot move": (
        {"deploymentConfiguration": {"maximumPercent": 100}},
        "InvalidParameterException",
        "block deployments",
    ),
    "blue/green without a bake time": (
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        "InvalidParameterException",
        "bakeTimeInMinutes",
    ),
}


@pytest.mark.parametrize("case", REFUSED_CREATIONS)
def test_a_service_that_ecs_refuses_is_not_there(ecs: Any, case: str) -> None:
    register(ecs, "vpc", networkMode="awsvpc")
    ecs.deregister_task_definition(taskDefinition=register(ecs, "old"))
    fields, code, message = REFUSED_CREATIONS[case]
    said = refusal(create, ecs=ecs, **fields)
    assert said[0] == code
    assert message in said[1]
    assert ecs.list_services(cluster="c")["serviceArns"] == []


def test_a_replica_service_needs_a_count_and_a_daemon_does_not(ecs: Any, sandbox: Sandbox) -> None:
    request = {"cluster": "c", "taskDefinition": "app"}
    assert "desiredCount" in refusal(ecs.create_service, serviceName="web", **request)[1]
    ecs.create_service(serviceName="agent", schedulingStrategy="DAEMON", **request)
    sandbox.advance(60)
    daemon = sandbox.service("c", "agent")
    assert (daemon["desiredCount"], daemon["runningCount"]) == (1, 1)
    assert daemon["deploymentConfiguration"]["maximumPercent"] == 100


def test_missing_services_are_failures_not_errors(ecs: Any) -> None:
    create(ecs)
    answer = ecs.describe_services(cluster="c", services=["web", "ghost"])
    assert [one["serviceName"] for one in answer["services"]] == ["web"]
    ghost = "arn:aws:ecs:us-east-1:123456789012:service/c/ghost"
    assert answer["failures"] == [{"arn": ghost, "reason": "MISSING"}]


def test_at_most_ten_services_are_described_at_once(ecs: Any) -> None:
    names = [f"s{number}" for number in range(11)]
    assert refusal(ecs.describe_services, cluster="c", services=names)[0] == "InvalidParameterException"


def test_services_are_listed_ten_at_a_time(ecs: Any) -> None:
    for number in range(12):
        create(ecs, f"s{number}", desiredCount=0)
    first = ecs.list_services(cluster="c")
    assert len(first["serviceArns"]) == 10
    second = ecs.list_services(cluster="c", nextToken=first["nextToken"])
    assert len(second["serviceArns"]) == 2
    assert len(ecs.list_services(cluster="c", maxResults=100)["serviceArns"]) == 12
    assert ecs.list_services(cluster="c", launchType="FARGATE")["serviceArns"] == []


def test_updates_of_what_is_not_there_say_so(ecs: Any, sandbox: Sandbox) -> None:
    assert refusal(ecs.update_service, cluster="ghost", service="web")[0] == "ClusterNotFoundException"
    assert refusal(ecs.update_service, cluster="c", service="web")[0] == "ServiceNotFoundException"
    create(ecs)
    ecs.delete_service(cluster="c", service="web", force=True)
    sandbox.advance(60)
    assert refusal(ecs.update_service, cluster="c", service="web")[0] == "ServiceNotActiveException"


def test_a_family_in_an_update_means_its_latest_active_revision(ecs: Any) -> None:
    create(ecs)
    register(ecs)
    ecs.deregister_task_definition(taskDefinition=register(ecs))
    service = ecs.update_service(cluster="c", service="web", taskDefinition="app")["service"]
    assert service["taskDefinition"] == "arn:aws:ecs:us-east-1:123456789012:task-definition/app:2"


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_services_that_others_deploy_refuse_a_definition(ecs: Any, sandbox: Sandbox, controller: str) -> None:
    create(ecs, deploymentController={"type": controller})
    arn = register(ecs)
    before = sandbox.service("c", "web")
    code, message = refusal(ecs.update_service, cluster="c", service="web", taskDefinition=arn)
    assert code == "InvalidParameterException"
    assert message.startswith("Unable to update task definition on services with a")
    assert controller in message
    assert sandbox.service("c", "web") == before
    assert before["deployments"] == []


def test_code_deploy_is_refused_in_the_words_of_ecs(ecs: Any) -> None:
    create(ecs, deploymentController={"type": "CODE_DEPLOY"})
    assert refusal(ecs.update_service, cluster="c", service="web", taskDefinition="app")[1] == (
        "Unable to update task definition on services with a CODE_DEPLOY deployment controller. "
        "Use AWS CodeDeploy to trigger a new deployment."
    )
    service = ecs.update_service(cluster="c", service="web", desiredCount=2)["service"]
    assert service["desiredCount"] == 2
    assert service["taskSets"][0]["status"] == "PRIMARY"


@pytest.mark.parametrize(("now", "wanted"), [("CODE_DEPLOY", "ECS"), ("EXTERNAL", "ECS"), ("ECS", "CODE_DEPLOY")])
def test_a_service_keeps_its_deployment_controller(ecs: Any, sandbox: Sandbox, now: str, wanted: str) -> None:
    create(ecs, deploymentController={"type": now})
    before = sandbox.service("c", "web")
    said = refusal(
        ecs.update_service, cluster="c", service="web", deploymentController={"type": wanted}, desiredCount=5
    )
    assert said[0] == "InvalidParameterException"
    assert sandbox.service("c", "web") == before


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_controllers_refuse_every_member_that_would_deploy(ecs: Any, sandbox: Sandbox, controller: str) -> None:
    create(ecs, deploymentController={"type": controller})
    before = sandbox.service("c", "web")
    for member in (
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
        {"platformVersion": "1.4.0"},
        {"forceNewDeployment": True},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}},
    ):
        said = refusal(ecs.update_service, cluster="c", service="web", **member)
        assert said[0] == "InvalidParameterException"
        assert controller in said[1]
    assert sandbox.service("c", "web") == before


def test_an_inactive_revision_keeps_its_service_going_but_starts_nothing_new(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs)
    sandbox.advance(60)
    ecs.deregister_task_definition(taskDefinition="app:1")
    inactive = "TaskDefinition is inactive"
    for request in ({"taskDefinition": "app:1"}, {"forceNewDeployment": True}):
        said = refusal(ecs.update_service, cluster="c", service="web", **request)
        assert said == ("ClientException", inactive)
    said = refusal(ecs.run_task, cluster="c", taskDefinition="app:1")
    assert said == ("InvalidParameterException", inactive)
    ecs.update_service(cluster="c", service="web", desiredCount=3)
    sandbox.advance(60)
    assert sandbox.service("c", "web")["runningCount"] == 3


def test_a_service_is_deleted_when_scaled_down_or_forced(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs)
    sandbox.advance(60)
    assert "scaled above 0" in refusal(ecs.delete_service, cluster="c", service="web")[1]
    assert ecs.delete_service(cluster="c", service="web", force=True)["service"]["status"] == "DRAINING"
    assert "Draining" in refusal(create, ecs=ecs)[1]
    sandbox.advance(60)
    gone = sandbox.service("c", "web")
    assert (gone["status"], gone["runningCount"]) == ("INACTIVE", 0)
    assert ecs.list_services(cluster="c")["serviceArns"] == []
    assert create(ecs)["status"] == "ACTIVE"


def test_a_cluster_is_deleted_when_it_is_empty(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs)
    assert refusal(ecs.delete_cluster, cluster="c")[0] == "ClusterContainsServicesException"
    ecs.delete_service(cluster="c", service="web", force=True)
    sandbox.advance(60)
    task = ecs.run_task(cluster="c", taskDefinition="app")["tasks"][0]["taskArn"]
    assert refusal(ecs.delete_cluster, cluster="c")[0] == "ClusterContainsTasksException"
    ecs.stop_task(cluster="c", task=task)
    sandbox.advance(60)
    assert ecs.delete_cluster(cluster="c")["cluster"]["status"] == "INACTIVE"
    assert refusal(ecs.list_services, cluster="c")[0] == "ClusterNotFoundException"
    assert ecs.list_clusters()["clusterArns"] == []


def test_clusters_are_described_with_their_counts(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs, desiredCount=2)
    ecs.create_cluster(clusterName="c")
    sandbox.advance(60)
    answer = ecs.describe_clusters(clusters=["c", "ghost"])
    cluster = answer["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"]) == (1, 2)
    assert answer["failures"][0]["reason"] == "MISSING"
    assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_run_task_starts_tasks_that_run_until_stopped(ecs: Any, sandbox: Sandbox) -> None:
    tasks = ecs.run_task(cluster="c", taskDefinition="app", count=2, startedBy="cron")["tasks"]
    assert {task["lastStatus"] for task in tasks} == {"PROVISIONING"}
    sandbox.advance(60)
    arns = ecs.list_tasks(cluster="c", startedBy="cron")["taskArns"]
    assert arns == [task["taskArn"] for task in tasks]
    described = ecs.describe_tasks(cluster="c", tasks=arns)["tasks"]
    assert {task["lastStatus"] for task in described} == {"RUNNING"}
    assert {task["group"] for task in described} == {"family:app"}
    ecs.stop_task(cluster="c", task=arns[0], reason="enough")
    sandbox.advance(60)
    stopped = ecs.describe_tasks(cluster="c", tasks=[arns[0], "ghost"])
    assert stopped["tasks"][0]["stopCode"] == "UserInitiated"
    assert stopped["tasks"][0]["stoppedReason"] == "enough"
    assert stopped["failures"][0]["reason"] == "MISSING"
    assert ecs.list_tasks(cluster="c", family="app")["taskArns"] == [arns[1]]
    assert ecs.list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"] == [arns[0]]
    sandbox.advance(3600)
    assert ecs.list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"] == []


def test_a_stopped_task_of_a_service_is_replaced(ecs: Any, sandbox: Sandbox) -> None:
    create(ecs)
    sandbox.advance(60)
    before = ecs.list_tasks(cluster="c", serviceName="web")["taskArns"]
    ecs.stop_task(cluster="c", task=before[0])
    sandbox.advance(60)
    after = ecs.list_tasks(cluster="c", serviceName="web")["taskArns"]
    assert len(after) == 1
    assert after != before
    assert sandbox.service("c", "web")["deployments"][0]["rolloutState"] == "COMPLETED"
