"""Definitions that are being deleted disappear once nothing uses them.

Amazon ECS developer guide, "Task definition states": DELETE_IN_PROGRESS lasts until no task and no service
refers to the revision.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model.definitions import Family, Revision
from controller.sandbox.model.world import Region, World


def begin_delete(world: World, region: Region, revision: Revision) -> None:
    if revision.status != "INACTIVE":
        return
    revision.body |= {"status": "DELETE_IN_PROGRESS", "deleteRequestedAt": world.now}
    _look_again(world, region, region.families[revision.body["family"]], revision)


def _look_again(world: World, region: Region, family: Family, revision: Revision) -> None:
    world.timeline.after(world.settings.delete_seconds, lambda: _delete_if_unused(world, region, family, revision))


def _delete_if_unused(world: World, region: Region, family: Family, revision: Revision) -> None:
    if any(used is revision for used in _used(region)):
        _look_again(world, region, family, revision)
    else:
        del family.revisions[revision.body["revision"]]


def _used(region: Region) -> Iterator[Revision]:
    for cluster in region.clusters.values():
        for service in cluster.services.values():
            if service.status != "INACTIVE":
                yield from (one.revision.definition for one in service.shown_deployments)
        yield from (task.definition for task in cluster.tasks.values() if not task.stopped)
