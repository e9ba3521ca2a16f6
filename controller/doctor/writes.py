"""Rights to write, which no harmless call proves: IAM's own simulator is asked, where that is allowed.

It sees the role's policies and those of the organization, not those of buckets and keys
(IAM API reference, SimulatePrincipalPolicy).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from controller.aws.probe import Probe
from controller.doctor.identity import Identity
from controller.doctor.model import Finding, Sheet

CHECK = "write-permissions"
TASKS = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Sample:
    """A service that a route names, its family and its roles: the rights are asked for these."""

    service: str
    cluster: str
    family: str
    roles: tuple[str, ...]


def sample(probe: Probe, cluster: str, service: str) -> Sample | None:
    """None where it cannot be read, which other lines say."""
    answer = probe.call("ecs", "DescribeServices", service, cluster=cluster, services=[service]).answer
    found: dict[str, Any] = next(iter(answer.get("services", ())), {})
    body = probe.call("ecs", "DescribeTaskDefinition", service, taskDefinition=found.get("taskDefinition", service))
    definition = body.answer.get("taskDefinition")
    if not definition or "serviceArn" not in found:
        return None
    family = definition["taskDefinitionArn"].rpartition(":")[0] + ":*"
    roles = {definition.get(name) for name in ("taskRoleArn", "executionRoleArn")} - {None}
    return Sample(found["serviceArn"], found.get("clusterArn", ""), family, tuple(sorted(roles)))


def simulated(sheet: Sheet, probe: Probe, who: Identity, one: Sample | None) -> Iterator[Finding]:
    if one is None:
        yield _not_proved(sheet, "no service that routes name can be read")
        return
    asked: list[tuple[str, list[str], dict[str, str]]] = [
        ("ecs:RegisterTaskDefinition", [one.family], {}),
        ("ecs:UpdateService", [one.service], {"ecs:cluster": one.cluster}),
    ]
    if one.roles:
        asked.append(("iam:PassRole", list(one.roles), {"iam:PassedToService": TASKS}))
    source = _principal(probe, who)
    for action, resources, context in asked:
        tried = probe.call(
            "iam",
            "SimulatePrincipalPolicy",
            source,
            PolicySourceArn=source,
            ActionNames=[action],
            ResourceArns=resources,
            ContextEntries=[_entry(name, value) for name, value in context.items()],
        )
        if tried.error or not tried.answer.get("EvaluationResults"):
            yield _not_proved(sheet, f"{tried.operation}: {tried.code or 'no result'}")
            return
        yield _judged(sheet, action, resources, tried.answer["EvaluationResults"])


def _entry(name: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}


def _judged(sheet: Sheet, action: str, resources: list[str], results: list[dict[str, Any]]) -> Finding:
    single = [row for one in results for row in one.get("ResourceSpecificResults") or [one]]
    where = ", ".join(resources)
    denied = [row for row in single if row.get("EvalResourceDecision", row.get("EvalDecision")) != "allowed"]
    if not denied:
        return sheet.ok(CHECK, f"{action} on {where}")
    if unknown := sorted({name for row in denied for name in row.get("MissingContextValues", ())}):
        return _not_proved(sheet, f"{action} on {where} depends on {', '.join(unknown)}")
    hint = f"Allow {action} on {where}: logroute iam controller prints the whole policy"
    return sheet.fail(CHECK, f"{action} on {where} is denied by IAM", hint)


def _not_proved(sheet: Sheet, why: str) -> Finding:
    hint = (
        "RegisterTaskDefinition, UpdateService and PassRole cannot be tried harmlessly: compare the role with "
        "logroute iam controller, or allow iam:SimulatePrincipalPolicy"
    )
    return sheet.warn(CHECK, f"not proved: {why}", hint)


def _principal(probe: Probe, who: Identity) -> str:
    """A session's role. Its ARN may have a path, which the session's has not."""
    part, _, rest = who.arn.partition(":assumed-role/")
    if not rest:
        return who.arn
    name = rest.split("/")[0]
    role = probe.call("iam", "GetRole", name, RoleName=name).answer.get("Role", {})
    return str(role.get("Arn") or f"{part.replace(':sts:', ':iam:')}:role/{name}")
