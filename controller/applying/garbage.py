"""What may go, goes: config objects by conditional deletes, revisions one by one."""

from __future__ import annotations

from collections.abc import Mapping

from controller.applying.configs import ConfigShelf, LostForGood
from controller.aws.ports import NotFound, ObjectInfo, PreconditionFailed, Urgency, at
from controller.planning.garbage import Doomed, Mark
from controller.state.ledger import Ledger


def remove(
    shelf: ConfigShelf, doomed: Doomed, listing: Mapping[str, ObjectInfo], marks: Ledger[Mark], now: float
) -> tuple[str, ...]:
    """The paths that went. Raises AwsError.

    That an object went is remembered before it goes: killed in between, the next sweep finds it there and begins its
    grace anew. What was written since the listing stays.
    """
    after = doomed.after(now)
    if after:
        marks.put(doomed.digest, after)
    gone = tuple(path for path in doomed.paths if _removed(shelf, path, listing[path].etag))
    if after is None:
        marks.put(doomed.digest, None)
    return gone


def _removed(shelf: ConfigShelf, path: str, etag: str) -> bool:
    try:
        shelf.objects.delete(shelf.store.key(path), matches=etag)
    except (NotFound, PreconditionFailed):
        return False
    return True


def bring_back(shelf: ConfigShelf, path: str) -> bool:
    """A config that went and is named again, from its second copy. Raises AwsError."""
    try:
        with at(Urgency.REPAIR):
            shelf.put_back(path)
    except LostForGood:
        return False
    return True
