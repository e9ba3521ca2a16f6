"""Config objects: put up, verified, put back. Each lies under the sha256 of its own bytes, and once more in state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controller.api.errors import Explained
from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, PreconditionFailed, StoredObject
from controller.desired.model import PARSERS, PIPELINE, ConfigObject, ConfigStore

TEXT = "text/plain; charset=utf-8"
COPIES = "_state/configs"
LARGEST = 4 * 1024 * 1024
"""Bytes of a config that are read where nothing says how many to expect. Ours are a few thousand."""
ATTEMPTS = 3


class Found(StrEnum):
    RIGHT = "right"
    MISSING = "missing"
    ALTERED = "altered"


class LostForGood(Explained):
    """A live revision names a config whose bytes are nowhere any more."""

    def __init__(self, uri: str, path: str) -> None:
        super().__init__(uri, path)
        self.uri, self.path = uri, path

    def __str__(self) -> str:
        return f"{self.uri} is missing, and so is its second copy: change the route, so that a new config is made"


@dataclass(slots=True)
class ConfigShelf:
    """The config objects of one store. `verified`: (key, ETag) pairs whose bytes were seen to be right."""

    objects: ObjectStore
    store: ConfigStore
    verified: set[tuple[str, str]] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    """Paths of the objects that were not there before this process put them up."""
    wanted: set[str] = field(default_factory=set)
    """Digests of what was put, or found right, since the last look for garbage: a revision that names them is about to
    be registered.
    """

    def put(self, config: ConfigObject) -> Found:
        """Make sure that both copies are there, byte for byte. Says how the first was found."""
        self.wanted.add(config.sha256)
        self._ensure(self.store.key(copy_of(config.path)), config.body)
        found = self._ensure(self.store.key(config.path), config.body)
        if found is Found.MISSING:
            self.made.add(config.path)
        return found

    def missing(self, paths: Iterable[str], listing: Mapping[str, ObjectInfo]) -> dict[str, Found]:
        """Which of `paths`, and of their second copies, are not as they should be, by a listing of the store: no
        request where all is well.

        Two whose ETags are equal vouch for each other; what was seen before needs no look inside.
        """
        wrong: dict[str, Found] = {}
        for path in paths:
            copy = copy_of(path)
            there, second = listing.get(path), listing.get(copy)
            if there and second and (there.etag, there.size) == (second.etag, second.size):
                continue
            if found := self._wrong(path, there):
                wrong[path] = found
            elif found := self._wrong(copy, second):
                wrong[copy] = found
        return wrong

    def put_back(self, path: str) -> Found:
        """Restore an object from its second copy, or the copy from the object. Raises LostForGood where that is gone
        or wrong too.
        """
        digest = _digest(path)
        others = [f"{digest}/{name}" for name in (PIPELINE, PARSERS)] if path.startswith(COPIES) else [copy_of(path)]
        for other in others:
            there = self._get(self.store.key(other), LARGEST)
            if there is not None and hashlib.sha256(there.body).hexdigest() == digest:
                return self._ensure(self.store.key(path), there.body)
        raise LostForGood(self._uri(path), path)

    def _wrong(self, path: str, info: ObjectInfo | None) -> Found | None:
        if info is None:
            return Found.MISSING
        if (path, info.etag) in self.verified:
            return None
        if info.size <= LARGEST and self._is_right(path):
            self.verified.add((path, info.etag))
            return None
        return Found.ALTERED

    def _ensure(self, key: str, body: bytes) -> Found:
        """If-None-Match where it is missing, If-Match where it is wrong: two writers never overwrite each other."""
        for attempt in range(1, ATTEMPTS + 1):
            there = self._get(key, len(body))
            if there is not None and there.body == body:
                return Found.RIGHT
            try:
                self.objects.put(
                    key, body, content_type=TEXT, create=there is None, replaces=there.etag if there else None
                )
            except (PreconditionFailed, NotFound):  # somebody wrote, or deleted, at the same moment: see what
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        return Found.ALTERED if there else Found.MISSING

    def _get(self, key: str, size: int) -> StoredObject | None:
        """One byte more than it should have is enough to tell that it is wrong."""
        try:
            return self.objects.get(key, max_bytes=size)
        except NotFound:
            return None

    def _is_right(self, path: str) -> bool:
        there = self._get(self.store.key(path), LARGEST)
        return there is not None and hashlib.sha256(there.body).hexdigest() == _digest(path)

    def _uri(self, path: str) -> str:
        return f"s3://{self.store.bucket}/{self.store.key(path)}"


def copy_of(path: str) -> str:
    """Where the second copy of an object lies, below the store's prefix."""
    return f"{COPIES}/{_digest(path)}"


def _digest(path: str) -> str:
    return path.removeprefix(f"{COPIES}/").partition("/")[0]
