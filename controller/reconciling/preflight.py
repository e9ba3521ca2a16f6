"""Rights before rollout: whether the roles of a task may do what its router will, asked before it is registered.

What is denied for sure, or not there, holds the service. What nobody can tell is said, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from controller.api.conditions import Reason
from controller.desired.model import ConfigStore
from controller.permissions.controller import Store
from controller.permissions.destinations import Where
from controller.permissions.preflight import Answer, Answers, Judgement, Question, Unanswered, judge, questions, told
from controller.permissions.targets import Place, Target, targets
from controller.permissions.tasks import CONFIG, Need, needs
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.destinations import DestinationWatch, Seen
from controller.reconciling.rights import Rights
from controller.specs.model import Route
from controller.taskdef.body import Body

Mode = Literal["enforce", "warn", "off"]
MOST = 60
"""Roles that a plan asks about, which takes a minute. The controller asks about each before it registers."""
KMS = "whether the role may use that key (kms:Decrypt, and to write kms:GenerateDataKey) is not known: its policy says"


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its router in it. `roles`: `task` and `execution` → ARN."""

    where: Where
    roles: Mapping[str, str]
    on_instances: bool

    @classmethod
    def of(cls, base: str, body: Body) -> Task:
        """`base`: ARN of the revision that `body` is derived from. A role may be given by its name."""
        _, part, _, region, account, _ = base.split(":", 5)
        found = {"task": body.get("taskRoleArn"), "execution": body.get("executionRoleArn")}
        short = f"arn:{part}:iam::{account}:role/"
        roles = {kind: role if role.startswith("arn:") else short + role for kind, role in found.items() if role}
        fargate = "FARGATE" in (body.get("requiresCompatibilities") or ())
        return cls(Where(part, account, region), roles, on_instances=not fargate)


@dataclass(slots=True)
class Preflight:
    """Of one account: roles are of no region. Thread-safe."""

    mode: Mode
    rights: Rights
    destinations: DestinationWatch
    most: int | None = None
    """Roles to ask about; None: all."""

    def check(self, plan: ServicePlan, routes: Iterable[Route], store: ConfigStore, *, ask: bool) -> ServicePlan:
        """`routes`: that select the service. `ask` False: only what is known counts."""
        desired, body = plan.desired, plan.after
        if self.mode == "off" or plan.kind is not Kind.ROUTE or plan.hold or body is None or desired is None:
            return plan
        task, mine = Task.of(plan.base, body), [one for one in routes if one.key in desired.routes]
        there, family = Store(store.bucket, store.prefix), str(body["family"])
        named = {config.name for config in desired.configs}
        every = (need for route in mine for need in needs(route, there, task.where, family=family))
        read = (one for one in every if one.part != CONFIG or one.resources[0].rpartition("/")[2] in named)
        wanted = [need for need in read if not need.helps]
        kept = {group.name for group in desired.log_groups}
        aims = [one for route in mine for one in targets(route, task.where.region) if one.place.name not in kept]
        if desired.configs and mine:
            aims.append(Target(Place("bucket", store.bucket, ""), CONFIG, mine[0].key))
        seen = {one: self.destinations.of(one.place, ask=ask) for one in dict.fromkeys(aims)}
        return self._under(plan, self._judged(wanted, task, ask=ask), seen)

    def _under(self, plan: ServicePlan, judgement: Judgement, seen: Mapping[Target, Seen]) -> ServicePlan:
        """Without a secret no task starts. Without a bucket its records are lost, and the task runs: that is said."""
        wrong = [Because(Reason.PERMISSIONS_MISSING, told(judgement.lacks))] if judgement.lacks else []
        lost = {one: found.wrong for one, found in seen.items() if found.wrong}
        said = {one: Because(Reason.DESTINATION_MISSING, f"{one} {why}") for one, why in lost.items()}
        wrong += [because for one, because in said.items() if one.place.kind == "secret"]
        hints = [because for because in said.values() if because not in wrong]
        keys = (f"{one} is encrypted with {found.key}: {KMS}" for one, found in seen.items() if found.key)
        hints += [Because(Reason.PERMISSIONS_UNKNOWN, why) for why in (*judgement.unknown, *keys)]
        holding = wrong[:1] if self.mode == "enforce" else []
        plan = replace(plan, hints=(*plan.hints, *wrong[len(holding) :], *hints))
        for one in holding:
            plan = plan.held_by(Hold(one.reason, one.message, self.rights.patience()))
        return plan

    def _judged(self, wanted: Sequence[Need], task: Task, *, ask: bool) -> Judgement:
        by_role: dict[str, dict[Question, None]] = {}
        for one in questions(wanted, task.roles):
            by_role.setdefault(one.role, {})[one] = None
        answers: dict[Question, Answer | Unanswered] = {}
        for role, some in by_role.items():
            found = self._answers(role, tuple(some), task.where.account, ask=ask)
            if found is None:
                return Judgement(())
            answers.update(found)
        return judge(wanted, task.roles, answers, instance_role=task.on_instances)

    def _answers(self, role: str, some: Sequence[Question], account: str, *, ask: bool) -> Answers | None:
        found = self.rights.known(role, some)
        if found is not None or not ask:
            return found
        if self.most is not None:
            if self.most <= 0:
                return dict.fromkeys(
                    some,
                    Unanswered(
                        f"it asks about {MOST} roles at most, and the controller about each before it registers"
                    ),
                )
            self.most -= 1
        return self.rights.asked(role, some, account)
