"""A service `web` in a cluster `c` of the sandbox, and what one looks at while it rolls out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox

ENOUGH = 120  # seconds that any healthy rollout here takes at most
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


class Web:
    """Its family is `app`, with an ordinary first revision."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ecs = sandbox.client("ecs")
        self.ecs.create_cluster(clusterName="c")
        self.register()

    def register(self, *, router: dict[str, Any] | None = None) -> str:
        """A revision of `app`; with `router`, one whose logs that container routes."""
        app: dict[str, Any] = {"name": "app", "image": "httpd", "memory": 64}
        containers = [app]
        if router is not None:
            app["logConfiguration"] = {"logDriver": "awsfirelens"}
            base = {"name": "log_router", "image": "fluent-bit", "memory": 64}
            containers.append(base | {"firelensConfiguration": {"type": "fluentbit"}} | router)
        answer = self.ecs.register_task_definition(family="app", containerDefinitions=containers)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create(self, **fields: Any) -> None:
        """Two tasks of the latest revision, and time for them to come up."""
        request = {"cluster": "c", "serviceName": "web", "taskDefinition": "app", "desiredCount": 2} | fields
        self.ecs.create_service(**request)
        self.sandbox.advance(ENOUGH)

    def update(self, **fields: Any) -> dict[str, Any]:
        service: dict[str, Any] = self.ecs.update_service(cluster="c", service="web", **fields)["service"]
        return service

    @property
    def service(self) -> dict[str, Any]:
        return self.sandbox.service("c", "web")

    @property
    def deployments(self) -> list[tuple[str, str, str, int]]:
        """(status, family:revision, rollout state, running), the primary one first."""
        return [
            (one["status"], one["taskDefinition"].rsplit("/", 1)[1], one["rolloutState"], one["runningCount"])
            for one in self.service["deployments"]
        ]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Its service deployments, the newest first."""
        briefs = self.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]
        arns = [brief["serviceDeploymentArn"] for brief in briefs]
        answer = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)
        found: list[dict[str, Any]] = answer["serviceDeployments"]
        return found

    @property
    def record(self) -> dict[str, Any]:
        return self.records[0]

    @property
    def messages(self) -> list[str]:
        """What its events say, the oldest first."""
        return [event["message"] for event in reversed(self.service["events"])]

    @property
    def stopped(self) -> list[dict[str, Any]]:
        """Its stopped tasks as the API describes them."""
        arns = self.ecs.list_tasks(cluster="c", serviceName="web", desiredStatus="STOPPED")["taskArns"]
        return list(self.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"]) if arns else []


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """The code and the message of the error that the call must raise."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])
