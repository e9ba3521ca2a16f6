"""ECS through botocore: paging, what is missing, what a too old SDK would lose, and what is never asked twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role
from controller.aws.ecs import BotoEcs, unknown_members
from controller.aws.ports import AwsError, NotFound, SdkTooOld, Unreachable
from controller.observed.model import observe_deployments
from controller.sandbox import Sandbox
from tests.support.aws import REGION, Answers, Reply, Turned, caller, offline, refused

ARN = f"arn:aws:ecs:{REGION}:123456789012:task-definition/app"
ENOUGH = 120


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AwsAccount:
    """With the parser that leaves timestamps as they came."""
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    turned = Turned()
    return AwsAccount(Place("main", REGION), Role(), Options(1.0, sleep=turned.sleep, monotonic=turned.now))


@pytest.fixture
def ecs(account: AwsAccount) -> BotoEcs:
    return account.ecs


@pytest.fixture
def raw(sandbox: Sandbox) -> Any:
    return sandbox.client("ecs")


def body(family: str, image: str = "httpd") -> dict[str, Any]:
    return {"family": family, "containerDefinitions": [{"name": "app", "image": image, "memory": 64}]}


def described(**more: Any) -> dict[str, Any]:
    """A described revision as ECS writes it."""
    definition = {"taskDefinitionArn": f"{ARN}:1", "family": "app", "status": "ACTIVE", "registeredAt": 1758000000.5}
    return {"taskDefinition": definition | {"containerDefinitions": [{"name": "app", "image": "i"}]} | more}


def answering(*replies: Reply) -> tuple[BotoEcs, Answers]:
    client = offline("ecs")
    answers = Answers(client, *replies)
    return BotoEcs(caller(client)), answers


def test_more_services_than_a_page_holds_are_all_listed(ecs: BotoEcs, raw: Any) -> None:
    raw.create_cluster(clusterName="big")
    ecs.register_task_definition(body("big"))
    names = [f"service-{number:03}" for number in range(103)]
    for name in names:
        raw.create_service(cluster="big", serviceName=name, taskDefinition="big", desiredCount=0)
    listed = ecs.list_services("big")
    assert sorted(arn.rsplit("/", 1)[-1] for arn in listed) == names
    found = ecs.describe_services("big", [*names[:25], "nobody", *names[25:30], "no-one-else"])
    assert [one["serviceName"] for one in found.found] == names[:30]
    assert found.missing == ("nobody", "no-one-else")


def test_all_pages_are_read_even_empty_ones() -> None:
    ecs, answers = answering(
        Reply(body={"serviceArns": ["a"], "nextToken": "1"}),
        Reply(body={"serviceArns": [], "nextToken": "2"}),
        Reply(body={"serviceArns": ["b"]}),
    )
    assert ecs.list_services("c") == ["a", "b"]
    assert len(answers.asked) == 3
    assert b'"maxResults": 100' in answers.sent[0]


def test_services_are_described_ten_at_a_time() -> None:
    ecs, answers = answering(*[Reply(body={"services": [], "failures": []})] * 3)
    ecs.describe_services("c", (f"s{number}" for number in range(21)))
    assert [sent.count(b'"s') - 1 for sent in answers.sent] == [10, 10, 1]


def test_nothing_to_describe_costs_nothing() -> None:
    ecs, answers = answering()
    assert ecs.describe_services("c", []).found == ()
    assert answers.asked == []


def test_clusters_are_listed_by_name(ecs: BotoEcs, raw: Any) -> None:
    raw.create_cluster(clusterName="named")
    assert "named" in ecs.list_clusters()


def test_a_missing_cluster_is_not_found(ecs: BotoEcs) -> None:
    for ask in (lambda: ecs.list_services("nowhere"), lambda: ecs.describe_services("nowhere", ["a"])):
        with pytest.raises(NotFound, match="on cluster nowhere failed: ClusterNotFoundException"):
            ask()


def test_service_tags_are_asked_for(ecs: BotoEcs, raw: Any) -> None:
    raw.create_cluster(clusterName="tagged")
    ecs.register_task_definition(body("tagged"))
    tags = [{"key": "team", "value": "web"}]
    raw.create_service(cluster="tagged", serviceName="web", taskDefinition="tagged", desiredCount=0, tags=tags)
    assert ecs.describe_services("tagged", ["web"]).found[0]["tags"] == tags


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (described() | {"telemetry": {}}, "telemetry"),
        (described(colour="red"), "taskDefinition.colour"),
        (
            described(containerDefinitions=[{"name": "a", "image": "i", "gpuSlices": 2}]),
            "taskDefinition.containerDefinitions[].gpuSlices",
        ),
        (
            described(containerDefinitions=[{"name": "a", "mountPoints": [{"sourceVolume": "v", "uid": 1}]}]),
            "taskDefinition.containerDefinitions[].mountPoints[].uid",
        ),
        (
            described(containerDefinitions=[{"name": "a", "logConfiguration": {"logDriver": "x", "tee": True}}]),
            "taskDefinition.containerDefinitions[].logConfiguration.tee",
        ),
        (described() | {"tags": [{"key": "k", "value": "v", "scope": "s"}]}, "tags[].scope"),
        (described(volumes=[{"name": "v", "zfs": {}}, {"name": "w", "zfs": {}}]), "taskDefinition.volumes[].zfs"),
    ],
)
def test_a_field_that_botocore_would_drop_is_refused(answer: dict[str, Any], where: str) -> None:
    ecs, _ = answering(Reply(body=answer))
    with pytest.raises(SdkTooOld) as caught:
        ecs.describe_task_definition(f"{ARN}:1")
    assert caught.value.detail == f"ECS answered fields that this botocore does not know: {where}"
    assert "Update boto3 and botocore" in caught.value.hint


def test_a_refused_revision_stays_refused_and_is_not_kept() -> None:
    ecs, answers = answering(Reply(body=described(colour="red")), Reply(body=described(colour="red")))
    for _ in range(2):
        with pytest.raises(SdkTooOld):
            ecs.describe_task_definition(f"{ARN}:1")
    assert len(answers.asked) == 2


def test_a_type_tag_and_maps_of_any_keys_are_no_unknown_fields() -> None:
    labels = {"name": "a", "image": "i", "dockerLabels": {"any.key": "v"}, "__type": "ContainerDefinition"}
    answer = described(containerDefinitions=[labels]) | {"__type": "com.amazonaws.ecs#Answer"}
    ecs, _ = answering(Reply(body=answer))
    kept = ecs.describe_task_definition(f"{ARN}:1")["taskDefinition"]["containerDefinitions"][0]
    assert kept["dockerLabels"] == {"any.key": "v"}


def test_unknown_members_are_found_in_the_values_of_maps() -> None:
    class Shape:
        def __init__(self, type_name: str, **more: Any) -> None:
            self.type_name = type_name
            self.__dict__ |= more

    text = Shape("string")
    inner = Shape("structure", members={"a": text})
    shape = Shape("structure", members={"by": Shape("map", value=inner)})
    assert list(unknown_members({"by": {"x": {"a": "1", "b": "2"}}}, shape)) == ["by.x.b"]


def test_nothing_that_the_sandbox_describes_is_unknown(ecs: BotoEcs) -> None:
    arn = ecs.register_task_definition(body("plain") | {"tags": [{"key": "k", "value": "v"}]})
    found = ecs.describe_task_definition(arn)
    assert found["taskDefinition"]["taskDefinitionArn"] == arn
    assert found["tags"] == [{"key": "k", "value": "v"}]
    assert isinstance(found["taskDefinition"]["registeredAt"], float | int)


def test_each_thread_judges_the_answer_that_it_got() -> None:
    """The raw body is kept beside the parsed one; another thread's must not be taken for it."""
    client = offline("ecs")
    both = threading.Barrier(2)

    def meet(**_: Any) -> None:
        both.wait(5)

    Answers(client, Reply(body=described()), Reply(body=described(colour="red")))
    ecs = BotoEcs(caller(client))
    client.meta.events.register_last("before-parse.ecs.DescribeTaskDefinition", meet)

    def ask(number: int) -> str:
        try:
            ecs.describe_task_definition(f"{ARN}:{number}")
        except SdkTooOld:
            return "refused"
        return "fine"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, (1, 2))) == ["fine", "refused"]


