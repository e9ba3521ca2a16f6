"""What the controller calls, tried where a call changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.aws.probe import Probe, Tried
from controller.doctor.model import DENIED, Finding, Sheet, Verdict

NOBODY = "logroute-doctor-looks-for-nothing"
"""A name that nobody gives: AWS checks the right first, and says then that there is no such thing."""


@dataclass(frozen=True, slots=True)
class Harmless:
    service: str
    operation: str
    resource: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


def everywhere(cluster: str, part: str, region: str, account: str) -> list[Harmless]:
    """The calls that may be tried in any place; `cluster` exists, or is NOBODY."""
    service = f"arn:{part}:ecs:{region}:{account}:service/{cluster}/{NOBODY}"
    deployment = service.replace(":service/", ":service-deployment/") + "/doctor0000000000000000"
    revision = service.replace(":service/", ":service-revision/") + "/1"
    within = f"cluster {cluster}"
    task = "00000000000000000000000000000000"
    return [
        Harmless("ecs", "ListClusters", "all clusters", {"maxResults": 1}),
        Harmless("ecs", "ListServices", within, {"cluster": cluster, "maxResults": 1}),
        Harmless("ecs", "DescribeServices", within, {"cluster": cluster, "services": [NOBODY]}),
        Harmless("ecs", "ListTasks", within, {"cluster": cluster, "maxResults": 1}),
        Harmless("ecs", "DescribeTasks", within, {"cluster": cluster, "tasks": [task]}),
        Harmless("ecs", "ListServiceDeployments", within, {"service": service, "cluster": cluster}),
        Harmless("ecs", "DescribeServiceDeployments", within, {"serviceDeploymentArns": [deployment]}),
        Harmless("ecs", "DescribeServiceRevisions", within, {"serviceRevisionArns": [revision]}),
        Harmless("ecs", "ListTaskDefinitionFamilies", "all families", {"maxResults": 1}),
        Harmless("ecs", "ListTaskDefinitions", "all families", {"familyPrefix": NOBODY, "maxResults": 1}),
        Harmless("ecs", "DescribeTaskDefinition", "all families", {"taskDefinition": NOBODY}),
        Harmless("logs", "DescribeLogGroups", "log groups", {"limit": 1}),
    ]


JOBS = (
    Harmless("events", "ListRules", "all rules", {"Limit": 1}),
    Harmless("scheduler", "ListSchedules", "all schedules", {"MaxResults": 1}),
)
"""What routes with taskFamilies need."""
CODEDEPLOY = (Harmless("codedeploy", "ListApplications", "all applications"),)
"""What services under CODE_DEPLOY need."""


def tried(sheet: Sheet, probe: Probe, calls: Iterable[Harmless], only_for: str = "") -> Iterator[Finding]:
    """One line for what may be called, and one for each that may not. `only_for`: who alone needs these."""
    allowed: list[str] = []
    for call in calls:
        one = probe.call(call.service, call.operation, call.resource, **call.arguments)
        if _allowed(one):
            allowed.append(call.name)
        elif one.error:
            found = sheet.failed("permissions", one.error)
            if only_for:
                found = replace(found, verdict=Verdict.WARN, hint=f"{found.hint}; {only_for} alone need it")
            yield found
    if allowed:
        yield sheet.ok("permissions", f"allowed are {', '.join(allowed)}")


def _allowed(one: Tried) -> bool:
    """That a thing is not there is said to those alone who may ask."""
    return one.error is None or not (one.denied or one.code in DENIED or one.unanswered or _throttled(one))


def _throttled(one: Tried) -> bool:
    return "Throttl" in one.code or one.code in ("RequestLimitExceeded", "SlowDown")
