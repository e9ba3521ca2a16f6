"""The settings of a service: which members it keeps, their defaults, and which requests are refused.

Amazon ECS API reference, CreateService, UpdateService and DeploymentConfiguration.
"""

from __future__ import annotations

from controller.sandbox.ecs import deployment_strategies as strategies
from controller.sandbox.errors import InvalidParameterError
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision

# A change to one of these brings out a new deployment, and a service revision keeps them.
REVISION_MEMBERS = (
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
# These take effect without one.
OPTION_MEMBERS = (
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
_ALL = 100


def revision_settings(request: Json) -> Json:
    return {key: request[key] for key in REVISION_MEMBERS if key in request}


def option_settings(request: Json) -> Json:
    return {key: request[key] for key in OPTION_MEMBERS if key in request}


def default_options(request: Json) -> Json:
    defaults: Json = {
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED" if _replica(request) else "DISABLED",
    }
    return defaults | option_settings(request)


def default_configuration(request: Json) -> Json:
    configuration = revision_settings(request)
    if "capacityProviderStrategy" not in configuration:
        configuration.setdefault("launchType", "EC2")
    if configuration.get("launchType") == "FARGATE":
        configuration.setdefault("platformVersion", "LATEST")
        configuration.setdefault("platformFamily", "Linux")
    return configuration


def deployment_configuration(request: Json, current: Json | None = None) -> Json:
    """The whole configuration: what the request says over what there was, or over the defaults."""
    wanted: Json = request.get("deploymentConfiguration", {})
    replica = _replica(request)
    defaults: Json = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200 if replica else 100,
        "minimumHealthyPercent": 100 if replica else 0,
        "strategy": "ROLLING",
    }
    if wanted.get("strategy", "ROLLING") == "ROLLING":
        defaults["bakeTimeInMinutes"] = 0
    merged = strategies.fitting((current or defaults) | wanted, wanted)
    if merged["maximumPercent"] == merged["minimumHealthyPercent"] == _ALL:
        raise InvalidParameterError(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )
    return merged


def _replica(request: Json) -> bool:
    return bool(request.get("schedulingStrategy", "REPLICA") == "REPLICA")


def check_network(configuration: Json, definition: Revision) -> None:
    awsvpc = definition.body["networkMode"] == "awsvpc"
    given = "awsvpcConfiguration" in configuration.get("networkConfiguration", {})
    if awsvpc and not given:
        raise InvalidParameterError("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if given and not awsvpc:
        raise InvalidParameterError(
            "Network Configuration is not valid for the given networkMode of this task definition."
        )


def check_launch_type(configuration: Json, definition: Revision) -> None:
    launch_type = configuration.get("launchType")
    if launch_type is not None and launch_type not in definition.body["compatibilities"]:
        raise InvalidParameterError(f"Task definition does not support launch_type {launch_type}.")
    if launch_type is not None and "capacityProviderStrategy" in configuration:
        raise InvalidParameterError(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )


def check_count(count: int) -> int:
    if count < 0:
        raise InvalidParameterError(f"desiredCount must not be negative: {count}")
    return count
