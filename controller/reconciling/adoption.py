"""Services that run already what the specs ask for: remembered by the pass that found them, a write a shard of the
state and not one a service. At a start from nothing there may be ten thousand.

Whatever has to be put right first (a config object, a log group) is left to the worker, as is every doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from controller.api.keys import ServiceKey
from controller.aws.ports import AwsError
from controller.planning.groups import Group, needs
from controller.planning.memory import ServiceMemory, Stage
from controller.planning.model import Kind, ServicePlan
from controller.planning.remember import applied
from controller.reconciling.world import Site

AT_ONCE = 50
"""Log groups that one DescribeLogGroups answers for."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is to be remembered of a service, and what was when it was looked at."""

    before: ServiceMemory | None
    after: ServiceMemory


@dataclass(slots=True)
class Adoptions:
    """Of one pass over one place. `named`: config objects that live revisions name and that nothing remembers."""

    site: Site
    found: dict[ServiceKey, Adoption] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    _unasked: set[str] = field(default_factory=set)
    _retention: dict[str, int | None] = field(default_factory=dict)
    """Of the log groups that are there."""
    _asked: set[str] = field(default_factory=set)
    _may_ask: bool = True

    def note(self, plan: ServicePlan, before: ServiceMemory | None) -> None:
        """`plan` in full. Log groups are looked at as they come, so that nobody waits for their rate in the end."""
        if before is None:
            self.named.update(plan.running.configs)
        if plan.kind is not Kind.ADOPT or plan.hold or plan.ended or plan.key.is_family:
            return
        if before is not None and (before.stage, before.revision) != (Stage.SETTLED, plan.base):
            return  # a worker moves it just now
        now = self.site.account.ecs.now()
        after = applied(plan, before, plan.base, Stage.SETTLED, now)
        self.found[plan.key] = Adoption(before, after)
        self._unasked.update({group.name for group in after.groups} - self._asked)
        if len(self._unasked) >= AT_ONCE:
            self._ask()

    def ready(self, wrong: Collection[str]) -> dict[ServiceKey, Adoption]:
        """Those that lack no log group, and none of whose config objects is among `wrong`."""
        self._ask()
        wanted = needs((key, memory.groups, "") for key, memory in self._memories()) if self._retention else {}
        right = {name for name in self._retention if self._is_right(wanted[name].group)}
        return {
            key: one
            for key, one in self.found.items()
            if right.issuperset(group.name for group in one.after.groups) and not set(wrong) & set(one.after.configs)
        }

    def _memories(self) -> Iterator[tuple[ServiceKey, ServiceMemory]]:
        """As they would be afterwards."""
        yield from ((key, one.after) for key, one in self.found.items())
        others = ((ServiceKey.parse(text), memory) for text, memory in self.site.memories.items())
        yield from ((key, memory) for key, memory in others if key not in self.found)

    def _ask(self) -> None:
        """What cannot be looked at is not there as far as this goes: the worker says what is wrong. After one failure
        no other call is made: the next one would most likely fail as well.
        """
        names, self._unasked = sorted(self._unasked), set()
        self._asked.update(names)
        try:
            there = self.site.account.logs.describe(names) if names and self._may_ask else {}
        except AwsError:
            self._may_ask = False
        else:
            self._retention |= {name: group.retention_days for name, group in there.items()}

    def _is_right(self, group: Group) -> bool:
        return group.retention_days in (None, self._retention[group.name])


def adopt(site: Site, plans: Mapping[ServiceKey, ServicePlan], found: Mapping[ServiceKey, Adoption]) -> set[ServiceKey]:
    """Remember them; returns those of which it is remembered now. Where a worker wrote first, its word counts, and what
    S3 does not take is tried again by the worker.
    """
    some = {key: one for key, one in found.items() if plans[key].hold is None}
    with suppress(AwsError):
        site.memories.update(
            {str(key): one.after for key, one in some.items()}, over={str(key): one.before for key, one in some.items()}
        )
    done = {key for key, one in some.items() if site.memories.get(str(key)) is one.after}
    for key in done:
        site.waves.settled(plans[key], key)
    return done
