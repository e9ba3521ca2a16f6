"""The ECS fields of records, where the agent's own filter would add them twice.

The agent puts its record_modifier before everything of ours. What a multiline filter joins comes in again at the
start, so the fields would be there twice. Then the agent is told to leave them, and they are added here, behind
the multiline filters. The init image exports the variables; the instance's id it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from controller.desired.scope import Scope, shared_originals
from controller.desired.sections import Options
from controller.fluentbit.tree import Section

_FIELDS = (
    ("ecs_cluster", "ECS_CLUSTER"),
    ("ecs_task_arn", "ECS_TASK_ARN"),
    ("ecs_task_definition", "ECS_TASK_DEFINITION"),
)


def joins_lines(filters: Iterable[Options]) -> bool:
    """`filters`: their option names in lower case."""
    return any(_is_multiline(one) for one in filters)


def place_among(filters: Sequence[Options]) -> int:
    """The index behind the last multiline filter; 0 without one."""
    return max((at + 1 for at, one in enumerate(filters) if _is_multiline(one)), default=0)


def of_shared(scopes: Iterable[Scope]) -> list[Section]:
    """For the records that more than one route sees as they are: none of those routes has a filter."""
    some = list(scopes)
    containers = shared_originals(some)
    return [_section(Scope("", containers, (), (), (), alone=False, odd_names=some[0].odd_names))] if containers else []


def of_route(scope: Scope, neighbours: Iterable[Scope], early: tuple[str, ...] = ()) -> list[Section]:
    """For the records that only this route sees. `early`: what its filters before these fields make of tags. Those
    records have not come by here yet; what later filters make has.
    """
    before = scope.before_rewriting(shared_originals(neighbours))
    own = replace(before, emitted=early, apart=tuple(tag for tag in before.apart if tag not in early))
    return [] if own.empty else [_section(own)]


def _section(scope: Scope) -> Section:
    """In quotes: a variable that is not set would else leave a word missing, and stop the engine."""
    records = [("record", f'{field} "${{{variable}}}"') for field, variable in _FIELDS]
    return Section("FILTER", (("name", "record_modifier"), scope.everything(), *records))


def _is_multiline(options: Options) -> bool:
    return str(options["name"]).lower() == "multiline"
