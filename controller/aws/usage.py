"""Which task definition revisions are in use, through botocore, as ports.Usage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from controller.aws.calls import Caller
from controller.aws.ports import AwsError

PAGE = 100
DESCRIBE = 20
"""Most rows of a list page and most tasks at once; most service deployments, or service revisions (Amazon ECS API
reference).
"""


class BotoUsage:
    def __init__(self, call: Caller) -> None:
        self._call = call

    def active_revisions(self) -> Iterator[str]:
        return self._pages("ListTaskDefinitions", "task definitions", "taskDefinitionArns", status="ACTIVE")

    def running(self, cluster: str) -> set[str]:
        found: set[str] = set()
        named = f"cluster {cluster}"
        tasks = self._pages("ListTasks", named, "taskArns", cluster=cluster, desiredStatus="RUNNING")
        while some := list(islice(tasks, PAGE)):
            answer = self._call("DescribeTasks", named, expects="tasks", cluster=cluster, tasks=some)
            found |= {str(one["taskDefinitionArn"]) for one in answer["tasks"]}
        return found

    def deployed(self, cluster: str, service: str) -> set[str]:
        named = f"service {cluster}/{service}"
        rows = self._rows("ListServiceDeployments", named, "serviceDeployments", cluster=cluster, service=service)
        deployments = iter([str(row["serviceDeploymentArn"]) for row in rows])
        revisions: set[str] = set()
        while some := list(islice(deployments, DESCRIBE)):
            answer = self._call(
                "DescribeServiceDeployments", named, expects="serviceDeployments", serviceDeploymentArns=some
            )
            for row in answer["serviceDeployments"]:
                revisions |= set(_revisions(row))
        return self._definitions(named, revisions)

    def deregister(self, arn: str) -> None:
        self._call("DeregisterTaskDefinition", f"task definition {arn}", expects="taskDefinition", taskDefinition=arn)

    def _definitions(self, named: str, revisions: set[str]) -> set[str]:
        found: dict[str, str] = {}
        left = iter(sorted(revisions))
        while some := list(islice(left, DESCRIBE)):
            answer = self._call("DescribeServiceRevisions", named, expects="serviceRevisions", serviceRevisionArns=some)
            found |= {str(row["serviceRevisionArn"]): str(row["taskDefinition"]) for row in answer["serviceRevisions"]}
        if missing := sorted(revisions - found.keys()):
            what = f"a service deployment names {missing[0]}, which is not there"
            raise AwsError("ecs:DescribeServiceRevisions", named, "Missing", what)
        return set(found.values())

    def _pages(self, operation: str, resource: str, field: str, **arguments: Any) -> Iterator[str]:
        return (str(row) for row in self._rows(operation, resource, field, **arguments))

    def _rows(self, operation: str, resource: str, field: str, **arguments: Any) -> Iterator[Any]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(operation, resource, expects=field, maxResults=PAGE, **arguments, **token)
            yield from answer[field]
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}


def _revisions(deployment: dict[str, Any]) -> Iterator[str]:
    """What it brought out, what it took the place of, and what it went back to."""
    places = [deployment.get("targetServiceRevision"), *(deployment.get("sourceServiceRevisions") or ())]
    arns = (str((one or {}).get("arn", "")) for one in places)
    yield from (arn for arn in (*arns, str((deployment.get("rollback") or {}).get("serviceRevisionArn", ""))) if arn)
