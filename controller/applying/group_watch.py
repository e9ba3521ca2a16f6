"""Log groups that somebody deletes or changes after they were made: found by looking, a few calls a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from heapq import nsmallest

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.groups import GroupKeeper, kept, not_lowered
from controller.aws.ports import AccessDenied, AwsError, LogGroup
from controller.planning.groups import Need

AT_ONCE = 200
"""Groups that a pass looks at, in 4 calls: those that were looked at longest ago. The rest has its turn in the
passes after it.
"""


@dataclass(frozen=True, slots=True)
class GroupDrift:
    """A group that is not as it should be; or was not, until now. `held`: it may not be put right."""

    name: str
    reason: Reason
    message: str
    services: tuple[ServiceKey, ...]
    repaired: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class GroupNews:
    """`drifts`: all that stands, and what was put right. `denied`: services for whose groups a right is lacking."""

    drifts: tuple[GroupDrift, ...] = ()
    remarks: tuple[str, ...] = ()
    error: AwsError | None = None
    denied: frozenset[ServiceKey] = frozenset()


@dataclass(slots=True)
class GroupWatch:
    """What was seen of the groups of one account and region. Only a restart forgets it."""

    keeper: GroupKeeper
    _round: int = 0
    _looked: dict[str, int] = field(default_factory=dict)
    """Name → the round in which it was looked at last."""
    _standing: dict[str, GroupDrift] = field(default_factory=dict)
    _theirs: dict[str, tuple[int, LogGroup]] = field(default_factory=dict)
    """Groups that were seen to be somebody else's, so that nobody asks again, as long as they stay as they are."""
    _remarked: set[str] = field(default_factory=set)

    def check(self, needs: Mapping[str, Need], *, repair: bool) -> GroupNews:
        """Never raises AwsError: what could not be looked at stands as it stood. Without `repair` only looks."""
        self._drop(needs)
        changing, self.keeper.changed = self.keeper.changed, set()  # for what may not be remembered yet: next time
        names = nsmallest(AT_ONCE, needs.keys() - changing, key=lambda name: (self._looked.get(name, 0), name))
        if not names:
            return GroupNews()
        try:
            there = self.keeper.logs.describe(names)
        except AwsError as error:
            services = (key for need in needs.values() for key in need.services)
            return GroupNews(tuple(self._standing.values()), error=error, denied=_denied(error, services))
        self._round += 1
        return self._judge([needs[name] for name in names], there, repair=repair)

    def _judge(self, needs: list[Need], there: Mapping[str, LogGroup], *, repair: bool) -> GroupNews:
        """After a failed call no other is made in this round: the next one would most likely fail as well."""
        repaired: list[GroupDrift] = []
        error: AwsError | None = None
        denied: frozenset[ServiceKey] = frozenset()
        for need in needs:
            name, found = need.group.name, there.get(need.group.name)
            if (drift := _difference(need, found)) and error is None:
                drift, error = self._tried(drift, need, found, repair=repair)
                denied = _denied(error, need.services)
            if drift and drift.repaired:
                repaired.append(drift)
            self._looked[name] = self._round
            self._stand(name, drift)
        return GroupNews((*self._standing.values(), *repaired), self._remarks(needs, there), error, denied)

    def _tried(
        self, drift: GroupDrift, need: Need, there: LogGroup | None, *, repair: bool
    ) -> tuple[GroupDrift | None, AwsError | None]:
        try:
            return self._settle(drift, need, there, repair=repair), None
        except AwsError as error:
            return replace(drift, message=f"{drift.message}: {error}"), error

    def _settle(self, drift: GroupDrift, need: Need, there: LogGroup | None, *, repair: bool) -> GroupDrift | None:
        """Put right, or why not. None where it is right after all: listings lag behind. Raises AwsError."""
        wanted = need.group.retention_days
        if need.frozen:
            return replace(drift, message=f"{drift.message}; {need.frozen}", held=True)
        if there is not None and wanted is not None and not self._may_set(there, wanted):
            return replace(drift, message=not_lowered(there, wanted), held=True)
        if not repair:
            return drift
        if there is None:
            made = self.keeper.make(need.group)
            return (
                replace(drift, message=f"log group {drift.name} was missing and is made", repaired=True)
                if made
                else None
            )
        assert wanted is not None  # noqa: S101 - else nothing would differ
        self.keeper.logs.set_retention(drift.name, wanted)
        message = f"log group {drift.name} kept its events {kept(there)}, now {wanted} days"
        return replace(drift, message=message, repaired=True)

    def _may_set(self, there: LogGroup, wanted: int) -> bool:
        if self._theirs.get(there.name) == (wanted, there):
            return False
        if self.keeper.may_set(there, wanted):
            return True
        self._theirs[there.name] = (wanted, there)
        return False

    def _stand(self, name: str, drift: GroupDrift | None) -> None:
        if drift is None or drift.repaired:
            self._standing.pop(name, None)
        else:
            self._standing[name] = drift

    def _remarks(self, needs: list[Need], there: Mapping[str, LogGroup]) -> tuple[str, ...]:
        """A group's class is for life (CreateLogGroup, Amazon CloudWatch Logs API reference): said once."""
        found = []
        for need in needs:
            group, one = need.group, there.get(need.group.name)
            if one and one.log_class and group.log_class and one.log_class != group.log_class:
                found.append(f"log group {one.name} is of class {one.log_class}, for good, and not {group.log_class}")
        fresh = tuple(one for one in found if one not in self._remarked)
        self._remarked.update(fresh)
        return fresh

    def _drop(self, needs: Mapping[str, Need]) -> None:
        for name in self._looked.keys() - needs.keys():
            del self._looked[name]
            self._standing.pop(name, None)
            self._theirs.pop(name, None)


def _difference(need: Need, there: LogGroup | None) -> GroupDrift | None:
    name, wanted = need.group.name, need.group.retention_days
    if there is None:
        return GroupDrift(name, Reason.LOG_GROUP_MISSING, f"log group {name} is missing", need.services)
    if wanted is None or there.retention_days == wanted:
        return None
    message = f"log group {name} keeps its events {kept(there)}, and should {wanted} days"
    return GroupDrift(name, Reason.LOG_GROUP_RETENTION, message, need.services)


def _denied(error: AwsError | None, services: Iterable[ServiceKey]) -> frozenset[ServiceKey]:
    return frozenset(services) if isinstance(error, AccessDenied) else frozenset()
