"""`iam:SimulatePrincipalPolicy`, answered as AWS answers it. Pure.

IAM API reference, "SimulatePrincipalPolicy" and "EvaluationResult". Condition keys are taken from the request alone:
one that a policy asks for and that is not given is named as missing, and whoever reads the answer does not know.
Positions within policies, organizations and resource policies are not told of.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from controller.sandbox.iam.gate import Attached, Rights
from controller.sandbox.iam.policies import Asked, Context, Decision, decide, matching, missing, statements_of

Form = Mapping[str, str]
"""Of the query protocol: `ActionNames.member.1`."""

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_SOURCE = re.compile(r"arn:[\w-]+:iam::\d{12}:(role|user)/(?:.*/)?([\w+=,.@-]+)")
_LEFT_OUT = ("PolicyExclusionList", "ResourcePolicy", "ResourceOwner", "CallerArn", "ResourceHandlingOption")
_MOST = 1000  # results on a page (the member MaxItems)


class SimulationError(Exception):
    """The call is refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class _Verdict:
    decision: Decision
    matched: tuple[Attached, ...]
    missing: tuple[str, ...]
    in_boundary: bool | None
    """None: there is no boundary."""


def source_of(form: Form, account: str) -> str:
    """The ARN whose rights are asked for. Raises SimulationError where it is no role's and no user's of the account."""
    arn = form.get("PolicySourceArn", "")
    found = _SOURCE.fullmatch(arn)
    if found is None:
        raise _invalid(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    if arn.split(":")[4] != account:
        raise nobody(arn)
    return arn


def nobody(arn: str) -> SimulationError:
    kind, name = arn.split(":", 5)[5].split("/", 1)
    return SimulationError(404, "NoSuchEntity", f"The {kind} with name {name.rsplit('/', 1)[-1]} cannot be found.")


def simulate(form: Form, rights: Rights) -> dict[str, Any]:
    """The members of SimulatePrincipalPolicyResult. Raises SimulationError."""
    if odd := next((one for one in _LEFT_OUT if any(key.split(".")[0] == one for key in form)), None):
        raise _invalid(f"The sandbox simulates without {odd}: leave it out.")
    actions, resources = _members(form, "ActionNames"), _members(form, "ResourceArns") or ("*",)
    if wrong := next((one for one in actions if not _ACTION.fullmatch(one)), None):
        raise _invalid(f"Action {wrong} is not valid: an action is named as service:operation, without wildcards.")
    if not actions:
        raise _invalid("ActionNames names no action.")
    rights, context = _with_given(form, rights), _context(form)
    try:
        results = [_result(rights, action, resources, context) for action in actions]
    except NotImplementedError as error:
        raise SimulationError(500, "PolicyEvaluation", f"The sandbox does not know {error}.") from error
    return _page(form, results)


def _invalid(message: str) -> SimulationError:
    return SimulationError(400, "InvalidInput", message)


def _members(form: Form, name: str) -> tuple[str, ...]:
    """A list, in the order of its numbers."""
    prefix = f"{name}.member."
    numbered = {int(key.removeprefix(prefix)): value for key, value in form.items() if _is_member(key, prefix)}
    return tuple(numbered[number] for number in sorted(numbered))


def _is_member(key: str, prefix: str) -> bool:
    return key.startswith(prefix) and key.removeprefix(prefix).isdecimal()


def _context(form: Form) -> Context:
    """A list type stays a list, whatever its length: quantifiers see it so."""
    found: dict[str, str | tuple[str, ...]] = {}
    number = 1
    while name := form.get(f"ContextEntries.member.{number}.ContextKeyName"):
        entry = f"ContextEntries.member.{number}"
        values = _members(form, f"{entry}.ContextKeyValues")
        several = form.get(f"{entry}.ContextKeyType", "string").endswith("List")
        if not several and len(values) != 1:
            raise _invalid(f"The context key {name} needs one value; it has {len(values)}.")
        found[name.lower()] = values if several else values[0]
        number += 1
    return found


def _with_given(form: Form, rights: Rights) -> Rights:
    """Policies in the request join those that are attached; a boundary in it takes the place of the attached one."""
    given = tuple(
        Attached(f"PolicyInputList.{number}", "none", _document(text))
        for number, text in enumerate(_members(form, "PolicyInputList"), 1)
    )
    boundaries = _members(form, "PermissionsBoundaryPolicyInputList")
    boundary = _document(boundaries[0]) if boundaries else rights.boundary
    return Rights((*rights.policies, *given), boundary)


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"A policy in the request is no JSON: {error}.") from error
    if not isinstance(found, dict) or not all(_is_statement(one) for one in statements_of(found)):
        raise _invalid("A policy in the request has no statements with Effect, Action and Resource each.")
    return found


