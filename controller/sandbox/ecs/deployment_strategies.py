"""Deployment strategies and lifecycle hooks of a request: what ECS refuses.

API reference, DeploymentConfiguration, LinearConfiguration, CanaryConfiguration, DeploymentLifecycleHook. The
documented limits are ECS's; the words of the errors are not documented, and ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.errors import InvalidParameterError
from controller.sandbox.model import Json
from controller.sandbox.rollout.staged import STRATEGIES

_OWN_CONFIGURATION = {"linearConfiguration": "LINEAR", "canaryConfiguration": "CANARY"}
_LONGEST_BAKE = 1440  # minutes
_LONGEST_HOOK = 20160
_LEAST_STEP, _LEAST_CANARY, _MOST = 3.0, 0.1, 100.0
_NO_PAUSE = frozenset({"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"})


def fitting(configuration: Json, wanted: Json) -> Json:
    """Without what an earlier strategy left behind. Raises InvalidParameterError for what cannot be."""
    strategy = configuration["strategy"]
    foreign = {key for key, owner in _OWN_CONFIGURATION.items() if owner != strategy}
    if strategy not in STRATEGIES:
        foreign.add("lifecycleHooks")
    found = {key: value for key, value in configuration.items() if key not in foreign - wanted.keys()}
    if problem := next(_problems(found), None):
        raise InvalidParameterError(problem)
    return found


def check_place(configuration: Json, controller: str, scheduling: str) -> None:
    if configuration["strategy"] in STRATEGIES and (controller, scheduling) != ("ECS", "REPLICA"):
        raise InvalidParameterError(
            f"The deployment strategy {configuration['strategy']} needs the deployment controller ECS "
            "and the scheduling strategy REPLICA."
        )


def _problems(configuration: Json) -> Iterator[str]:
    strategy = configuration["strategy"]
    for key, owner in _OWN_CONFIGURATION.items():
        if configuration.get(key) and strategy != owner:
            yield f"{key} is only valid with the deployment strategy {owner}."
    if strategy == "BLUE_GREEN" and configuration.get("bakeTimeInMinutes") is None:
        yield "bakeTimeInMinutes must be provided with the deployment strategy BLUE_GREEN."
    if not 0 <= configuration.get("bakeTimeInMinutes", 0) <= _LONGEST_BAKE:
        yield f"bakeTimeInMinutes must be between 0 and {_LONGEST_BAKE}."
    if configuration.get("earlySuccessCriteria", {}).get("enable"):
        yield "The sandbox does not simulate earlySuccessCriteria."
    yield from _shift_problems(configuration)
    hooks = configuration.get("lifecycleHooks", [])
    if hooks and strategy not in STRATEGIES:
        yield f"lifecycleHooks need one of the deployment strategies {', '.join(sorted(STRATEGIES))}."
    for hook in hooks:
        yield from _hook_problems(hook)


def _shift_problems(configuration: Json) -> Iterator[str]:
    linear: Json = configuration.get("linearConfiguration", {})
    canary: Json = configuration.get("canaryConfiguration", {})
    for name, percent, least in (
        ("stepPercent", linear.get("stepPercent"), _LEAST_STEP),
        ("canaryPercent", canary.get("canaryPercent"), _LEAST_CANARY),
    ):
        if percent is not None and not (least <= percent <= _MOST and round(percent, 1) == percent):
            yield f"{name} must be a multiple of 0.1 between {least} and {_MOST}."
    for name, minutes in (
        ("stepBakeTimeInMinutes", linear.get("stepBakeTimeInMinutes", 0)),
        ("canaryBakeTimeInMinutes", canary.get("canaryBakeTimeInMinutes", 0)),
    ):
        if not 0 <= minutes <= _LONGEST_BAKE:
            yield f"{name} must be between 0 and {_LONGEST_BAKE}."


def _hook_problems(hook: Json) -> Iterator[str]:
    stages = hook.get("lifecycleStages")
    if not stages:
        yield "A lifecycle hook must have lifecycleStages."
        return
    if hook.get("targetType", "AWS_LAMBDA") == "AWS_LAMBDA":
        if not hook.get("hookTargetArn"):
            yield "hookTargetArn must be provided for an AWS_LAMBDA lifecycle hook."
    else:
        if hook.get("hookTargetArn"):
            yield "hookTargetArn is not applicable for PAUSE lifecycle hooks."
        if forbidden := sorted(_NO_PAUSE.intersection(stages)):
            yield f"A PAUSE lifecycle hook cannot be configured at {forbidden[0]}."
    if not 1 <= hook.get("timeoutConfiguration", {}).get("timeoutInMinutes", 1) <= _LONGEST_HOOK:
        yield f"timeoutInMinutes must be between 1 and {_LONGEST_HOOK}."
