"""What IAM says of a role: its simulator, and who may assume it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from controller.aws.calls import Caller
from controller.aws.ports import Simulated

EVERYTHING = "*"


class BotoIam:
    """ports.Iam."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    def simulate(
        self, role: str, actions: Sequence[str], resources: Sequence[str], context: Mapping[str, str]
    ) -> list[Simulated]:
        """Not tried again where there is no answer: nobody waits for what is only a warning then."""
        entries = [
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for name, value in context.items()
        ]
        asked = {"ActionNames": list(actions), "ResourceArns": list(resources), "ContextEntries": entries}
        return [row for page in self._pages(role, asked) for one in page for row in _rows(one, resources)]

    def trust(self, role: str) -> dict[str, Any]:
        answer = self._call("GetRole", role, expects="Role", repeatable=False, RoleName=role.rpartition("/")[2])
        said = answer["Role"].get("AssumeRolePolicyDocument", {})
        found: dict[str, Any] = said if isinstance(said, dict) else orjson.loads(unquote(str(said)))
        return found

    def _pages(self, role: str, asked: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        more: dict[str, Any] = {}
        while True:
            answer = self._call(
                "SimulatePrincipalPolicy",
                role,
                expects="EvaluationResults",
                repeatable=False,
                PolicySourceArn=role,
                **asked,
                **more,
            )
            yield answer["EvaluationResults"]
            if not answer.get("IsTruncated"):
                return
            more = {"Marker": answer["Marker"]}


def _rows(one: Mapping[str, Any], resources: Sequence[str]) -> Iterator[Simulated]:
    """What is asked of single resources is answered for each: one verdict for all of them is no answer."""
    action = str(one.get("EvalActionName", ""))
    by = "" if one.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True) else "the organization"
    for row in one.get("ResourceSpecificResults") or ():
        decision = str(row.get("EvalResourceDecision", ""))
        yield Simulated(action, str(row.get("EvalResourceName", "")), decision, _missing(row), by or _bounded(row))
    if list(resources) == [EVERYTHING]:
        yield Simulated(action, EVERYTHING, str(one.get("EvalDecision", "")), _missing(one), by or _bounded(one))


def _missing(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row.get("MissingContextValues") or ())


def _bounded(row: Mapping[str, Any]) -> str:
    allowed = row.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True)
    return "" if allowed else "its permissions boundary"
