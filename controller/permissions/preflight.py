"""Do the roles of a task have the rights that its router needs? Pure: what to ask IAM, and what its answers mean.

IAM's simulator sees a role's own policies, its boundary and those of the organization; not the policies of buckets,
keys and secrets. What it cannot know is unknown, and no reason to stop (IAM API reference, SimulatePrincipalPolicy).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from controller.permissions.policy import Statement
from controller.permissions.tasks import Need, fold

NAMES = {"task": "a task role (taskRoleArn)", "execution": "an execution role (executionRoleArn)"}
OWN_POLICIES = ("es:", "aoss:", "kafka-cluster:")
"""Services where the resource's own policy is the usual way to give a right."""


class Decision(StrEnum):
    """IAM's words."""

    ALLOWED = "allowed"
    DENIED = "explicitDeny"
    NOT_ALLOWED = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Question:
    """`role` and `resource` are ARNs."""

    role: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Answer:
    decision: Decision
    missing: tuple[str, ...] = ()
    """Condition keys that policies ask for and that only a real request has."""
    by: str = ""
    """What denies it, where that is not the role's own policies."""

    @property
    def certain(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True)
class Unanswered:
    """IAM was asked in vain."""

    why: str


Answers = Mapping[Question, Answer | Unanswered]


@dataclass(frozen=True, slots=True)
class Lack:
    """`role`: an ARN, or "" where the task has none. `why` is for people."""

    role: str
    need: Need
    actions: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`unknown`: what nobody can tell, for people, each once."""

    lacks: tuple[Lack, ...]
    unknown: tuple[str, ...] = ()


def questions(needs: Iterable[Need], roles: Mapping[str, str]) -> Iterator[Question]:
    """`roles`: `task` and `execution` → ARN; one that the task has not is not there."""
    for need in needs:
        if role := _role_of(need, roles):
            for resource in need.asks or need.resources:
                yield from (Question(role, action, resource) for action in need.actions)


def _role_of(need: Need, roles: Mapping[str, str]) -> str:
    return roles.get(need.role, "") if need.role in NAMES else need.role


def judge(
    needs: Iterable[Need], roles: Mapping[str, str], answers: Answers, *, instance_role: bool = False
) -> Judgement:
    """`answers`: to all `questions`. `instance_role`: the tasks run on instances, whose role pulls images and writes
    logs where there is no execution role (Amazon ECS developer guide, "task execution IAM role").
    """
    lacks: list[Lack] = []
    unknown: dict[tuple[str, str], list[str]] = defaultdict(list)
    for need in needs:
        role = _role_of(need, roles)
        if not role:
            if need.actions and not (instance_role and need.role == "execution" and need.part not in OWN):
                lacks.append(Lack("", need, need.actions))
            continue
        verdicts = {action: _verdict(need, role, action, answers) for action in need.actions}
        lacks += _lacks(role, need, verdicts)
        for action, why in verdicts.items():
            if isinstance(why, str) and why:
                unknown[role, why].append(f"{action} for {need.part} of {need.route}")
    said = (
        f"whether {_who(role)} may {', '.join(dict.fromkeys(what))} is not known: {why}"
        for (role, why), what in unknown.items()
    )
    return Judgement(tuple(lacks), tuple(said))


OWN = ("a secret", "a parameter")
"""What an execution role alone may fetch."""
Verdict = Answer | str
"""A denial, or why nobody knows; "" where it is allowed."""


def _verdict(need: Need, role: str, action: str, answers: Answers) -> Verdict:
    """A right on one of what is asked about is enough."""
    found = [answers[Question(role, action, resource)] for resource in need.asks or need.resources]
    if any(isinstance(one, Answer) and one.decision is Decision.ALLOWED and one.certain for one in found):
        return ""
    first = found[0] if found else Unanswered("nothing can be asked about")
    if isinstance(first, Unanswered):
        return first.why
    if not first.certain:
        return f"it depends on {', '.join(first.missing)}"
    if not need.asks:
        return f"{', '.join(need.resources)} differs by task or record, and is not allowed as a whole"
    if action.startswith(OWN_POLICIES) and first.decision is Decision.NOT_ALLOWED:
        return "the resource's own policy may allow it"
    return first


def _lacks(role: str, need: Need, verdicts: Mapping[str, Verdict]) -> Iterator[Lack]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for action, verdict in verdicts.items():
        if isinstance(verdict, Answer):
            by_reason[_why(verdict)].append(action)
    for why, actions in by_reason.items():
        yield Lack(role, need, tuple(actions), why)


def _why(denial: Answer) -> str:
    return denial.by or ("a policy denies it" if denial.decision is Decision.DENIED else "")


def told(lacks: Sequence[Lack]) -> str:
    """For people, in one line: who lacks what and for what, then the statements that are missing, to be copied."""
    said = "; ".join(dict.fromkeys(_line(one) for one in lacks))
    parts = [f"{said}."]
    for role in dict.fromkeys(one.role for one in lacks if one.role):
        mine = [one for one in lacks if one.role == role]
        if missing := [one for one in mine if not one.why]:
            parts.append(f"Add to {_who(role)}: {policy(missing)}")
        if denied := [one for one in mine if one.why]:
            parts.append(f"Let nothing keep from {_who(role)}: {policy(denied)}")
    if bare := [one for one in lacks if not one.role]:
        for kind in dict.fromkeys(one.need.role for one in bare):
            mine = [one for one in bare if one.need.role == kind]
            parts.append(f"Give the task definition {NAMES[kind]} that has: {policy(mine)}")
    return " ".join(parts)


def _line(lack: Lack) -> str:
    what = f"{', '.join(lack.actions)} on {', '.join(lack.need.resources)} for {lack.need.part} of {lack.need.route}"
    if not lack.role:
        return f"without {NAMES[lack.need.role]} nobody may {what}"
    return f"{_who(lack.role)} may not {what}{f' ({lack.why})' if lack.why else ''}"


def _who(role: str) -> str:
    return role.split(":", 5)[-1]


def policy(lacks: Iterable[Lack]) -> str:
    """The statements that would be enough, as JSON in one line. Without Sids: those must differ within a policy."""
    some: list[Statement] = fold(
        Need(one.need.role, one.actions, one.need.resources, one.need.route, one.need.part) for one in lacks
    )
    plain = [{key: value for key, value in one.as_plain().items() if key != "Sid"} for one in some]
    return orjson.dumps(plain[0] if len(plain) == 1 else plain).decode()


def allows_anyway(policy_of_resource: Mapping[str, Any], role: str, action: str) -> bool:
    """Whether a resource's own policy may give `role` the right: what is said of it by name, or of everybody. The
    account as a principal gives nothing by itself (IAM user guide, "Policy evaluation logic").
    """
    found = policy_of_resource.get("Statement", ())
    statements = [found] if isinstance(found, Mapping) else found
    return any(
        one.get("Effect") == "Allow" and _concerns(one, action) and _names(one.get("Principal"), role)
        for one in statements
        if isinstance(one, Mapping)
    )


def _concerns(statement: Mapping[str, Any], action: str) -> bool:
    service = action.partition(":")[0]
    return "NotAction" in statement or any(
        str(one) == "*" or str(one).lower().startswith(f"{service}:") for one in _many(statement.get("Action", ()))
    )


def _names(principal: Any, role: str) -> bool:
    names = _many(principal.get("AWS", ()) if isinstance(principal, Mapping) else principal or ())
    return any(str(one) in ("*", role) for one in names)


def _many(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]
