"""The token buckets that ECS throttles by: one for each account, region and category of operations.

Amazon ECS API reference, "Request throttling for the Amazon ECS API". Everybody in an account draws from the
same buckets. An answer with an error costs a token like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst`: what a full bucket holds; `refill`: tokens a second."""

    burst: int
    refill: int


CATEGORIES: dict[str, tuple[Rate, str]] = {
    "task definition modify": (Rate(20, 1), "RegisterTaskDefinition DeregisterTaskDefinition"),
    "task definition deletion": (Rate(5, 1), "DeleteTaskDefinitions"),
    "task definition read": (
        Rate(50, 20),
        "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies",
    ),
    "service modify": (Rate(50, 5), "CreateService UpdateService DeleteService"),
    "service read": (Rate(100, 20), "DescribeServices ListServices"),
    "service deployment": (Rate(50, 20), "DescribeServiceDeployments ListServiceDeployments"),
    "service revision": (Rate(50, 20), "DescribeServiceRevisions"),
    "cluster read": (Rate(50, 20), "DescribeClusters ListClusters"),
    "cluster modify": (Rate(20, 1), "CreateCluster DeleteCluster UpdateCluster UpdateClusterSettings"),
    "cluster resource read": (
        Rate(100, 20),
        "DescribeTasks ListTasks DescribeContainerInstances ListContainerInstances ListAttributes",
    ),
    "cluster resource modify": (Rate(100, 40), "RunTask StartTask StopTask"),
    "tag modify": (Rate(20, 10), "TagResource UntagResource"),
    "tag read": (Rate(50, 20), "ListTagsForResource"),
}
_RATES = {category: rate for category, (rate, _) in CATEGORIES.items()}
_CATEGORY_OF = {name: category for category, (_, names) in CATEGORIES.items() for name in names.split()}


@dataclass(slots=True)
class Bucket:
    rate: Rate
    level: float
    filled_at: float
    throttled: int = 0

    def take(self, now: float) -> bool:
        self._fill(now)
        if self.level < 1:
            self.throttled += 1
            return False
        self.level -= 1
        return True

    def level_at(self, now: float) -> float:
        self._fill(now)
        return self.level

    def _fill(self, now: float) -> None:
        self.level = min(self.rate.burst, self.level + (now - self.filled_at) * self.rate.refill)
        self.filled_at = now


@dataclass(slots=True)
class Buckets:
    """Those that somebody has drawn from; all others are full."""

    used: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)

    def allow(self, account: str, region: str, operation: str, now: float) -> bool:
        """Take a token. True too for operations whose category has no published rate."""
        category = _CATEGORY_OF.get(operation)
        if category is None:
            return True
        rate = _RATES[category]
        return self.used.setdefault((account, region, category), Bucket(rate, rate.burst, now)).take(now)

    def shown(self, now: float) -> Iterator[dict[str, str | float]]:
        for (account, region, category), bucket in sorted(self.used.items()):
            yield {
                "account": account,
                "region": region,
                "category": category,
                "level": round(bucket.level_at(now), 3),
                "burst": bucket.rate.burst,
                "refill_per_second": bucket.rate.refill,
                "throttled": bucket.throttled,
            }
