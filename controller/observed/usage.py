"""What the tasks, services and definitions of an account and region name, so that nothing of it is put away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from controller.aws.ports import Account, AwsError, Ecs, NotFound
from controller.taskdef import mark

AT_ONCE = 10
DEPLOYMENTS_SECONDS = 90 * 24 * 3600.0
"""How long ECS keeps service deployments, and lets one go back to what it replaced (Amazon ECS Developer Guide,
"View service history").
"""
_GONE = "Unable to describe task definition"
"""What ECS says of a revision that it does not have: a ClientException, as for much else."""
_NO_CLUSTER = "ClusterNotFoundException"
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_PATH = re.compile(rb"[0-9a-f]{64}/(?:pipeline|parsers)\.conf")


@dataclass(frozen=True, slots=True)
class Usage:
    """`needed`: ARNs of revisions that tasks, services, their deployments, rules or schedules are at. `ours`: ARNs of
    ACTIVE revisions that this installation registered. `digests`: whatever any of these, or any ACTIVE revision, names;
    `paths`: those that are whole paths of config objects. `listed`: ARNs of all ACTIVE revisions.
    """

    needed: frozenset[str]
    ours: tuple[str, ...]
    digests: frozenset[str]
    paths: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()


def take(account: Account, owner: str, *, starters: bool, go_on: Callable[[], None]) -> Usage:
    """All clusters, whatever the settings say of them. `starters`: rules and schedules too. `go_on` is called often,
    and may raise. Raises AwsError: half an answer is none.
    """
    ecs = account.ecs
    needed = _needed(account, ecs.now() - DEPLOYMENTS_SECONDS, starters=starters, go_on=go_on)
    listed = set(ecs.active_revisions())
    ours = []
    digests: set[str] = set()
    paths: set[str] = set()
    for arn in listed | needed:
        go_on()
        found = _described(ecs, arn, may_be_gone=arn not in listed)
        text = orjson.dumps(found, default=str)
        digests |= digests_in(text)
        paths |= {path.decode() for path in _PATH.findall(text)}
        if _is_of(found, owner):
            ours.append(arn)
    return Usage(frozenset(needed), tuple(set(ours) & listed), frozenset(digests), frozenset(paths), frozenset(listed))


def needed_now(account: Account, go_on: Callable[[], None]) -> set[str]:
    """As `needed`, without service deployments that are over: those cost a call for each service. Raises AwsError."""
    return _needed(account, None, starters=True, go_on=go_on)


def _needed(account: Account, since: float | None, *, starters: bool, go_on: Callable[[], None]) -> set[str]:
    needed = set()
    for arn in (arn for cluster in account.ecs.list_clusters() for arn in _in_cluster(account.ecs, cluster, since)):
        go_on()
        needed.add(arn)
    if starters:
        needed |= {one.task_definition for one in (*account.schedules.rules(), *account.schedules.schedules())}
    return needed


def named_since(account: Account, before: Usage) -> set[str]:
    """Digests that revisions name which were registered since. Raises AwsError."""
    new = [arn for arn in account.ecs.active_revisions() if arn not in before.listed]
    found = (_described(account.ecs, arn, may_be_gone=False) for arn in new)
    return {digest for one in found for digest in digests_in(orjson.dumps(one, default=str))}


def _in_cluster(ecs: Ecs, cluster: str, since: float | None) -> Iterator[str]:
    """`since`: of service deployments, in seconds since the epoch; None: without them. A cluster that was deleted
    since the clusters were listed runs nothing: pipelines make and delete some all day, and a sweep may take hours.
    """
    try:
        yield from _named_in(ecs, cluster, since)
    except NotFound as error:
        if error.code != _NO_CLUSTER:
            raise


def _named_in(ecs: Ecs, cluster: str, since: float | None) -> Iterator[str]:
    yield from ecs.definitions_of_tasks(cluster)
    names = iter(ecs.list_services(cluster))
    while some := list(islice(names, AT_ONCE)):
        for raw in ecs.describe_services(cluster, some).found:
            yield from _named_by(raw)
            if since is not None and (raw.get("deploymentController") or {}).get("type", "ECS") == "ECS":
                yield from ecs.definitions_rolled_out(cluster, str(raw["serviceName"]), since)


def _named_by(raw: Mapping[str, Any]) -> Iterator[str]:
    """A service that wants no task names a revision too. Those that ECS does not deploy have no service deployments;
    what they can go back to are their task sets.
    """
    for one in (raw, *raw.get("deployments", ()), *raw.get("taskSets", ())):
        if arn := one.get("taskDefinition"):
            yield str(arn)


def _described(ecs: Ecs, arn: str, *, may_be_gone: bool) -> Mapping[str, Any]:
    """Nothing, where it was deleted for good: no task starts from it."""
    try:
        return ecs.describe_task_definition(arn)
    except AwsError as error:
        if may_be_gone and (isinstance(error, NotFound) or _GONE in error.detail):
            return {}
        raise


def digests_in(text: bytes) -> set[str]:
    """Whatever may be the digest of a config, wherever it stands."""
    return {found.decode() for found in _DIGEST.findall(text)}


def _is_of(found: Mapping[str, Any], owner: str) -> bool:
    """By its tags and the mark: who copies a definition takes the labels along and loses the tags, or, with the tags,
    leaves the router behind.
    """
    tags = {tag.get("key"): tag.get("value") for tag in found.get("tags") or ()}
    marks = map(mark.read, (found.get("taskDefinition") or {}).get("containerDefinitions") or ())
    return tags.get(mark.OWNER) == owner and any(one is not None and one.owner == owner for one in marks)
