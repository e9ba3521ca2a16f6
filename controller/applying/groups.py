"""Log groups that the specs keep: made if missing, never deleted; retention lowered only on those that we made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.aws.ports import LogGroup, LogGroups
from controller.planning.groups import Group, agreed
from controller.planning.model import Because

PLAIN = "STANDARD"
"""The class of a group for which nobody asks for another."""


@dataclass(slots=True)
class GroupKeeper:
    """Groups of one account and region. What was seen to be right is not asked for again until `forget`.

    `elsewhere`: what services other than this one are remembered to need of the group with this name.
    """

    logs: LogGroups
    owner: str
    elsewhere: Callable[[ServiceKey, str], Iterable[Group]] = lambda _key, _name: ()
    changed: set[str] = field(default_factory=set)
    """Groups that were changed for services whose memory may not say so yet."""
    _right: set[Group] = field(default_factory=set)

    def keep(self, key: ServiceKey, groups: Iterable[Group]) -> list[Because]:
        """What was done or could not be done for a service. Raises AwsError."""
        said: list[Because] = []
        for one in groups:
            group = agreed(one, self.elsewhere(key, one.name)) if one.retention_days else one
            if group not in self._right:
                said += self._keep(group)
                self._right.add(group)
        return said

    def forget(self) -> None:
        self._right.clear()

    def make(self, group: Group) -> bool:
        """Whether it had to be made. Raises AwsError."""
        made = self.logs.create(group.name, group.log_class or PLAIN, self.owner)
        if made and group.retention_days is not None:
            self.logs.set_retention(group.name, group.retention_days)
        return made

    def may_set(self, there: LogGroup, wanted: int) -> bool:
        """Raises AwsError."""
        return not _longer(there.retention_days, wanted) or self.logs.owner(there) == self.owner

    def _keep(self, group: Group) -> list[Because]:
        wanted = group.retention_days
        if wanted is None:
            self.make(group)
            return []
        there = self.logs.find(group.name)
        if there is None:
            self.logs.create(group.name, group.log_class or PLAIN, self.owner)
        elif there.retention_days == wanted:
            return []
        elif not self.may_set(there, wanted):
            return [Because(Reason.LOG_GROUP_RETENTION, not_lowered(there, wanted))]
        self.changed.add(group.name)
        self.logs.set_retention(group.name, wanted)
        return [Because(Reason.LOG_GROUP_RETENTION, f"log group {group.name} keeps its events {wanted} days now")]


def _longer(days: int | None, wanted: int) -> bool:
    return days is None or days > wanted


def not_lowered(there: LogGroup, wanted: int) -> str:
    return (
        f"log group {there.name} keeps its events {kept(there)}; LogRoute did not make it, so it is not lowered to "
        f"{wanted} days"
    )


def kept(there: LogGroup) -> str:
    return "for ever" if there.retention_days is None else f"{there.retention_days} days"
