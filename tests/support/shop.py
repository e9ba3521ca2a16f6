"""The playground's service `example` as CodeDeploy deploys it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.support.codedeploy import GROUP, appspec, group_settings
from tests.support.playground import CLUSTER, Playground


class Shop:
    """The service `example` under CodeDeploy."""

    def __init__(self, play: Playground, balancers: Sequence[Any] = (), **group: Any) -> None:
        self.play, self.codedeploy = play, play.sandbox.client("codedeploy")
        play.service(deploymentController={"type": "CODE_DEPLOY"}, loadBalancers=list(balancers))
        self.open_group("shop", **group)

    def open_group(self, application: str, *, termination_wait: int = 5, **group: Any) -> None:
        self.group = GROUP | {"applicationName": application}
        self.codedeploy.create_application(applicationName=application, computePlatform="ECS")
        services = [{"clusterName": CLUSTER, "serviceName": "example"}]
        settings = group_settings(termination_wait=termination_wait) | {"ecsServices": services}
        self.codedeploy.create_deployment_group(**settings | self.group | group)

    def deploy(self, definition: dict[str, Any]) -> str:
        """As CI does it: register, then CreateDeployment."""
        arn = self.play.register(definition)
        container = definition["containerDefinitions"][0]["name"]
        return self.begin({"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec(arn, container)}})

    def begin(self, revision: dict[str, Any]) -> str:
        return str(self.codedeploy.create_deployment(**self.group, revision=revision)["deploymentId"])

    def deployments(self) -> list[dict[str, Any]]:
        names = self.codedeploy.list_deployments(**self.group)["deployments"]
        found = [self.codedeploy.get_deployment(deploymentId=name)["deploymentInfo"] for name in names]
        return sorted(found, key=lambda one: str(one["createTime"]))

    def said(self, number: int) -> dict[str, Any]:
        """What the AppSpec of a deployment says of the service."""
        revision = self.deployments()[number]["revision"]
        revision = self.codedeploy.get_application_revision(
            applicationName=self.group["applicationName"], revision=revision
        )["revision"]
        content = revision["appSpecContent"]["content"]
        found: dict[str, Any] = json.loads(content)["Resources"][0]["TargetService"]["Properties"]
        return found

    @property
    def runs(self) -> dict[str, Any]:
        """The definition of the PRIMARY task set."""
        sets = self.play.sandbox.service(CLUSTER, "example")["taskSets"]
        arn = next(one["taskDefinition"] for one in sets if one["status"] == "PRIMARY")
        found: dict[str, Any] = self.play.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return found

    @property
    def is_routed(self) -> bool:
        return "log_router" in [one["name"] for one in self.runs["containerDefinitions"]]

    @property
    def image(self) -> str:
        return str(self.runs["containerDefinitions"][0]["image"])
