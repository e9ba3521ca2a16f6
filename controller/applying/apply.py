"""One plan made true: object, log group, task definition, service. A crash between any two leaves a world that
the next pass finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.api.kinds import LogGroupSpec
from controller.applying.configs import ConfigShelf, Found
from controller.applying.groups import GroupKeeper
from controller.aws.ports import AccessDenied, Account, AwsError, Throttled, Unreachable
from controller.observed.model import observe
from controller.planning.memory import Held, ServiceMemory, Stage
from controller.planning.model import Because, Kind, ServicePlan
from controller.taskdef.body import Body, register_form
from controller.taskdef.overlay import interchangeable


class Done(StrEnum):
    NOTHING = "nothing"
    WROTE = "wrote"
    MOVED_ON = "moved-on"
    """Somebody changed the service since it was looked at: look again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    done: Done
    revision: str = ""
    said: tuple[Because, ...] = ()


@dataclass(frozen=True, slots=True)
class Applier:
    """Carries plans out in one account and region. `remember` must not return before the record is safe."""

    account: Account
    shelf: ConfigShelf
    groups: GroupKeeper
    recall: Callable[[ServiceKey], ServiceMemory | None]
    remember: Callable[[ServiceKey, ServiceMemory | None], None]
    now: Callable[[], float]

    def carry_out(self, plan: ServicePlan) -> Outcome:
        """Raises AwsError; whatever was done until then stays, and is found by the next pass."""
        if plan.hold:
            return Outcome(Done.NOTHING)
        if plan.kind is Kind.FORGET:
            self.remember(plan.key, None)
        elif plan.kind is Kind.ADOPT:
            return self._adopt(plan)
        elif plan.kind is Kind.WATCH:
            self._watch(plan)
        elif plan.kind is Kind.HOLD_DIGEST:
            self._hold_digest(plan)
        elif plan.changes and plan.after is not None:
            return self._change(plan)
        return Outcome(Done.NOTHING)

    def _change(self, plan: ServicePlan) -> Outcome:
        said = self._prepare(plan)
        if not self._still_so(plan):
            return Outcome(Done.MOVED_ON, said=tuple(said))
        revision = self._revision(plan)
        memory = self._memory(plan, revision, Stage.ASKED)
        self.remember(plan.key, memory)
        if self.recall(plan.key) != memory or not self._still_so(plan):
            # Its state was lost just now, or somebody deployed while we registered: theirs counts.
            return Outcome(Done.MOVED_ON, revision, tuple(said))
        answer = self.account.ecs.update_service(plan.key.cluster, plan.key.service, revision)
        self._rolling(plan.key, memory, answer)
        return Outcome(Done.WROTE, revision, tuple(said))

    def _rolling(self, key: ServiceKey, memory: ServiceMemory, service: Mapping[str, Any]) -> None:
        primary = observe(key, service).primary
        number = primary.id.rsplit("/", 1)[-1] if primary and primary.task_definition == memory.revision else ""
        self.remember(key, replace(memory, stage=Stage.ROLLING, deployment=number))

    def _watch(self, plan: ServicePlan) -> None:
        """Where UpdateService's answer was lost, what it started is found now: a roll-back must be seen as ours."""
        memory = self.recall(plan.key)
        if memory is None or memory.stage is not Stage.ASKED or memory.revision != plan.base:
            return
        for service in self.account.ecs.describe_services(plan.key.cluster, [plan.key.service]).found:
            self._rolling(plan.key, memory, service)

    def _adopt(self, plan: ServicePlan) -> Outcome:
        """Nothing to write in ECS: look after what hangs on it, and remember."""
        said = self._prepare(plan)
        self.remember(plan.key, self._memory(plan, plan.base, Stage.SETTLED))
        return Outcome(Done.NOTHING, plan.base, tuple(said))

    def _prepare(self, plan: ServicePlan) -> list[Because]:
        """What a new task needs before it starts: its config objects, verified, and its log groups."""
        if plan.desired is None:
            return []
        said: list[Because] = []
        for config in plan.desired.configs:
            if self.shelf.put(config) is Found.ALTERED:
                said.append(Because(Reason.CONFIG_ALTERED, f"{config.path} was altered and is put right"))
        made = tuple(LogGroupSpec(name=name) for name in sorted(plan.desired.made_groups))
        return said + self.groups.keep((*plan.desired.log_groups, *made))

    def _still_so(self, plan: ServicePlan) -> bool:
        """ECS has no preconditions: look once more, right before the write, that it is still ours to make."""
        there = self.account.ecs.describe_services(plan.key.cluster, [plan.key.service]).found
        if not there:
            return False
        service = observe(plan.key, there[0])
        primary = service.primary.id if service.primary else ""
        return (service.task_definition, primary) == (plan.base, plan.primary)

    def _revision(self, plan: ServicePlan) -> str:
        """An equal revision that is there already, or a new one. After an ambiguous time-out, look first."""
        assert plan.after is not None  # noqa: S101
        old = self.recall(plan.key)
        if found := self._equal(plan.after, plan.after["family"], *((old.revision, old.base) if old else ())):
            return found
        try:
            return self.account.ecs.register_task_definition(plan.after)
        except Unreachable:
            if found := self._equal(plan.after, plan.after["family"]):
                return found
            raise

    def _equal(self, body: Body, *references: str) -> str:
        """The first ACTIVE revision that is what we would register, among the family's newest, the one that
        we asked for last, and the one that it was derived from: an INACTIVE one cannot be rolled out.
        """
        for reference in dict.fromkeys(filter(None, references)):
            try:
                there = self.account.ecs.describe_task_definition(reference, cached=False)
            except (Unreachable, Throttled, AccessDenied):
                raise  # not knowing is no reason to register another
            except AwsError:
                continue  # no ACTIVE revision in the family, or a deleted one
            described = there["taskDefinition"]
            if described.get("status") == "ACTIVE" and interchangeable(register_form(there), body):
                return str(described["taskDefinitionArn"])
        return ""

    def _memory(self, plan: ServicePlan, revision: str, stage: Stage) -> ServiceMemory:
        old, desired = self.recall(plan.key), plan.desired
        settled = stage is Stage.SETTLED and old is not None and old.revision == revision
        routed = desired if desired is not None and desired.overlay is not None else None
        configs = [config.path for config in routed.configs] if routed else []
        if stage is not Stage.SETTLED:
            configs += plan.running.configs  # the revision that drains, and that a roll-back goes to, needs its own
        return ServiceMemory(
            revision,
            old.base if settled and old else plan.base,
            plan.digest,
            plan.fingerprint,
            stage,
            dict(routed.route_digests) if routed else dict(old.routes) if old else {},
            tuple(dict.fromkeys(configs)),
            tuple(group.name for group in routed.log_groups) if routed else (),
            plan.originals,
            plan.policy,
            old.deployment if settled and old else "",
            old.held if old else {},
            plan.app,
            plan.left_out,
            "" if stage is Stage.SETTLED or not plan.reasons else plan.reasons[0].reason.value,
        )

    def _hold_digest(self, plan: ServicePlan) -> None:
        old = self.recall(plan.key)
        if old is None:
            return
        why = plan.reasons[0].message if plan.reasons else "it was rolled back"
        held = {**old.held, old.digest: Held(why, old.app or plan.app, self.now())}
        back = replace(
            old,
            revision=plan.base,
            digest=plan.running.digest,
            configs=plan.running.configs,
            fingerprint="",
            stage=Stage.SETTLED,
            held=held,
            app=plan.app,
            why="",
        )
        self.remember(plan.key, back)
