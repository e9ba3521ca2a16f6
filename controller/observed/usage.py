"""Which revisions anything in a place runs, or may go back to: services, their deployments of 90 days, tasks.

Per cluster: one ListServices a hundred services, one DescribeServices ten, one ListTasks and one DescribeTasks a
hundred tasks; per service of ECS's own controller one ListServiceDeployments, and one DescribeServiceDeployments and
one DescribeServiceRevisions for twenty of what that finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from controller.aws.ports import Account

AT_ONCE = 10


@dataclass(slots=True)
class InUse:
    """ARNs of revisions. `now`: what services are told to run, and what tasks run. `before`: what service deployments
    of the last 90 days name.
    """

    now: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)


def in_use(account: Account, go_on: Callable[[], None]) -> InUse:
    """Of all clusters, whatever the settings say. `go_on` is called between calls, and may raise. Raises AwsError."""
    found = InUse()
    for cluster in account.ecs.list_clusters():
        for service in _services(account, cluster):
            go_on()
            found.now |= set(_named(service))
            if (service.get("deploymentController") or {}).get("type", "ECS") == "ECS":
                found.before |= account.usage.deployed(cluster, str(service["serviceName"]))
        go_on()
        found.now |= account.usage.running(cluster)
    return found


def _services(account: Account, cluster: str) -> Iterator[Mapping[str, Any]]:
    names = iter([arn.rsplit("/", 1)[-1] for arn in account.ecs.list_services(cluster)])
    while some := list(islice(names, AT_ONCE)):
        yield from account.ecs.describe_services(cluster, some).found


def _named(service: Mapping[str, Any]) -> Iterator[str]:
    rows = (service, *(service.get("deployments") or ()), *(service.get("taskSets") or ()))
    return (str(row["taskDefinition"]) for row in rows if row.get("taskDefinition"))