def _is_statement(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.get("Effect") in ("Allow", "Deny")
        and ("Action" in found or "NotAction" in found)
        and ("Resource" in found or "NotResource" in found)
    )


_WORST_FIRST = (Decision.DENIED, Decision.NOT_ALLOWED, Decision.ALLOWED)


def _worst(decisions: Collection[Decision]) -> Decision:
    return next(one for one in _WORST_FIRST if one in decisions)


def _verdict(rights: Rights, asked: Asked) -> _Verdict:
    """What matched is told of the attached policies alone, as far as it is what decided."""
    decision = decide(rights.documents, asked)
    effect = "Deny" if decision is Decision.DENIED else "Allow"
    matched = tuple(
        one for one in rights.policies for found in matching(one.document, asked) if found["Effect"] == effect
    )
    bounds = [] if rights.boundary is None else [rights.boundary]
    bounded = [decide([one], asked) for one in bounds]
    keys = sorted({key for one in (*rights.documents, *bounds) for key in missing(one, asked)})
    in_boundary = bounded[0] is Decision.ALLOWED if bounded else None
    return _Verdict(_worst([decision, *bounded]), matched, tuple(keys), in_boundary)


def _result(rights: Rights, action: str, resources: Iterable[str], context: Context) -> dict[str, Any]:
    """Of several resources, the worst decision stands for the action; without any, what is missing stands there too."""
    by_resource = {one: _verdict(rights, Asked(action, one, context)) for one in resources}
    decision = _worst([one.decision for one in by_resource.values()])
    worst = next(one for one in by_resource.values() if one.decision is decision)
    everywhere = set(by_resource) == {"*"}
    return {
        "EvalActionName": action,
        "EvalResourceName": "*",
        "EvalDecision": str(decision),
        **_details(worst, worst.missing if everywhere else ()),
        "ResourceSpecificResults": []
        if everywhere
        else [
            {"EvalResourceName": name, "EvalResourceDecision": str(one.decision), **_details(one, one.missing)}
            for name, one in by_resource.items()
        ],
    }


def _details(verdict: _Verdict, keys: Iterable[str]) -> dict[str, Any]:
    matched = [{"SourcePolicyId": one.source, "SourcePolicyType": one.kind} for one in verdict.matched]
    found: dict[str, Any] = {"MatchedStatements": matched, "MissingContextValues": list(keys)}
    if verdict.in_boundary is not None:
        allowed = str(verdict.in_boundary).lower()
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return found


def _page(form: Form, results: list[dict[str, Any]]) -> dict[str, Any]:
    """A marker is the number of results before the page."""
    start, most = form.get("Marker", "0"), form.get("MaxItems", str(_MOST))
    if not (start.isdecimal() and most.isdecimal() and 1 <= int(most) <= _MOST):
        raise _invalid(f"MaxItems {most} or Marker {start} is not valid.")
    end = int(start) + int(most)
    more = {"Marker": str(end)} if end < len(results) else {}
    return {
        "EvaluationResults": results[int(start) : end],
        "IsTruncated": "true" if more else "false",
        **more,
    }
