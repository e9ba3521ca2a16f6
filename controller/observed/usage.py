"""What the tasks, services and definitions of an account and region name, so that nothing of it is put away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from controller.aws.ports import Account, Ecs, NotFound
from controller.taskdef import mark

AT_ONCE = 10
DEPLOYMENTS_SECONDS = 90 * 24 * 3600.0
"""How long ECS keeps service deployments, and lets one go back to what it replaced (Amazon ECS Developer Guide,
"View service history").
"""
_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Usage:
    """`needed`: ARNs of revisions that tasks, services, their deployments, rules or schedules are at. `ours`: ARNs of
    ACTIVE revisions that this installation registered. `digests`: whatever any of these, or any ACTIVE revision, names.
    """

    needed: frozenset[str]
    ours: tuple[str, ...]
    digests: frozenset[str]


def take(account: Account, owner: str, *, starters: bool, go_on: Callable[[], None]) -> Usage:
    """All clusters, whatever the settings say of them. `starters`: rules and schedules too. `go_on` is called often,
    and may raise. Raises AwsError: half an answer is none.
    """
    ecs = account.ecs
    since = ecs.now() - DEPLOYMENTS_SECONDS
    needed = set()
    for arn in (arn for cluster in ecs.list_clusters() for arn in _in_cluster(ecs, cluster, since)):
        go_on()
        needed.add(arn)
    if starters:
        needed |= {one.task_definition for one in (*account.schedules.rules(), *account.schedules.schedules())}
    active = list(ecs.active_revisions())
    ours, digests = [], set()
    for arn in {*active, *needed}:
        go_on()
        found = _described(ecs, arn)
        digests |= digests_in(orjson.dumps(found, default=str))
        if _is_of(found, owner):
            ours.append(arn)
    return Usage(frozenset(needed), tuple(set(ours) & set(active)), frozenset(digests))


def _in_cluster(ecs: Ecs, cluster: str, since: float) -> Iterator[str]:
    yield from ecs.definitions_of_tasks(cluster)
    names = iter(ecs.list_services(cluster))
    while some := list(islice(names, AT_ONCE)):
        for raw in ecs.describe_services(cluster, some).found:
            yield from _named_by(raw)
            if (raw.get("deploymentController") or {}).get("type", "ECS") == "ECS":
                yield from ecs.definitions_rolled_out(cluster, str(raw["serviceName"]), since)


def _named_by(raw: Mapping[str, Any]) -> Iterator[str]:
    """A service that wants no task names a revision too. Those that ECS does not deploy have no service deployments;
    what they can go back to are their task sets.
    """
    for one in (raw, *raw.get("deployments", ()), *raw.get("taskSets", ())):
        if arn := one.get("taskDefinition"):
            yield str(arn)


def _described(ecs: Ecs, arn: str) -> Mapping[str, Any]:
    """Nothing, where it was deleted for good: no task starts from it."""
    try:
        return ecs.describe_task_definition(arn)
    except NotFound:
        return {}


def digests_in(text: bytes) -> set[str]:
    """Whatever may be the digest of a config, wherever it stands."""
    return {found.decode() for found in _DIGEST.findall(text)}


def _is_of(found: Mapping[str, Any], owner: str) -> bool:
    """The tags say who registered it: tools that copy a definition take the labels along, and lose the tags."""
    tags = {tag.get("key"): tag.get("value") for tag in found.get("tags", ())}
    return tags.get(mark.OWNER) == owner
