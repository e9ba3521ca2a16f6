"""A token bucket per API family, at a share of AWS's own sustained rates, halved on a throttle (AIMD).

Rates: "Request throttling for the Amazon ECS API" (Amazon ECS API reference), per account and region.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """AWS's own bucket: `burst` requests at once, `sustained` a second."""

    burst: float
    sustained: float


FAMILIES: dict[str, Rate] = {
    "ecs:task-definition-modify": Rate(20, 1),
    "ecs:task-definition-read": Rate(50, 20),
    "ecs:service-modify": Rate(50, 5),
    "ecs:service-read": Rate(100, 20),
    "ecs:service-deployment": Rate(50, 20),
    "ecs:service-revision": Rate(50, 20),
    "ecs:cluster-read": Rate(50, 20),
    "ecs:cluster-resource-read": Rate(100, 20),
    "s3": Rate(1000, 1000),
    "logs": Rate(10, 5),
    "other": Rate(10, 5),
}
OPERATIONS = {
    "RegisterTaskDefinition": "ecs:task-definition-modify",
    "DescribeTaskDefinition": "ecs:task-definition-read",
    "UpdateService": "ecs:service-modify",
    "DescribeServices": "ecs:service-read",
    "ListServices": "ecs:service-read",
    "ListServiceDeployments": "ecs:service-deployment",
    "DescribeServiceDeployments": "ecs:service-deployment",
    "DescribeServiceRevisions": "ecs:service-revision",
    "ListClusters": "ecs:cluster-read",
    "ListTasks": "ecs:cluster-resource-read",
    "DescribeTasks": "ecs:cluster-resource-read",
}
RECOVERY_SECONDS = 60.0
"""After so long without a throttle a halved bucket doubles again, up to its share."""


class TokenBucket:
    def __init__(
        self,
        rate: Rate,
        share: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._full, self._burst = rate.sustained * share, max(1.0, rate.burst * share)
        self._rate, self._tokens = self._full, self._burst
        self._now, self._sleep = now, sleep
        self._at = self._slowed = now()
        self._lock = threading.Lock()

    def acquire(self) -> float:
        """Take a token; returns the seconds that it had to wait."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self._rate)
        if wait:
            self._sleep(wait)
        return wait

    def throttled(self) -> None:
        """AWS said no: halve the rate (to a sixteenth at the least) and spend what is saved up."""
        with self._lock:
            self._refill()
            self._rate = max(self._full / 16, self._rate / 2)
            self._tokens, self._slowed = min(self._tokens, 0.0), self._at

    def _refill(self) -> None:
        now = self._now()
        while self._rate < self._full and now - self._slowed >= RECOVERY_SECONDS:
            self._slowed += RECOVERY_SECONDS
            self._flow(self._slowed)
            self._rate = min(self._full, self._rate * 2)
        self._flow(now)

    def _flow(self, until: float) -> None:
        """What came in since the last time, at the rate that held."""
        self._tokens = min(self._burst, self._tokens + (until - self._at) * self._rate)
        self._at = until


class Limiter:
    """The buckets of one account and region."""

    def __init__(
        self,
        share: float = 0.5,
        waited: Callable[[str, float], None] = lambda _family, _seconds: None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._buckets = {family: TokenBucket(rate, share, now, sleep) for family, rate in FAMILIES.items()}
        self._waited = waited

    def bucket(self, service: str, operation: str) -> tuple[str, TokenBucket]:
        family = OPERATIONS.get(operation, service if service in FAMILIES else "other")
        return family, self._buckets[family]

    def acquire(self, service: str, operation: str) -> TokenBucket:
        family, bucket = self.bucket(service, operation)
        self._waited(family, bucket.acquire())
        return bucket