def test_a_revision_is_described_once(ecs: BotoEcs, sandbox: Sandbox) -> None:
    arn = ecs.register_task_definition(body("once"))
    first = ecs.describe_task_definition(arn)
    sandbox.reset_call_counts()
    assert ecs.describe_task_definition(arn) == first
    assert sandbox.call_counts == {}
    assert ecs.describe_task_definition(arn, cached=False) == first
    assert sandbox.call_counts == {"ecs:DescribeTaskDefinition": 1}


def test_what_a_caller_does_to_a_body_does_not_stay(ecs: BotoEcs) -> None:
    arn = ecs.register_task_definition(body("kept"))
    ecs.describe_task_definition(arn)["taskDefinition"]["containerDefinitions"].clear()
    assert len(ecs.describe_task_definition(arn)["taskDefinition"]["containerDefinitions"]) == 1


@pytest.mark.parametrize("reference", ["latest", f"{ARN.removesuffix('app')}latest"])
def test_a_family_is_looked_up_each_time(ecs: BotoEcs, reference: str) -> None:
    first = ecs.register_task_definition(body("latest"))
    assert ecs.describe_task_definition(reference)["taskDefinition"]["taskDefinitionArn"] >= first
    second = ecs.register_task_definition(body("latest", "nginx"))
    assert ecs.describe_task_definition(reference)["taskDefinition"]["taskDefinitionArn"] == second


