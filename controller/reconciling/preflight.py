"""Rights before rollout: whether the roles of a task may do what its router will, asked before it is registered.

What is denied for sure, or not there, holds the service. What nobody can tell is said, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from controller.api.conditions import Reason
from controller.aws.ports import AwsError, Destinations, NotFound
from controller.desired.model import ConfigStore
from controller.permissions.controller import Store
from controller.permissions.destinations import Where
from controller.permissions.preflight import Answer, Answers, Judgement, Question, Unanswered, judge, questions, told
from controller.permissions.targets import Place, Target, targets
from controller.permissions.tasks import CONFIG, Need, needs
from controller.planning.model import Because, Hold, Kind, ServicePlan
from controller.reconciling.rights import BELIEVED, LOOK_AGAIN, Rights
from controller.specs.model import Route
from controller.taskdef.body import Body

Mode = Literal["enforce", "warn", "off"]
MOST = 60
"""Roles that a plan asks about, which takes a minute. The controller asks about each before it registers."""


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
    """Of one account: roles are of no region. Thread-safe. `now`: any clock in seconds."""

    mode: Mode
    rights: Rights
    destinations: Destinations
    now: Callable[[], float]
    most: int | None = None
    """Roles to ask about; None: all."""
    _seen: dict[Place, tuple[str, float]] = field(default_factory=dict)
    """What is wrong with a destination, and until when that is believed."""

    def check(self, plan: ServicePlan, routes: Iterable[Route], store: ConfigStore, *, ask: bool) -> ServicePlan:
        """`routes`: that select the service. `ask` False: only what is known counts."""
        desired, body = plan.desired, plan.after
        if self.mode == "off" or plan.kind is not Kind.ROUTE or plan.hold or body is None or desired is None:
            return plan
        task, mine = Task.of(plan.base, body), [one for one in routes if one.key in desired.routes]
        there, family = Store(store.bucket, store.prefix), str(body["family"])
        named = {config.name for config in desired.configs}
        every = (need for route in mine for need in needs(route, there, task.where, family=family))
        wanted = [need for need in every if need.part != CONFIG or need.resources[0].rpartition("/")[2] in named]
        kept = {group.name for group in desired.log_groups}
        aims = [one for route in mine for one in targets(route, task.where.region) if one.place.name not in kept]
        lost = [one for one in dict.fromkeys(aims) if self._wrong(one.place, ask=ask)]
        return self._under(plan, self._judged(wanted, task, ask=ask), lost)

    def _under(self, plan: ServicePlan, judgement: Judgement, lost: Sequence[Target]) -> ServicePlan:
        """Without a secret no task starts. Without a bucket its records are lost, and the task runs: that is said."""
        wrong = [Because(Reason.PERMISSIONS_MISSING, told(judgement.lacks))] if judgement.lacks else []
        said = {one: Because(Reason.DESTINATION_MISSING, f"{one} {self._seen[one.place][0]}") for one in lost}
        wrong += [because for one, because in said.items() if one.place.kind == "secret"]
        hints = [because for because in said.values() if because not in wrong]
        hints += [Because(Reason.PERMISSIONS_UNKNOWN, why) for why in judgement.unknown]
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

    def _wrong(self, place: Place, *, ask: bool) -> str:
        """Why nothing can be written there, or read; "" where it is well, or nobody knows."""
        why, until = self._seen.get(place, ("", 0.0))
        if self.now() >= until and ask:
            why = self._looked_at(place)
            self._seen[place] = (why, self.now() + (LOOK_AGAIN if why else BELIEVED))
        return why

    def _looked_at(self, place: Place) -> str:
        look = self.destinations
        try:
            if place.kind == "bucket":
                there = look.bucket_region(place.name)
                wrong = f"is in {there}, and the output writes to {place.region}: set its region"
                return wrong if there != place.region else ""
            find = {
                "delivery stream": look.delivery_stream,
                "stream": look.stream,
                "secret": look.secret,
                "log group": look.log_group,
            }[place.kind]
            find(place.name, place.region)
        except NotFound:
            return f"does not exist in {place.region}"
        except AwsError:
            return ""
        return ""
