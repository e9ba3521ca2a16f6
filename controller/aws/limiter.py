"""A token bucket per API family, at a share of AWS's own sustained rates: halved on a throttle, growing again by and by
(AIMD), and serving the most urgent first.

Rates: "Request throttling for the Amazon ECS API" (Amazon ECS API reference), per account and region.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from controller.aws.ports import URGENCY, Urgency


@dataclass(frozen=True, slots=True)
class Rate:
    """AWS's own bucket: `burst` requests at once, `sustained` a second."""

    burst: float
    sustained: float
    most: float = float("inf")
    """Requests a second, whatever share of AWS's rate is allowed."""


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
    "events": Rate(20, 10),
    "scheduler": Rate(20, 10),
    "codedeploy": Rate(10, 5),  # AWS publishes no rate of it: as the others, but by itself
    "iam": Rate(2, 2, most=1),  # AWS publishes none: the simulator is slow, and people wait for IAM too
    "sqs": Rate(100, 100),  # it has no rate worth the name: each request waits for messages
    "other": Rate(10, 5),
}
OPERATIONS = {
    "RegisterTaskDefinition": "ecs:task-definition-modify",
    "DeregisterTaskDefinition": "ecs:task-definition-modify",
    "DescribeTaskDefinition": "ecs:task-definition-read",
    "UpdateService": "ecs:service-modify",
    "ListTaskDefinitionFamilies": "ecs:task-definition-read",
    "ListTaskDefinitions": "ecs:task-definition-read",
    "DescribeServices": "ecs:service-read",
    "ListServices": "ecs:service-read",
    "ListServiceDeployments": "ecs:service-deployment",
    "DescribeServiceDeployments": "ecs:service-deployment",
    "DescribeServiceRevisions": "ecs:service-revision",
    "DescribeClusters": "ecs:cluster-read",
    "ListClusters": "ecs:cluster-read",
    "ListTasks": "ecs:cluster-resource-read",
    "DescribeTasks": "ecs:cluster-resource-read",
}
"""Of ECS: other services have names in common with it."""
RECOVERY_SECONDS = 240.0
"""A rate grows by its whole in so long: from a half back to all of it takes two minutes without a throttle."""
ONE_EVENT = 1.0
"""Seconds within which several throttles are one event: calls in flight together are told so together."""
FLOOR = 1 / 16
PATIENCE = 60.0
"""Seconds after which who waits is as urgent as anybody: what is least urgent comes late, and not never."""
_WHOLE = 1 - 1e-6
_SHORTEST = 1e-3


@dataclass(frozen=True, slots=True)
class Waiter:
    urgency: int
    number: int
    since: float

    def rank(self, now: float) -> tuple[int, int]:
        return (Urgency.REPAIR if now - self.since > PATIENCE else self.urgency, self.number)


class TokenBucket:
    """Who waits is served by urgency, then in the order in which they came."""

    def __init__(
        self,
        rate: Rate,
        share: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._full = min(rate.sustained * share, rate.most)
        self._burst = max(1.0, min(rate.burst * share, rate.most))
        self._rate, self._tokens = self._full, self._burst
        self._now, self._sleep = now, sleep
        self._at, self._slowed = now(), float("-inf")
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: list[Waiter] = []

    def acquire(self, urgency: Urgency = Urgency.RESYNC) -> float:
        """Take a token; returns the seconds that it had to wait."""
        with self._lock:
            me = Waiter(urgency, next(self._numbers), self._now())
            self._waiting.append(me)
        while wait := self._wait_of(me):
            self._sleep(wait)
        return self._now() - me.since

    def _wait_of(self, me: Waiter) -> float:
        """Seconds until it is worth another look; 0: the token is taken."""
        with self._lock:
            self._refill()
            mine = me.rank(self._at)
            ahead = sum(other.rank(self._at) < mine for other in self._waiting)
            if not ahead and self._tokens >= _WHOLE:
                self._tokens -= 1
                self._waiting.remove(me)
                return 0.0
            return max(_SHORTEST, (1 + ahead - self._tokens) / self._rate)

    def throttled(self) -> None:
        """AWS said no: halve the rate (to a sixteenth at the least) and spend what is saved up."""
        with self._lock:
            self._refill()
            if self._at - self._slowed >= ONE_EVENT:
                self._rate, self._slowed = max(self._full * FLOOR, self._rate / 2), self._at
            self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        """What came in since the last time, at a rate that grows."""
        now = self._now()
        elapsed, slope = now - self._at, self._full / RECOVERY_SECONDS
        growing = min(elapsed, (self._full - self._rate) / slope)
        came = self._rate * growing + slope * growing**2 / 2 + self._full * (elapsed - growing)
        self._rate = min(self._full, self._rate + slope * growing)
        self._tokens = min(self._burst, self._tokens + came)
        self._at = now


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
        self._waited, self.now = waited, now

    def bucket(self, service: str, operation: str) -> tuple[str, TokenBucket]:
        family = OPERATIONS.get(operation, "other") if service == "ecs" else service if service in FAMILIES else "other"
        return family, self._buckets[family]

    def acquire(self, service: str, operation: str) -> TokenBucket:
        family, bucket = self.bucket(service, operation)
        self._waited(family, bucket.acquire(URGENCY.get()))
        return bucket
