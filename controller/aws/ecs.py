"""ECS through botocore, as ports.Ecs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

import orjson

from controller.aws.calls import Caller
from controller.aws.ports import AwsError, SdkTooOld, Services
from controller.aws.revisions import RevisionCache

DESCRIBE_SERVICES = 10
DESCRIBE_REVISIONS = 20
LIST_PAGE = 100
"""Most names in one call, most rows in a list page (Amazon ECS API reference)."""
NO_SUCH_OPERATION = frozenset(
    {"UnknownOperationException", "InvalidAction", "NotImplemented", "501", "500", "ResponseParserError"}
)
"""How endpoints that stand in for ECS say that they lack an operation. ECS's own 500 has a name, so it is not
"500", which is botocore's word for an answer without one (moto's HTML page).
"""


class BotoEcs:
    """ECS in one account and region."""

    def __init__(self, call: Caller, cache: RevisionCache | None = None) -> None:
        """`cache` may hold what AWS itself says; ARNs of an endpoint that stands in for AWS mean something else."""
        self._call = call
        self._raw = threading.local()
        self._heard: tuple[float, float] | None = None
        self._stands_in = "amazonaws.com" not in call.client.meta.endpoint_url
        self._cache = RevisionCache() if cache is None or self._stands_in else cache
        events = call.client.meta.events
        events.register("before-parse.ecs.DescribeTaskDefinition", self._keep_raw)
        events.register("before-parse.ecs", self._keep_time)
        self._shape = call.client.meta.service_model.operation_model("DescribeTaskDefinition").output_shape

    def now(self) -> float:
        if self._heard is None:
            return time.time()
        said, at = self._heard
        return said + time.monotonic() - at

    def list_clusters(self) -> list[str]:
        arns = self._pages("ListClusters", "clusters", "clusterArns")
        return [arn.rsplit("/", 1)[-1] for arn in arns]

    def list_services(self, cluster: str) -> list[str]:
        return list(self._pages("ListServices", f"cluster {cluster}", "serviceArns", cluster=cluster))

    def describe_services(self, cluster: str, names: Iterable[str]) -> Services:
        found: list[dict[str, Any]] = []
        missing: list[str] = []
        left = iter(names)
        while some := list(islice(left, DESCRIBE_SERVICES)):
            answer = self._call(
                "DescribeServices",
                f"cluster {cluster}",
                expects="services",
                cluster=cluster,
                services=some,
                include=["TAGS"],
            )
            found += answer["services"]
            missing += [row.get("arn", "").rsplit("/", 1)[-1] for row in answer.get("failures", ())]
        return Services(tuple(found), tuple(missing))

    def describe_task_definition(self, reference: str, *, cached: bool = True) -> dict[str, Any]:
        full = reference.startswith("arn:") and reference.rsplit(":", 1)[-1].isdigit()
        if cached and full and (known := self._cache.get(reference)):
            return known
        answer = self._call(
            "DescribeTaskDefinition",
            f"task definition {reference}",
            expects="taskDefinition",
            taskDefinition=reference,
            include=["TAGS"],
        )
        self._refuse_unknown_fields(reference)
        kept = {"taskDefinition": answer["taskDefinition"], "tags": answer.get("tags") or []}
        self._cache.put(answer["taskDefinition"]["taskDefinitionArn"], kept)
        return kept

    def list_families(self, prefix: str) -> list[str]:
        narrowed = {"familyPrefix": prefix} if prefix else {}
        named = f"families {prefix}*"
        return list(self._pages("ListTaskDefinitionFamilies", named, "families", status="ACTIVE", **narrowed))

    def latest_revisions(self, family: str, most: int = 1) -> list[str]:
        answer = self._call(
            "ListTaskDefinitions",
            f"family {family}",
            expects="taskDefinitionArns",
            familyPrefix=family,
            status="ACTIVE",
            sort="DESC",
            maxResults=most,
        )
        return [str(arn) for arn in answer["taskDefinitionArns"]]

    def active_revisions(self) -> Iterator[str]:
        return self._pages("ListTaskDefinitions", "all families", "taskDefinitionArns", status="ACTIVE")

    def deregister_task_definition(self, arn: str) -> None:
        self._call("DeregisterTaskDefinition", f"task definition {arn}", expects="taskDefinition", taskDefinition=arn)

    def register_task_definition(self, body: dict[str, Any]) -> str:
        family = f"family {body.get('family')}"
        answer = self._call("RegisterTaskDefinition", family, expects="taskDefinition", repeatable=False, **body)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def update_service(self, cluster: str, service: str, task_definition: str) -> dict[str, Any]:
        """Repeatable: the same revision again changes nothing and starts no deployment."""
        answer = self._call(
            "UpdateService",
            f"service {cluster}/{service}",
            expects="service",
            cluster=cluster,
            service=service,
            taskDefinition=task_definition,
        )
        described: dict[str, Any] = answer["service"]
        return described

    def service_deployments(self, cluster: str, service: str) -> list[dict[str, Any]] | None:
        try:
            answer = self._call(
                "ListServiceDeployments",
                f"service {cluster}/{service}",
                expects="serviceDeployments",
                final=NO_SUCH_OPERATION,
                cluster=cluster,
                service=service,
                maxResults=20,
            )
        except AwsError as error:
            if error.code in NO_SUCH_OPERATION:
                return None if self._stands_in else []
            raise
        return sorted(answer["serviceDeployments"], key=lambda row: _seconds(row.get("createdAt")), reverse=True)

    def revisions_of_services(self, arns: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        left = iter(dict.fromkeys(arns))
        while some := list(islice(left, DESCRIBE_REVISIONS)):
            answer = self._call(
                "DescribeServiceRevisions",
                f"service revision {some[0]}",
                expects="serviceRevisions",
                serviceRevisionArns=some,
            )
            found |= {row["serviceRevisionArn"]: row["taskDefinition"] for row in answer["serviceRevisions"]}
        return found

    def definitions_of_tasks(self, cluster: str) -> set[str]:
        where = f"cluster {cluster}"
        left = self._pages("ListTasks", where, "taskArns", cluster=cluster)
        found: set[str] = set()
        while some := list(islice(left, LIST_PAGE)):
            answer = self._call("DescribeTasks", where, expects="tasks", cluster=cluster, tasks=some)
            found |= {row["taskDefinitionArn"] for row in answer["tasks"]}
        return found

    def definitions_rolled_out(self, cluster: str, service: str, since: float) -> set[str]:
        where, names = f"service {cluster}/{service}", {"cluster": cluster, "service": service}
        when = {"createdAt": {"after": datetime.fromtimestamp(since, UTC)}}
        try:
            left = self._pages("ListServiceDeployments", where, "serviceDeployments", **names, **when)
            briefs = iter([row["serviceDeploymentArn"] for row in left])
        except AwsError as error:
            if error.code in NO_SUCH_OPERATION:
                return set()
            raise
        revisions: set[str] = set()
        while some := list(islice(briefs, DESCRIBE_REVISIONS)):
            answer = self._call(
                "DescribeServiceDeployments", where, expects="serviceDeployments", serviceDeploymentArns=some
            )
            for row in answer["serviceDeployments"]:
                sides = (*row.get("sourceServiceRevisions", ()), row.get("targetServiceRevision") or {})
                revisions |= {side["arn"] for side in sides if "arn" in side}
        return set(self.revisions_of_services(sorted(revisions)).values())

    def tasks(self, cluster: str, service: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for status in ("RUNNING", "STOPPED"):
            listed = self._call(
                "ListTasks",
                f"service {cluster}/{service}",
                expects="taskArns",
                cluster=cluster,
                serviceName=service,
                desiredStatus=status,
            )
            if arns := listed["taskArns"]:
                described = self._call(
                    "DescribeTasks", f"service {cluster}/{service}", expects="tasks", cluster=cluster, tasks=arns
                )
                found += described["tasks"]
        return found

    def _pages(self, operation: str, resource: str, field: str, **arguments: Any) -> Iterator[Any]:
        token: dict[str, Any] = {}
        while True:
            answer = self._call(operation, resource, expects=field, maxResults=LIST_PAGE, **arguments, **token)
            yield from answer[field]
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}

    def _keep_time(self, response_dict: dict[str, Any], **_: Any) -> None:
        with suppress(KeyError, TypeError, ValueError):
            said = parsedate_to_datetime(response_dict["headers"]["Date"]).timestamp()
            self._heard = said, time.monotonic()

    def _keep_raw(self, response_dict: dict[str, Any], **_: Any) -> None:
        self._raw.body = response_dict.get("body", b"")

    def _refuse_unknown_fields(self, reference: str) -> None:
        """Botocore drops members that it does not know; a re-register would lose them for good."""
        try:
            raw = orjson.loads(self._raw.body)
        except (AttributeError, orjson.JSONDecodeError):
            return
        unknown = sorted(set(unknown_members(raw, self._shape)))
        if unknown:
            raise SdkTooOld(
                "ecs:DescribeTaskDefinition",
                f"task definition {reference}",
                "SdkTooOld",
                f"ECS answered fields that this botocore does not know: {', '.join(unknown)}",
                "Update boto3 and botocore: a new revision made without them would lose these fields",
            )


def unknown_members(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """Paths of members of `value` that `shape` has no name for."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield from unknown_members(member, shape.members[name], f"{path}.{name}" if path else name)
            elif name != "__type":
                yield f"{path}.{name}" if path else name
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from unknown_members(item, shape.member, f"{path}[]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, item in value.items():
            yield from unknown_members(item, shape.value, f"{path}.{name}")


def _seconds(at: Any) -> float:
    """Since the epoch: a number where timestamps are left as they came, else botocore's datetime."""
    return float(at.timestamp() if hasattr(at, "timestamp") else at or 0)
