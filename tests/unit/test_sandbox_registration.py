"""RegisterTaskDefinition in the sandbox: refused as ECS refuses, and described as ECS describes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox

Json = dict[str, Any]

PLAIN: Json = {
    "family": "example",
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "requiresCompatibilities": ["FARGATE"],
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "taskRoleArn": "arn:aws:iam::123456789012:role/example-poc-ecs-task",
    "executionRoleArn": "arn:aws:iam::123456789012:role/example-poc-ecs-execution",
    "containerDefinitions": [
        {
            "name": "app",
            "image": "httpd",
            "cpu": 0,
            "memoryReservation": 100,
            "essential": True,
            "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/ecs/example",
                    "awslogs-region": "ap-northeast-1",
                    "awslogs-stream-prefix": "app",
                },
            },
        }
    ],
}
APP: Json = {"name": "app", "image": "httpd", "memory": 128}
ROUTER: Json = {
    "name": "log_router",
    "image": "fluent-bit",
    "memory": 64,
    "firelensConfiguration": {"type": "fluentbit"},
}
ROUTED: Json = APP | {"logConfiguration": {"logDriver": "awsfirelens"}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(region="ap-northeast-1", seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def ecs(sandbox: Sandbox) -> Any:
    return sandbox.client("ecs")


def on_ec2(*containers: Json, **fields: Any) -> Json:
    return {"family": "ec2", "containerDefinitions": [copy.deepcopy(one) for one in containers], **fields}


def on_fargate(*, container: Json | None = None, **fields: Any) -> Json:
    body = copy.deepcopy(PLAIN) | fields
    body["containerDefinitions"][0] |= container or {}
    return {key: value for key, value in body.items() if value is not None}


def described(ecs: Any, body: Json) -> Json:
    arn = ecs.register_task_definition(**body)["taskDefinition"]["taskDefinitionArn"]
    found: Json = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def after(container: Json, target: str, condition: str) -> Json:
    return container | {"dependsOn": [{"containerName": target, "condition": condition}]}


NO_MEMORY = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."
NO_ROUTER = (
    "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be "
    "configured in one of the containers."
)
NO_USER_OF_THE_ROUTER = (
    "When a firelensConfiguration object is specified, at least one container has to be configured with the "
    "awsfirelens log driver."
)
CHECKED = {"healthCheck": {"command": ["CMD", "true"]}}
S3_CONFIG = {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::bucket/extra.conf"}

REFUSED: dict[str, tuple[Json, str]] = {
    "no containers": (on_ec2(), "Container list cannot be empty."),
    "eleven containers": (on_ec2(*[APP | {"name": f"app{n}"} for n in range(11)]), "Too many containers."),
    "two containers of one name": (on_ec2(APP, APP), "must be unique"),
    "no name": (on_ec2({"image": "httpd", "memory": 128}), "Container.name should not be null"),
    "a bad name": (on_ec2(APP | {"name": "my app"}), "Invalid container name 'my app'"),
    "no image": (on_ec2({"name": "app", "memory": 128}), "Container.image should not be null or empty."),
    "a bad family": (on_ec2(APP, family="my family"), "Invalid family name"),
    "nothing essential": (on_ec2(APP | {"essential": False}), "doesn't have any essential container."),
    "more than 64 KiB": (
        on_ec2(APP | {"command": ["x" * 65536]}),
        "Max allowed length is '65536' bytes.",
    ),
    "empty tags": (on_ec2(APP, tags=[]), "Tags can not be empty"),
    "reserved tags": (on_ec2(APP, tags=[{"key": "aws:x", "value": ""}]), "reserved"),
    "a tag twice": (on_ec2(APP, tags=[{"key": "a", "value": "1"}] * 2), "Duplicate tag keys"),
    "no memory anywhere": (
        on_ec2({"name": "app", "image": "httpd"}),
        NO_MEMORY,
    ),
    "memory below the reservation": (on_ec2(APP | {"memoryReservation": 256}), "must not be less than"),
    "more memory than the task": (
        on_ec2(APP, memory="64"),
        "The 'memory' setting for container 'app' is greater than for the task.",
    ),
    "reservations above the task's memory": (
        on_ec2(APP, ROUTER | {"name": "b"}, ROUTED | {"name": "c"}, memory="256"),
        "The sum of the memory that all containers reserve",
    ),
    "more cpu than the task": (
        on_ec2(APP | {"cpu": 512}, cpu="256"),
        "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    ),
    "an unreadable size": (on_ec2(APP, cpu="a lot"), "Invalid 'cpu' setting for task."),
    "awsfirelens without a router": (
        on_ec2(ROUTED),
        NO_ROUTER,
    ),
    "a router without awsfirelens": (
        on_ec2(APP, ROUTER),
        NO_USER_OF_THE_ROUTER,
    ),
    "two routers": (on_ec2(ROUTED, ROUTER, ROUTER | {"name": "two"}), "At most one container"),
    "a router with a named user": (on_ec2(ROUTED, ROUTER | {"user": "fluent"}), "numeric UID"),
    "a config that is no ARN": (
        on_ec2(
            ROUTED,
            ROUTER
            | {
                "firelensConfiguration": {
                    "type": "fluentbit",
                    "options": S3_CONFIG | {"config-file-value": "s3://b/k"},
                }
            },
        ),
        "Invalid arn syntax.",
    ),
    "an unknown router type": (
        on_ec2(ROUTED, ROUTER | {"firelensConfiguration": {"type": "vector"}}),
        "must be one of: fluentd, fluentbit",
    ),
    "awslogs without a group": (
        on_ec2(APP | {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-region": "us-east-1"}}}),
        "Log driver awslogs requires options: awslogs-group",
    ),
    "a dependency on nobody": (on_ec2(after(APP, "ghost", "START")), "container 'ghost', which is not in"),
    "a dependency on itself": (on_ec2(after(APP, "app", "START")), "should not have a cycle"),
    "a circle of dependencies": (
        on_ec2(after(APP, "b", "START"), after(APP | {"name": "b"}, "app", "START")),
        "should not have a cycle",
    ),
    "HEALTHY without a health check": (
        on_ec2(after(APP, "b", "HEALTHY"), APP | {"name": "b"}),
        "container 'b' has no health check",
    ),
    "SUCCESS of an essential container": (
        on_ec2(after(APP, "b", "SUCCESS"), APP | {"name": "b"}),
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    ),
    "a mount of no volume": (
        on_ec2(APP | {"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]}),
        "Unknown volume 'data'.",
    ),
    "two volumes of one name": (
        on_ec2(APP, volumes=[{"name": "v"}, {"name": "v"}]),
        "Volume names must be unique",
    ),
    "volumes from nobody": (
        on_ec2(APP | {"volumesFrom": [{"sourceContainer": "ghost"}]}),
        "Invalid 'volumesFrom' setting. Unknown container: 'ghost'.",
    ),
    "a secret named like a variable": (
        on_ec2(
            APP
            | {
                "environment": [{"name": "KEY", "value": "x"}],
                "secrets": [{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}],
            },
            executionRoleArn="execution",
        ),
        "The secret name must be unique",
    ),
    "secrets without an execution role": (
        on_ec2(APP | {"secrets": [{"name": "KEY", "valueFrom": "parameter"}]}),
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    ),
    "a health check every second": (
        on_ec2(APP | {"healthCheck": {"command": ["CMD", "true"], "interval": 1}}),
        "'healthCheck.interval'",
    ),
    "two ports for one in awsvpc": (
        on_ec2(APP | {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}, networkMode="awsvpc"),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    "Fargate without cpu": (
        on_fargate(cpu=None),
        "Fargate requires that 'cpu' be defined at the task level.",
    ),
    "Fargate without memory": (on_fargate(memory=None), "Fargate requires that 'memory' be defined"),
    "a size that Fargate does not have": (
        on_fargate(memory="4096"),
        "No Fargate configuration exists for given values: 256 CPU, 4096 memory.",
    ),
    "Fargate without awsvpc": (on_fargate(networkMode=None), "Fargate only supports network mode ‘awsvpc’."),
    "awslogs on Fargate without an execution role": (
        on_fargate(executionRoleArn=None),
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    ),
    "json-file on Fargate": (
        on_fargate(container={"logConfiguration": {"logDriver": "json-file"}}),
        "Fargate does not support log driver json-file",
    ),
    "privileged on Fargate": (
        on_fargate(container={"privileged": True}),
        "Fargate does not support 'privileged'",
    ),
    "a config in S3 on Fargate": (
        on_fargate(
            containerDefinitions=[
                ROUTED | {"memory": 64},
                ROUTER | {"firelensConfiguration": {"type": "fluentbit", "options": S3_CONFIG}},
            ]
        ),
        "Fargate only supports the firelens config-file-type 'file'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_definition_that_ecs_refuses_is_a_client_exception(ecs: Any, sandbox: Sandbox, case: str) -> None:
    body, message = REFUSED[case]
    before = sandbox.revisions(body["family"])
    code, said = refusal(ecs.register_task_definition, **body)
    assert code == "ClientException"
    assert message in said
    assert sandbox.revisions(body["family"]) == before


ACCEPTED: dict[str, Json] = {
    "a router and who uses it": on_ec2(ROUTED, ROUTER),
    "a router that is not root": on_ec2(ROUTED, ROUTER | {"user": "1000:fluent"}),
    "a config in S3 on EC2": on_ec2(
        ROUTED, ROUTER | {"firelensConfiguration": {"type": "fluentbit", "options": S3_CONFIG}}
    ),
    "HEALTHY of a container with a health check": on_ec2(after(ROUTED, "log_router", "HEALTHY"), ROUTER | CHECKED),
    "ten containers": on_ec2(*[APP | {"name": f"app{n}"} for n in range(10)]),
    "all of the task's memory reserved": on_ec2(APP, APP | {"name": "b"}, memory="256"),
    "container memory left to the task": on_ec2({"name": "app", "image": "httpd"}, memory="256"),
    "a volume that is there": on_ec2(
        APP | {"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
        volumes=[{"name": "data"}],
    ),
    "the largest Fargate size": on_fargate(cpu="16 vCPU", memory="120 GB"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_definition_that_ecs_accepts_is_registered(ecs: Any, case: str) -> None:
    assert described(ecs, ACCEPTED[case])["status"] == "ACTIVE"


def test_a_plain_definition_is_described_as_ecs_describes_it(ecs: Any) -> None:
    plain = PLAIN | {"family": "golden"}
    found = described(ecs, plain)
    container = found.pop("containerDefinitions")
    assert container == [
        PLAIN["containerDefinitions"][0]
        | {"logConfiguration": PLAIN["containerDefinitions"][0]["logConfiguration"] | {"secretOptions": []}}
    ]
    attributes = [one["name"] for one in found.pop("requiresAttributes")]
    prefix = "com.amazonaws.ecs.capability"
    assert attributes == [
        f"{prefix}.logging-driver.awslogs",
        "ecs.capability.execution-role-awslogs",
        f"{prefix}.docker-remote-api.1.19",
        f"{prefix}.docker-remote-api.1.21",
        f"{prefix}.task-iam-role",
        f"{prefix}.docker-remote-api.1.18",
        "ecs.capability.task-eni",
        f"{prefix}.docker-remote-api.1.29",
    ]
    assert found.pop("registeredAt").timestamp() > 0
    assert found.pop("registeredBy").startswith("arn:aws:")
    passed_through = {key: value for key, value in plain.items() if key != "containerDefinitions"}
    assert found == passed_through | {
        "taskDefinitionArn": "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/golden:1",
        "revision": 1,
        "status": "ACTIVE",
        "volumes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
        "enableFaultInjection": False,
    }


def test_defaults_are_filled_in(ecs: Any) -> None:
    app = APP | CHECKED | {"portMappings": [{"containerPort": 80}]}
    found = described(ecs, on_ec2(app))
    assert found["networkMode"] == "bridge"
    container = found["containerDefinitions"][0]
    assert container["cpu"] == 0
    assert container["essential"] is True
    for key in ("environment", "mountPoints", "volumesFrom", "systemControls"):
        assert container[key] == []
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    assert container["healthCheck"] == {
        "command": ["CMD", "true"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }
    assert "logConfiguration" not in container
    assert "user" not in container


def test_the_host_port_is_the_container_port_in_awsvpc(ecs: Any) -> None:
    found = described(ecs, on_ec2(APP | {"portMappings": [{"containerPort": 80}]}, networkMode="awsvpc"))
    assert found["containerDefinitions"][0]["portMappings"][0]["hostPort"] == 80


def test_a_router_without_a_user_becomes_root(ecs: Any) -> None:
    users = [one.get("user") for one in described(ecs, on_ec2(ROUTED, ROUTER))["containerDefinitions"]]
    assert users == [None, "0"]


def test_sizes_are_shown_in_units_and_mib(ecs: Any) -> None:
    found = described(ecs, on_fargate(cpu=".5 vCPU", memory="1GB"))
    assert (found["cpu"], found["memory"]) == ("512", "1024")


def test_what_ecs_knows_and_moto_drops_is_kept(ecs: Any) -> None:
    restart = {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60}
    found = described(
        ecs,
        on_fargate(container={"restartPolicy": restart, "versionConsistency": "disabled"}, enableFaultInjection=True),
    )
    assert found["enableFaultInjection"] is True
    assert found["containerDefinitions"][0]["restartPolicy"] == restart
    assert found["containerDefinitions"][0]["versionConsistency"] == "disabled"


def test_the_order_of_environment_and_secrets_is_lost() -> None:
    names = [f"NAME_{number}" for number in range(20)]
    app = APP | {
        "environment": [{"name": name, "value": ""} for name in names],
        "secrets": [{"name": f"S_{name}", "valueFrom": "parameter"} for name in names],
        "command": names,
    }
    orders = []
    for seed in (1, 1, 2):
        with Sandbox(seed=seed) as sandbox:
            container = described(sandbox.client("ecs"), on_ec2(app, executionRoleArn="execution"))[
                "containerDefinitions"
            ][0]
        order = [one["name"] for one in container["environment"]]
        assert order != names
        assert sorted(order) == sorted(names)
        assert [one["name"] for one in container["secrets"]] != [f"S_{name}" for name in names]
        assert container["command"] == names
        orders.append(order)
    assert orders[0] == orders[1], "the same seed shuffles alike"
    assert orders[1] != orders[2]
