"""Log groups that the specs keep: made if missing, never deleted; retention lowered only on those that we made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.api.conditions import Reason
from controller.api.kinds import LogGroupSpec
from controller.aws.ports import LogGroup, LogGroups
from controller.planning.model import Because


@dataclass(slots=True)
class GroupKeeper:
    """Groups of one account and region. What was seen to be right is not asked for again until `forget`."""

    logs: LogGroups
    owner: str
    _right: set[LogGroupSpec] = field(default_factory=set)

    def keep(self, groups: Iterable[LogGroupSpec]) -> list[Because]:
        """What was done or could not be done. Raises AwsError."""
        said: list[Because] = []
        for group in groups:
            if group not in self._right:
                said += self._keep(group)
                self._right.add(group)
        return said

    def forget(self) -> None:
        self._right.clear()

    def _keep(self, group: LogGroupSpec) -> list[Because]:
        wanted = group.retention_days
        if wanted is None:
            self.logs.create(group.name, group.class_, self.owner)
            return []
        there = self.logs.find(group.name)
        if there is None:
            self.logs.create(group.name, group.class_, self.owner)
        elif there.retention_days == wanted:
            return []
        elif _longer(there.retention_days, wanted) and self.logs.owner(there) != self.owner:
            return [_not_lowered(there, wanted)]
        self.logs.set_retention(group.name, wanted)
        return [Because(Reason.LOG_GROUP_RETENTION, f"log group {group.name} keeps its events {wanted} days now")]


def _longer(days: int | None, wanted: int) -> bool:
    return days is None or days > wanted


def _not_lowered(there: LogGroup, wanted: int) -> Because:
    keeps = "for ever" if there.retention_days is None else f"{there.retention_days} days"
    return Because(
        Reason.LOG_GROUP_RETENTION,
        f"log group {there.name} keeps its events {keeps}; LogRoute did not make it, so it is not lowered to "
        f"{wanted} days",
    )
