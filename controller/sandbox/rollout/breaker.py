"""The deployment circuit breaker's threshold.

Amazon ECS API reference, DeploymentCircuitBreaker; developer guide, "How the Amazon ECS deployment circuit
breaker detects failures": half of the desired tasks, but at least 3 and at most 200.
"""

from __future__ import annotations

import math

from controller.sandbox.model import Json
from controller.sandbox.model.services import Service

_FEWEST, _MOST = 3, 200
_DEFAULT_PERCENT = 50


def breaker_of(service: Service) -> Json:
    breaker: Json = service.deployment_configuration["deploymentCircuitBreaker"]
    return breaker


def threshold(service: Service) -> int:
    """How many tasks may fail in a row before the rollout has failed."""
    configured: Json = breaker_of(service).get("thresholdConfiguration", {})
    kind: str = configured.get("type", "BOUNDED_PERCENT")
    value: int = configured.get("value", _DEFAULT_PERCENT)
    if kind == "COUNT":
        return max(1, value)
    share = math.ceil(service.desired_count * value / 100)
    return min(max(share, _FEWEST), _MOST) if kind == "BOUNDED_PERCENT" else max(1, share)
