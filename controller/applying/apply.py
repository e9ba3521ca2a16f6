"""One plan made true: object, log group, task definition, service. A crash between any two leaves a world that
the next pass finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.codedeploy import CodeDeployer
from controller.applying.configs import ConfigShelf, Found
from controller.applying.groups import GroupKeeper
from controller.aws.ports import AccessDenied, Account, AwsError, Throttled, Unreachable
from controller.observed.model import CODE_DEPLOY, moment, observe
from controller.planning.groups import groups_of
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.model import Because, Kind, ServicePlan
from controller.planning.others import LOOK_AGAIN
from controller.planning.remember import applied
from controller.taskdef import owned
from controller.taskdef.appspec import with_definition
from controller.taskdef.body import Body, register_form
from controller.taskdef.overlay import interchangeable

READ_LAG = 15.0
"""Seconds after which ECS shows what it wrote: its API is eventually consistent (Amazon ECS API reference)."""


class Done(StrEnum):
    NOTHING = "nothing"
    WROTE = "wrote"
    MOVED_ON = "moved-on"
    """Somebody changed the service since it was looked at: look again."""
    UNCLEAR = "unclear"
    """An earlier register may have happened and not show yet: look again before another is made."""


@dataclass(frozen=True, slots=True)
class Outcome:
    done: Done
    revision: str = ""
    said: tuple[Because, ...] = ()
    again: float | None = None
    """Seconds until the next look."""


@dataclass(slots=True)
class Applier:
    """Carries plans out in one account and region. `remember` must not return before the record is safe."""

    account: Account
    shelf: ConfigShelf
    groups: GroupKeeper
    recall: Callable[[ServiceKey], ServiceMemory | None]
    remember: Callable[[ServiceKey, ServiceMemory | None], None]
    deployer: CodeDeployer
    unclear: dict[str, float] = field(default_factory=dict)
    """Family → until when a register that had no answer may still turn up."""
    started: float | None = None
    """When this process came to its first register."""

    def carry_out(self, plan: ServicePlan) -> Outcome:
        """Raises AwsError; whatever was done until then stays, and is found by the next pass."""
        if plan.hold:
            return Outcome(Done.NOTHING)
        match plan.kind:
            case Kind.FORGET:
                self.remember(plan.key, None)
            case Kind.ADOPT:
                return self._adopt(plan)
            case Kind.WATCH | Kind.HOLD_DIGEST | Kind.CONTEST:
                self._remember_if_new(plan)
            case Kind.REPOINT:
                return self._repoint(plan)
            case Kind.ROLL_BACK:
                return self._roll_back(plan)
            case Kind.ROUTE | Kind.RESTORE if plan.after is not None:
                return self._change(plan)
        return Outcome(Done.NOTHING)

    def _change(self, plan: ServicePlan) -> Outcome:
        """Raises Encroachment too, before anything is written."""
        if plan.before is not None and plan.after is not None:
            owned.check(plan.before, plan.after, plan.originals)
        said, appspec = self._prepare(plan), self._appspec(plan)
        if not self._still_so(plan):
            return Outcome(Done.MOVED_ON, said=tuple(said), again=1.0)
        revision = self._revision(plan)
        if not revision:
            return Outcome(Done.UNCLEAR, said=tuple(said), again=READ_LAG)
        memory = applied(plan, self.recall(plan.key), revision, Stage.ASKED, self.account.ecs.now())
        if plan.key.is_family:
            return self._end_family(plan, revision, memory, said)
        return self._roll_out(plan, revision, memory, said, appspec)

    def _appspec(self, plan: ServicePlan) -> str:
        """Before anything is registered: one that cannot be used costs no revision."""
        return self.deployer.appspec(plan.key, plan.base) if plan.controller == CODE_DEPLOY else ""

    def _end_family(self, plan: ServicePlan, revision: str, memory: ServiceMemory, said: list[Because]) -> Outcome:
        """The new revision is the rollout: what starts next runs it, and nobody tells how that goes.

        Where somebody registered at the same moment, theirs lies below ours: a copy of it goes on top.
        """
        if _number(revision) > _number(plan.base) + 1:
            others = [one for one in self.account.ecs.latest_revisions(plan.key.service, 2) if one != revision]
            if others and _number(others[0]) > _number(plan.base):
                self.account.ecs.register_task_definition(
                    register_form(self.account.ecs.describe_task_definition(others[0], cached=False))
                )
                return Outcome(Done.MOVED_ON, revision, tuple(said), LOOK_AGAIN)
        self.remember(plan.key, replace(memory, stage=Stage.SETTLED, why=""))
        return Outcome(Done.WROTE, revision, tuple(said))

    def _repoint(self, plan: ServicePlan) -> Outcome:
        """Where each was is remembered first. One that somebody changed since it was read is left as it is."""
        for move in plan.moves:
            memory = self.recall(plan.key)
            if memory is None:
                return Outcome(Done.MOVED_ON, again=1.0)
            moved = {one: places for one, places in memory.moved.items() if one != move.starter.id}
            if move.former:
                places = (move.former, move.to, move.starter.task_definition)
                self.remember(plan.key, replace(memory, moved={**moved, move.starter.id: places}))
                self.account.schedules.move(move.starter, move.to)
            else:
                self.account.schedules.move(move.starter, move.to if self._is_active(move.to) else plan.base)
                self.remember(plan.key, replace(memory, moved=moved))
        return Outcome(Done.WROTE, plan.base)

    def _is_active(self, revision: str) -> bool:
        """Nothing can be started from a revision that somebody deregistered."""
        try:
            there = self.account.ecs.describe_task_definition(revision, cached=False)
        except (Unreachable, Throttled, AccessDenied):
            raise
        except AwsError:
            return False
        return bool(there["taskDefinition"].get("status") == "ACTIVE")

    def _roll_back(self, plan: ServicePlan) -> Outcome:
        """Remembered first: killed in between, the next process goes back all the same."""
        old = plan.memory
        if old is None or not self._still_so(plan):
            return Outcome(Done.MOVED_ON, again=1.0)
        if plan.controller == CODE_DEPLOY and old.deployment:
            self.remember(plan.key, old)
            if self.deployer.take_back(old.deployment):
                return Outcome(Done.WROTE, old.base)
        appspec, target = self._appspec(plan), self._startable(old.base, plan)
        if not target:
            return Outcome(Done.UNCLEAR, again=READ_LAG)
        return self._roll_out(plan, target, replace(old, base=target), (), appspec)

    def _roll_out(
        self, plan: ServicePlan, revision: str, memory: ServiceMemory, said: Iterable[Because], appspec: str
    ) -> Outcome:
        before = self.recall(plan.key)
        self.remember(plan.key, memory)
        if self.recall(plan.key) != memory or not self._still_so(plan):
            # Its state was lost just now, or somebody deployed while we registered: theirs counts.
            return Outcome(Done.MOVED_ON, revision, tuple(said), 1.0)
        if appspec:  # CodeDeploy refuses a second deployment while one runs, so two that begin at once are one
            number = self.deployer.deploy(plan.key, with_definition(appspec, revision))
            if not number:
                self.remember(plan.key, before)
                return Outcome(Done.MOVED_ON, revision, tuple(said), LOOK_AGAIN)
            return self._begun(plan, revision, replace(memory, deployment=number), said)
        answer = self.account.ecs.update_service(plan.key.cluster, plan.key.service, revision)
        if theirs := _overwritten(plan, revision, answer):
            return self._give_back(plan, before, theirs)
        primary = observe(plan.key, answer).primary
        number = primary.id.rsplit("/", 1)[-1] if primary and primary.task_definition == revision else ""
        return self._begun(plan, revision, replace(memory, deployment=number), said)

    def _begun(self, plan: ServicePlan, revision: str, memory: ServiceMemory, said: Iterable[Because]) -> Outcome:
        stage = Stage.ROLLING if memory.stage is Stage.ASKED else memory.stage
        self.remember(plan.key, replace(memory, stage=stage))
        return Outcome(Done.WROTE, revision, tuple(said))

    def _give_back(self, plan: ServicePlan, before: ServiceMemory | None, theirs: str) -> Outcome:
        """Their deploy did not show yet when we looked: it is theirs that runs, and ours goes on top of it later."""
        self.account.ecs.update_service(plan.key.cluster, plan.key.service, theirs)
        self.remember(plan.key, before)
        why = f"somebody deployed {theirs.rsplit('/', 1)[-1]} at the same moment: theirs is given back"
        return Outcome(Done.MOVED_ON, said=(Because(Reason.WAITING_FOR_DEPLOYMENT, why),), again=LOOK_AGAIN)

    def _startable(self, revision: str, plan: ServicePlan) -> str:
        """That revision, or an ACTIVE copy of it: nothing new starts from an INACTIVE one. Where even its body is
        gone, the application without the router.
        """
        try:
            there = self.account.ecs.describe_task_definition(revision, cached=False)
        except (Unreachable, Throttled, AccessDenied):
            raise
        except AwsError:
            body = plan.after
        else:
            if there["taskDefinition"].get("status") == "ACTIVE":
                return revision
            body = register_form(there)
        assert body is not None  # noqa: S101
        return self._registered(body, ())

    def _remember_if_new(self, plan: ServicePlan) -> None:
        if plan.memory is not None and plan.memory != self.recall(plan.key):
            self.remember(plan.key, plan.memory)

    def _adopt(self, plan: ServicePlan) -> Outcome:
        """Nothing to write in ECS: look after what hangs on it, and remember."""
        said = self._prepare(plan)
        self.remember(plan.key, applied(plan, self.recall(plan.key), plan.base, Stage.SETTLED, self.account.ecs.now()))
        return Outcome(Done.NOTHING, plan.base, tuple(said))

    def _prepare(self, plan: ServicePlan) -> list[Because]:
        """What a new task needs before it starts: its config objects, verified, and its log groups."""
        if plan.desired is None:
            return []
        said: list[Because] = []
        for config in plan.desired.configs:
            if self.shelf.put(config) is Found.ALTERED:
                said.append(Because(Reason.CONFIG_ALTERED, f"{config.path} was altered and is put right"))
        return said + self.groups.keep(plan.key, groups_of(plan.desired))

    def _still_so(self, plan: ServicePlan) -> bool:
        """ECS has no preconditions: look once more, right before the write, that it is still ours to make."""
        if plan.key.is_family:
            return self.account.ecs.latest_revisions(plan.key.service) == [plan.base]
        there = self.account.ecs.describe_services(plan.key.cluster, [plan.key.service]).found
        if not there:
            return False
        service = observe(plan.key, there[0])
        primary = service.primary.id if service.primary else ""
        return (service.task_definition, primary) == (plan.base, plan.primary)

    def _revision(self, plan: ServicePlan) -> str:
        """What is registered follows its config, so a config that this process was the first to put up tells that
        no process before it came as far as to register.
        """
        assert plan.after is not None  # noqa: S101
        old = None if plan.key.is_family else self.recall(plan.key)  # an older one would not be the family's latest
        configs = plan.desired.configs if plan.desired else ()
        first = any(config.path in self.shelf.made for config in configs)
        return self._registered(plan.after, (old.revision, old.base) if old else (), first=first)

    def _registered(self, body: Body, known: Iterable[str], *, first: bool = False) -> str:
        """An equal revision that is there already, or a new one; "" where one may be there and not show yet.

        `first`: nobody can have registered it before this process.
        """
        family = body["family"]
        if found := self._equal(body, family, *known):
            return found
        now = self.account.ecs.now()
        self.started = now if self.started is None else self.started
        if now < self.unclear.get(family, 0.0 if first else self.started + READ_LAG):
            return ""
        try:
            return self.account.ecs.register_task_definition(body)
        except Unreachable:
            self.unclear[family] = self.account.ecs.now() + READ_LAG
            if found := self._equal(body, family):
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


def _overwritten(plan: ServicePlan, revision: str, answer: Mapping[str, Any]) -> str:
    """The revision of a deployment that ours replaced and that was not there when the plan was made; "" for none.

    The answer to a write shows the world as it is; the reads before it may have been late.
    """
    replaced = [one for one in answer.get("deployments") or () if one.get("status") != "PRIMARY"]
    newest: Mapping[str, Any] = max(replaced, key=lambda one: moment(one.get("createdAt")) or 0.0, default={})
    theirs = str(newest.get("taskDefinition", ""))
    return "" if newest.get("id", plan.primary) == plan.primary or theirs in (revision, plan.base) else theirs


def _number(revision: str) -> int:
    return int(revision.rsplit(":", 1)[-1])
