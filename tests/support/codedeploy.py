"""The service `web` as CodeDeploy deploys it: an application, a deployment group, and an AppSpec for each revision."""

from __future__ import annotations

import json
from typing import Any

from controller.sandbox import Sandbox
from tests.support.rollouts import Web

GROUP = {"applicationName": "shop", "deploymentGroupName": "web"}
ALWAYS_BACK = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"]}


class Blue(Web):
    """Two tasks of app:1 under the controller CODE_DEPLOY, steady."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.codedeploy = sandbox.client("codedeploy")
        self.create(deploymentController={"type": "CODE_DEPLOY"})

    def group(self, *, ready_wait: int | None = None, termination_wait: int = 5, **fields: Any) -> None:
        self.codedeploy.create_application(applicationName="shop", computePlatform="ECS")
        settings = group_settings(ready_wait=ready_wait, termination_wait=termination_wait)
        self.codedeploy.create_deployment_group(**settings | fields)

    def deploy(self, definition: str, **fields: Any) -> str:
        """The id of a deployment that has been asked for, and not begun."""
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec(definition)}}
        return str(self.codedeploy.create_deployment(**GROUP | {"revision": revision} | fields)["deploymentId"])

    def info(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.codedeploy.get_deployment(deploymentId=name)["deploymentInfo"]
        return found

    def status(self, name: str) -> str:
        return str(self.info(name)["status"])

    @property
    def sets(self) -> list[tuple[str, str, int]]:
        """Status, family:revision and running tasks of each task set, the PRIMARY one first."""
        return [
            (one["status"], one["taskDefinition"].rsplit("/", 1)[1], one["runningCount"])
            for one in self.service["taskSets"]
        ]


def appspec(definition: str, container: str = "app") -> str:
    balancer = {"ContainerName": container, "ContainerPort": 80}
    properties = {"TaskDefinition": definition, "LoadBalancerInfo": balancer}
    resource = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    return json.dumps({"version": 0.0, "Resources": [resource]})


def group_settings(*, ready_wait: int | None = None, termination_wait: int = 5) -> dict[str, Any]:
    """What CreateDeploymentGroup takes; waits in minutes."""
    ready: dict[str, Any] = {"actionOnTimeout": "CONTINUE_DEPLOYMENT"}
    if ready_wait is not None:
        ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": ready_wait}
    ending = {"action": "TERMINATE", "terminationWaitTimeInMinutes": termination_wait}
    listener = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/1/2"
    pair = {"targetGroups": [{"name": "a"}, {"name": "b"}], "prodTrafficRoute": {"listenerArns": [listener]}}
    return GROUP | {
        "serviceRoleArn": "arn:aws:iam::123456789012:role/codedeploy",
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        "blueGreenDeploymentConfiguration": {
            "deploymentReadyOption": ready,
            "terminateBlueInstancesOnDeploymentSuccess": ending,
        },
        "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
        "ecsServices": [{"clusterName": "c", "serviceName": "web"}],
    }
