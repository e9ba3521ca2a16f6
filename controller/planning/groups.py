"""The log groups that a service needs, as they are remembered and as they should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from controller.api.keys import ServiceKey
from controller.desired.model import Desired


@dataclass(frozen=True, slots=True)
class Group:
    """`retention_days` None and `log_class` "": as it is. A new group then keeps its events for ever, in STANDARD."""

    name: str
    retention_days: int | None = None
    log_class: str = ""

    @classmethod
    def from_plain(cls, plain: str | Mapping[str, Any]) -> Group:
        """TypeError where `plain` is no group. Earlier versions remembered the name alone."""
        return cls(plain) if isinstance(plain, str) else cls(**plain)


@dataclass(frozen=True, slots=True)
class Need:
    """A group, and who needs it. `frozen`: why nothing may be written for any of them; "" where it may."""

    group: Group
    services: tuple[ServiceKey, ...]
    frozen: str = ""


def groups_of(desired: Desired) -> tuple[Group, ...]:
    """Those that the specs keep, and the router's own."""
    kept = [Group(one.name, one.retention_days, one.class_) for one in desired.log_groups]
    return (*kept, *(Group(name) for name in sorted(desired.made_groups - {one.name for one in kept})))


def needs(wanted: Iterable[tuple[ServiceKey, Iterable[Group], str]]) -> dict[str, Need]:
    """By name, from (service, its groups, why it is frozen). Where services disagree the longest retention wins, as
    among the routes of one; for ever is longest.
    """
    found: dict[str, Need] = {}
    for key, groups, frozen in wanted:
        for group in groups:
            held = found.get(group.name)
            found[group.name] = _joined(held, group, key, frozen) if held else Need(group, (key,), frozen)
    return found


def agreed(group: Group, others: Iterable[Group]) -> Group:
    """`group` as it has to be where `others` mean the same one."""
    return replace(group, retention_days=max((group, *others), key=_days).retention_days)


def _joined(held: Need, group: Group, key: ServiceKey, frozen: str) -> Need:
    longest = replace(agreed(held.group, (group,)), log_class=held.group.log_class or group.log_class)
    return Need(longest, (*held.services, key), held.frozen and frozen)


def _days(group: Group) -> float:
    return float("inf") if group.retention_days is None else group.retention_days
