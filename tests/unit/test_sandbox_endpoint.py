"""The sandbox's endpoint: our ECS and moto's rest behind one URL, for real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from controller.sandbox import RealClock, Sandbox
from controller.sandbox.ecs import wire
from controller.sandbox.ecs.api import OPERATIONS

TARGET = "AmazonEC2ContainerServiceV20141113"
SIGNATURE = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/ecs/aws4_request, Signature=0"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def post(sandbox: Sandbox, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{sandbox.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def raw(sandbox: Sandbox, operation: str, body: object, authorization: str = SIGNATURE) -> tuple[int, dict[str, Any]]:
    headers = {"X-Amz-Target": f"{TARGET}.{operation}", "Authorization": authorization}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return post(sandbox, "/", data, **headers)


def register(ecs: Any, family: str = "app") -> dict[str, Any]:
    containers = [{"name": "app", "image": "httpd", "memory": 64}]
    answer = ecs.register_task_definition(family=family, containerDefinitions=containers)
    found: dict[str, Any] = answer["taskDefinition"]
    return found


def test_clients_find_it_by_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    session.client("ecs").create_cluster(clusterName="c")
    assert session.client("sts").get_caller_identity()["Account"] == "123456789012"
    arns = session.client("ecs").list_clusters()["clusterArns"]
    assert arns == ["arn:aws:ecs:us-east-1:123456789012:cluster/c"]


def test_everything_but_ecs_is_there_too(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="configs")
    s3.put_object(Bucket="configs", Key="a/b.conf", Body=b"x", IfNoneMatch="*")
    assert s3.get_object(Bucket="configs", Key="a/b.conf")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="configs", Key="a/b.conf", Body=b"y", IfNoneMatch="*")
    sandbox.client("logs").create_log_group(logGroupName="/ecs/app")
    assert sandbox.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "/ecs/app"
    secret = sandbox.client("secretsmanager").create_secret(Name="dd", SecretString="s")["ARN"]
    assert sandbox.client("secretsmanager").describe_secret(SecretId=secret)["Name"] == "dd"
    queue = sandbox.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    assert sandbox.client("iam").list_roles()["Roles"] == []


def test_calls_are_counted_by_operation(sandbox: Sandbox) -> None:
    ecs, s3 = sandbox.client("ecs"), sandbox.client("s3")
    register(ecs)
    for _ in range(2):
        ecs.list_clusters()
    s3.create_bucket(Bucket="configs")
    s3.put_object(Bucket="configs", Key="k", Body=b"x")
    s3.head_object(Bucket="configs", Key="k")
    s3.get_object_tagging(Bucket="configs", Key="k")
    s3.copy_object(Bucket="configs", Key="k2", CopySource={"Bucket": "configs", "Key": "k"})
    s3.list_objects_v2(Bucket="configs")
    s3.get_bucket_location(Bucket="configs")
    s3.delete_objects(Bucket="configs", Delete={"Objects": [{"Key": "k"}]})
    sandbox.client("sts").get_caller_identity()
    sandbox.client("logs").describe_log_groups()
    assert sandbox.call_counts == {
        "ecs:RegisterTaskDefinition": 1,
        "ecs:ListClusters": 2,
        "s3:CreateBucket": 1,
        "s3:PutObject": 1,
        "s3:HeadObject": 1,
        "s3:GetObjectTagging": 1,
        "s3:CopyObject": 1,
        "s3:ListObjectsV2": 1,
        "s3:GetBucketLocation": 1,
        "s3:DeleteObjects": 1,
        "sts:GetCallerIdentity": 1,
        "logs:DescribeLogGroups": 1,
    }
    sandbox.reset_call_counts()
    assert not sandbox.call_counts


def test_each_region_has_a_state_of_its_own(sandbox: Sandbox) -> None:
    here, there = sandbox.client("ecs"), sandbox.client("ecs", region="eu-central-1")
    register(here)
    assert there.list_task_definitions()["taskDefinitionArns"] == []
    assert register(there)["taskDefinitionArn"].startswith("arn:aws:ecs:eu-central-1:")
    assert len(sandbox.revisions("app", region="eu-central-1")) == 1


def test_a_definition_says_who_registered_it(sandbox: Sandbox) -> None:
    """As STS would: the controller tells its own revisions from other people's by this."""
    sts = sandbox.client("sts")
    assert register(sandbox.client("ecs"))["registeredBy"] == sts.get_caller_identity()["Arn"]
    role = "arn:aws:iam::123456789012:role/ci"
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
    as_ci = boto3.client(
        "ecs",
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert register(as_ci)["registeredBy"] == "arn:aws:sts::123456789012:assumed-role/ci/deploy"


def test_a_role_of_another_account_sees_that_account(sandbox: Sandbox) -> None:
    role = "arn:aws:iam::210987654321:role/logroute"
    credentials = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    other = boto3.client(
        "ecs",
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert register(other)["taskDefinitionArn"].startswith("arn:aws:ecs:us-east-1:210987654321:")
    assert sandbox.revisions("app") == []


REFUSED_REQUESTS: dict[str, tuple[str, object, str]] = {
    "a member that ECS does not know": ("ListClusters", {"colour": "red"}, "InvalidParameterException"),
    "a required member left out": ("DescribeServices", {"cluster": "c"}, "InvalidParameterException"),
    "a wrong type": ("ListClusters", {"maxResults": "ten"}, "InvalidParameterException"),
    "a boolean for a number": ("ListClusters", {"maxResults": True}, "InvalidParameterException"),
    "a value outside an enum": ("ListTaskDefinitions", {"sort": "UP"}, "InvalidParameterException"),
    "an unknown member of a container": (
        "RegisterTaskDefinition",
        {
            "family": "app",
            "containerDefinitions": [{"name": "app", "image": "i", "memory": 64, "colour": "red"}],
        },
        "ClientException",
    ),
    "a body that is no JSON": ("ListClusters", b"{", "SerializationException"),
    "a body that is no object": ("ListClusters", [], "SerializationException"),
    "an operation that ECS does not have": ("MakeCoffee", {}, "InvalidAction"),
    "an operation that the sandbox does not have": ("ListAccountSettings", {}, "InvalidAction"),
}


@pytest.mark.parametrize("case", REFUSED_REQUESTS)
def test_a_bad_request_gets_an_aws_error(sandbox: Sandbox, case: str) -> None:
    operation, body, code = REFUSED_REQUESTS[case]
    status, answer = raw(sandbox, operation, body)
    assert (status, answer["__type"]) == (400, code)
    assert answer["message"]


def test_null_means_not_given(sandbox: Sandbox) -> None:
    assert raw(sandbox, "ListClusters", {"maxResults": None}) == (200, {"clusterArns": []})


def test_an_unsigned_request_is_refused(sandbox: Sandbox) -> None:
    status, answer = raw(sandbox, "ListClusters", {}, authorization="")
    assert (status, answer["__type"]) == (400, "MissingAuthenticationTokenException")


def test_the_clock_and_faults_are_driven_over_http(sandbox: Sandbox) -> None:
    ecs = sandbox.client("ecs")
    ecs.create_cluster(clusterName="c")
    register(ecs)
    body = json.dumps({"service": "web", "container": "app", "exit_code": 9}).encode()
    assert post(sandbox, "/_sandbox/fail_next_rollout", body) == (200, {})
    ecs.create_service(cluster="c", serviceName="web", taskDefinition="app", desiredCount=1)
    before = sandbox.clock.now()
    assert post(sandbox, "/_sandbox/advance", b'{"seconds": 30}') == (200, {"now": before + 30})
    assert sandbox.tasks("c")[0]["containers"][0]["exitCode"] == 9


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_sandbox/advance", b'{"seconds": -1}', 400),
        ("/_sandbox/advance", b'{"seconds": "soon"}', 400),
        ("/_sandbox/advance", b"{", 400),
        ("/_sandbox/advance", b"[]", 400),
        ("/_sandbox/coffee", b"{}", 404),
    ],
)
def test_a_bad_control_request_changes_nothing(sandbox: Sandbox, path: str, body: bytes, status: int) -> None:
    before = sandbox.clock.now()
    code, answer = post(sandbox, path, body)
    assert code == status
    assert answer["error"]
    assert sandbox.clock.now() == before


