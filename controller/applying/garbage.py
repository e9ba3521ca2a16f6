"""What nothing needs any more, put away. Who calls has made sure of that a moment before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from controller.applying.configs import ConfigShelf
from controller.aws.ports import Ecs, NotFound, ObjectInfo, PreconditionFailed

MOST_DEREGISTERED = 500
"""In one sweep of a place: a quarter of an hour of what ECS allows, beside everything else."""


def delete(
    shelf: ConfigShelf, paths: Iterable[str], listing: Mapping[str, ObjectInfo], go_on: Callable[[], None]
) -> Iterator[str]:
    """Paths of the config objects that went. One that somebody wrote anew is no longer what was looked at, and stays.
    `go_on` may raise. Raises AwsError.
    """
    for path in paths:
        go_on()
        try:
            shelf.objects.delete(shelf.store.key(path), replaces=listing[path].etag)
        except (PreconditionFailed, NotFound):
            continue
        yield path


def deregister(ecs: Ecs, arns: Iterable[str], go_on: Callable[[], None]) -> Iterator[str]:
    """ARNs of the revisions that are INACTIVE now. The same."""
    for _, arn in zip(range(MOST_DEREGISTERED), arns, strict=False):
        go_on()
        ecs.deregister_task_definition(arn)
        yield arn