def test_a_revision_that_is_not_there_is_an_error(ecs: BotoEcs) -> None:
    with pytest.raises(AwsError, match="on task definition nobody:3 failed: ClientException: Unable to describe"):
        ecs.describe_task_definition("nobody:3")


def deployment(number: int, at: object) -> dict[str, Any]:
    return {"serviceDeploymentArn": f"arn:sd/{number}", "createdAt": at, "status": "SUCCESSFUL"}


@pytest.mark.parametrize("moments", [(9, 10, 11.5), (1758000009, 1758000009.9, 1.75800001e9)])
def test_service_deployments_come_newest_first(moments: tuple[float, ...]) -> None:
    old, middle, new = (deployment(number, at) for number, at in enumerate(moments))
    ecs, _ = answering(Reply(body={"serviceDeployments": [middle, new, old]}))
    found = ecs.service_deployments("c", "s")
    assert [one["serviceDeploymentArn"] for one in found or ()] == ["arn:sd/2", "arn:sd/1", "arn:sd/0"]


def test_a_deployment_without_a_date_is_the_oldest() -> None:
    undated = {"serviceDeploymentArn": "arn:sd/9", "status": "PENDING"}
    ecs, _ = answering(Reply(body={"serviceDeployments": [undated, deployment(1, 5)]}))
    found = ecs.service_deployments("c", "s")
    assert [one["serviceDeploymentArn"] for one in found or ()] == ["arn:sd/1", "arn:sd/9"]


def test_a_rollout_is_seen_with_timestamps_left_as_they_came(ecs: BotoEcs, raw: Any, sandbox: Sandbox) -> None:
    raw.create_cluster(clusterName="rolling")
    first = ecs.register_task_definition(body("rolling"))
    raw.create_service(cluster="rolling", serviceName="web", taskDefinition=first, desiredCount=1)
    sandbox.advance(ENOUGH)
    second = ecs.register_task_definition(body("rolling", "nginx"))
    answer = ecs.update_service("rolling", "web", second)
    number = answer["deployments"][0]["id"].removeprefix("ecs-svc/")
    rows = ecs.service_deployments("rolling", "web")
    assert rows is not None
    assert [isinstance(row["createdAt"], float | int) for row in rows] == [True, True]
    newest = (observe_deployments(rows, {}) or ())[0]
    assert (newest.number, newest.status) == (number, "IN_PROGRESS")


@pytest.mark.parametrize(
    "answer",
    [
        Reply(body={"serviceDeployments": []}),
        refused("UnknownOperationException"),
        refused("InvalidAction"),
        Reply(501),
        Reply(500, b"<!doctype html><title>500 Internal Server Error</title>"),
        Reply(500, b"<html>no</html>"),
    ],
)
def test_an_endpoint_without_service_deployments_is_no_error(answer: Reply) -> None:
    ecs, answers = answering(answer)
    assert not ecs.service_deployments("c", "s")
    assert len(answers.asked) == 1


def test_ecs_failing_to_answer_is_not_taken_for_an_endpoint_without_deployments() -> None:
    ecs, _ = answering(*[refused("ServerException", 500)] * 6)
    with pytest.raises(Unreachable):
        ecs.service_deployments("c", "s")


def test_a_missing_service_has_no_deployments_to_tell(ecs: BotoEcs, raw: Any) -> None:
    raw.create_cluster(clusterName="empty")
    with pytest.raises(NotFound):
        ecs.service_deployments("empty", "nobody")


def test_moto_has_no_service_deployments(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "werkzeug")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        turned = Turned()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        ecs = AwsAccount(Place("main", REGION), Role(), Options(1.0, sleep=turned.sleep)).ecs
        arn = ecs.register_task_definition(body("app"))
        assert ecs.describe_task_definition("app")["taskDefinition"]["taskDefinitionArn"] == arn
        assert ecs.service_deployments("default", "web") is None
        assert turned.slept == []
    finally:
        server.stop()