def test_each_sandbox_starts_empty() -> None:
    for _ in range(2):
        with Sandbox() as sandbox:
            assert sandbox.client("s3").list_buckets()["Buckets"] == []
            assert sandbox.client("ecs").list_clusters()["clusterArns"] == []
            sandbox.client("s3").create_bucket(Bucket="configs")
            sandbox.client("ecs").create_cluster(clusterName="c")


def test_a_port_can_be_chosen() -> None:
    with Sandbox() as first:
        port = int(first.url.rsplit(":", 1)[1])
    with Sandbox(port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"
        assert second.client("ecs").list_clusters()["clusterArns"] == []


def test_a_stopped_sandbox_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Sandbox().url


def test_rollouts_move_by_themselves_on_a_real_clock() -> None:
    clock = RealClock(speed=1_000_000)
    with Sandbox(clock=clock) as sandbox:
        ecs = sandbox.client("ecs")
        ecs.create_cluster(clusterName="c")
        register(ecs)
        ecs.create_service(cluster="c", serviceName="web", taskDefinition="app", desiredCount=1)
        ecs.list_clusters()
        service = ecs.describe_services(cluster="c", services=["web"])["services"][0]
        assert service["deployments"][0]["rolloutState"] == "COMPLETED"


def test_many_clients_at_once_get_a_revision_each(sandbox: Sandbox) -> None:
    ecs = sandbox.client("ecs")
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: register(ecs)["revision"], range(40)))
    assert sorted(numbers) == list(range(1, 41))


