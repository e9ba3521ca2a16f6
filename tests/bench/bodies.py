"""What ECS answers, in the size of real services: a full event list, deployments, tags; some 25 KB each."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from tests.bench.specs import REGION

ACCOUNT = "123456789012"
EVENTS = 100
"""ECS keeps that many of a service (Amazon ECS API reference, Service)."""
_NAME, _CLUSTER = "@service@", "@cluster@"
_VARIABLES = 60
_NOW = 1_795_000_000.0


def service_arn(cluster: str, name: str) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{name}"


def revision_arn(name: str) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{name}:7"


def application(family: str) -> dict[str, Any]:
    """A plain task definition in register form, of about 8 KB."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{family}"
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{family}"
    app = {
        "name": "app",
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{family}:2026-11-22-{_id(7)[:12]}",
        "cpu": 0,
        "memoryReservation": 768,
        "essential": True,
        "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp", "name": "http"}],
        "environment": [
            {"name": f"SETTING_NUMBER_{one}", "value": f"https://{family}-{one}.internal.example.com/api/v{one}"}
            for one in range(_VARIABLES)
        ],
        "secrets": [{"name": f"SECRET_{one}", "valueFrom": f"{secret}-Ab12Cd:key{one}::"} for one in range(10)],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        "healthCheck": {"command": ["CMD-SHELL", "curl -f http://127.0.0.1:8080/ping"], "interval": 15, "retries": 4},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": f"/ecs/{family}",
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "app",
            },
        },
    }
    return {
        "family": family,
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "taskRoleArn": f"{role}-task",
        "executionRoleArn": f"{role}-execution",
        "containerDefinitions": [app],
    }


def described(arn: str) -> bytes:
    """DescribeTaskDefinition."""
    family, _, revision = arn.rsplit("/", 1)[-1].partition(":")
    read_only = {"taskDefinitionArn": arn, "revision": int(revision), "status": "ACTIVE", "registeredAt": _NOW}
    return orjson.dumps({"taskDefinition": application(family) | read_only, "tags": []})


def services(cluster: str, names: list[str]) -> bytes:
    """DescribeServices."""
    found = b",".join(
        _SERVICE.replace(_NAME.encode(), name.encode()).replace(_CLUSTER.encode(), cluster.encode()) for name in names
    )
    return b'{"failures":[],"services":[' + found + b"]}"


def _id(number: int) -> str:
    return str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128))


def _event(number: int) -> dict[str, Any]:
    task, group = _id(number).replace("-", ""), f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web"
    said = (
        "has reached a steady state.",
        f"has started 1 tasks: (task {task}).",
        f"registered 1 targets in (target-group {group}/{task[:16]})",
        f"(deployment ecs-svc/{number:019}) deployment completed.",
    )
    return {
        "id": _id(number + 1000),
        "createdAt": _NOW - 21_600 * number - 0.25,
        "message": f"(service {_NAME}) {said[number % len(said)]}",
    }


def _service() -> bytes:
    network = {
        "awsvpcConfiguration": {
            "subnets": [f"subnet-{_id(one)[:17]}" for one in range(3)],
            "securityGroups": [f"sg-{_id(one)[:17]}" for one in range(2)],
            "assignPublicIp": "DISABLED",
        }
    }
    deployment = {
        "id": "ecs-svc/7034619283746501928",
        "status": "PRIMARY",
        "taskDefinition": revision_arn(_NAME),
        "desiredCount": 3,
        "pendingCount": 0,
        "runningCount": 3,
        "failedTasks": 0,
        "createdAt": _NOW - 86_400.5,
        "updatedAt": _NOW - 86_000.75,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": network,
        "rolloutState": "COMPLETED",
        "rolloutStateReason": "ECS deployment ecs-svc/7034619283746501928 completed.",
    }
    arn = service_arn(_CLUSTER, _NAME)
    target = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{_NAME}/6d0ecf831eec9f09"
    plain = {
        "serviceArn": arn,
        "serviceName": _NAME,
        "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{_CLUSTER}",
        "loadBalancers": [{"targetGroupArn": target, "containerName": "app", "containerPort": 8080}],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": 3,
        "runningCount": 3,
        "pendingCount": 0,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": revision_arn(_NAME),
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        },
        "deployments": [deployment],
        "currentServiceDeployment": f"{arn.replace(':service/', ':service-deployment/')}/Bz-wnjWYlHRyxqVm0VRnh",
        "currentServiceRevisions": [
            {
                "arn": f"{arn.replace(':service/', ':service-revision/')}/7034619283746501928",
                "requestedTaskCount": 3,
                "runningTaskCount": 3,
                "pendingTaskCount": 0,
            }
        ],
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [_event(number) for number in range(EVENTS)],
        "createdAt": _NOW - 40_000_000.125,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": network,
        "healthCheckGracePeriodSeconds": 60,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "tags": [{"key": key, "value": value} for key, value in (("team", "web"), ("env", "prod"), ("app", _NAME))],
        "createdBy": f"arn:aws:iam::{ACCOUNT}:role/deployer",
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
    }
    return orjson.dumps(plain)


_SERVICE = _service()