def test_answers_hold_only_what_ecs_answers_with(sandbox: Sandbox) -> None:
    """Botocore drops members that it does not know in silence: a misspelt one would never be missed."""
    ecs = sandbox.client("ecs")
    unknown: list[str] = []
    called: set[str] = set()

    def look(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        called.add(operation_model.name)
        answer = json.loads(response_dict["body"])
        if response_dict["status_code"] == 200:
            unknown.extend(unlisted(answer, operation_model.output_shape, operation_model.name))

    ecs.meta.events.register("before-parse.ecs", look)
    use_every_operation(ecs, sandbox)
    assert unknown == []
    assert called == set(OPERATIONS)


def unlisted(value: Any, shape: Any, name: str) -> Iterator[str]:
    if shape is None or shape.type_name not in {"structure", "list"}:
        return
    if shape.type_name == "list":
        for one in value:
            yield from unlisted(one, shape.member, name)
        return
    for key, member in value.items():
        if key in shape.members:
            yield from unlisted(member, shape.members[key], f"{name}.{key}")
        else:
            yield f"{name}.{key}"


def use_every_operation(ecs: Any, sandbox: Sandbox) -> None:
    cluster = ecs.create_cluster(clusterName="c")["cluster"]["clusterArn"]
    for _ in range(3):
        register(ecs)
    ecs.create_service(cluster="c", serviceName="web", taskDefinition="app:1", desiredCount=1)
    ecs.create_service(
        cluster="c",
        serviceName="blue",
        taskDefinition="app:1",
        desiredCount=1,
        deploymentController={"type": "CODE_DEPLOY"},
    )
    sandbox.advance(60)
    ecs.update_service(cluster="c", service="web", taskDefinition="app:2")
    record = ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"][0]
    ecs.stop_service_deployment(serviceDeploymentArn=record["serviceDeploymentArn"])
    sandbox.advance(60)
    ecs.describe_service_deployments(serviceDeploymentArns=[record["serviceDeploymentArn"]])
    ecs.describe_service_revisions(serviceRevisionArns=[record["targetServiceRevisionArn"]])
    use_a_pause(ecs)
    use_task_sets(ecs)
    sandbox.advance(60)
    ecs.describe_services(cluster="c", services=["web", "blue", "ghost"], include=["TAGS"])
    task = ecs.run_task(cluster="c", taskDefinition="app")["tasks"][0]["taskArn"]
    ecs.stop_task(cluster="c", task=task)
    sandbox.advance(60)
    ecs.describe_tasks(cluster="c", tasks=[*ecs.list_tasks(cluster="c")["taskArns"], task])
    ecs.tag_resource(resourceArn=cluster, tags=[{"key": "k", "value": "v"}])
    ecs.list_tags_for_resource(resourceArn=cluster)
    ecs.untag_resource(resourceArn=cluster, tagKeys=["k"])
    ecs.describe_clusters(clusters=["c", "ghost"], include=["TAGS", "SETTINGS", "CONFIGURATIONS"])
    ecs.describe_task_definition(taskDefinition="app", include=["TAGS"])
    ecs.list_task_definitions(maxResults=1)
    ecs.list_task_definition_families()
    ecs.list_services(cluster="c")
    ecs.list_clusters()
    ecs.deregister_task_definition(taskDefinition="app:3")
    ecs.delete_task_definitions(taskDefinitions=["app:2", "app:3"])
    for name in ("web", "blue", "other"):
        ecs.delete_service(cluster="c", service=name, force=True)
    sandbox.advance(60)
    ecs.delete_cluster(cluster="c")


def use_task_sets(ecs: Any) -> None:
    ecs.create_service(cluster="c", serviceName="other", desiredCount=1, deploymentController={"type": "EXTERNAL"})
    place = {"cluster": "c", "service": "other"}
    scale = {"value": 50.0, "unit": "PERCENT"}
    made = ecs.create_task_set(taskDefinition="app", scale=scale, externalId="x", **place)["taskSet"]["id"]
    ecs.update_task_set(taskSet=made, scale=scale, **place)
    ecs.update_service_primary_task_set(primaryTaskSet=made, **place)
    ecs.describe_task_sets(include=["TAGS"], **place)
    ecs.delete_task_set(taskSet=made, force=True, **place)


def use_a_pause(ecs: Any) -> None:
    pause = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}
    configuration = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, "lifecycleHooks": [pause]}
    ecs.update_service(cluster="c", service="web", deploymentConfiguration=configuration, forceNewDeployment=True)
    arn = ecs.describe_services(cluster="c", services=["web"])["services"][0]["currentServiceDeployment"]
    record = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    hook = record["lifecycleHookDetails"][0]["hookId"]
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook)


def test_without_moto_the_sandbox_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['moto'] = None\n"
        "from controller.sandbox import Sandbox\n"
        "assert not any(name.startswith('moto.') for name in sys.modules)\n"
        "try:\n"
        "    Sandbox().start()\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "The sandbox needs moto: pip install 'logroute[sandbox]'"


def test_importing_the_sandbox_loads_neither_moto_nor_boto3() -> None:
    script = (
        "import sys, controller.sandbox\n"
        "print([name for name in ('moto', 'boto3', 'botocore', 'werkzeug') if name in sys.modules])\n"
    )
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_the_operations_are_ecs_operations() -> None:
    assert set(OPERATIONS) <= set(wire.service_model().operation_names)
