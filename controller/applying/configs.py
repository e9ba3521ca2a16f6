"""Config objects: put up, verified, put back. Each lies under the sha256 of its own bytes, and once more in state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controller.api.errors import Explained
from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, PreconditionFailed, StoredObject
from controller.desired.model import ConfigObject, ConfigStore

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

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri

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

    def put(self, config: ConfigObject) -> Found:
        """Make sure that both copies are there, byte for byte. Says how the first was found."""
        self._ensure(self._copy_key(config.sha256), config.body)
        found = self._ensure(self.store.key(config.path), config.body)
        if found is Found.MISSING:
            self.made.add(config.path)
        return found

    def missing(self, paths: Iterable[str], listing: Mapping[str, ObjectInfo]) -> dict[str, Found]:
        """Which of `paths` are not as they should be, by a listing of the store: no request where all is well.

        An object whose ETag is its copy's, or was seen before, needs no look inside.
        """
        wrong: dict[str, Found] = {}
        for path in paths:
            info, copy = listing.get(path), listing.get(f"{COPIES}/{path.partition('/')[0]}")
            if info is None:
                wrong[path] = Found.MISSING
            elif (path, info.etag) in self.verified or (copy and (copy.etag, copy.size) == (info.etag, info.size)):
                continue
            elif info.size <= LARGEST and self._is_right(path):
                self.verified.add((path, info.etag))
            else:
                wrong[path] = Found.ALTERED
        return wrong

    def put_back(self, path: str) -> Found:
        """Restore one object from its second copy. Raises LostForGood where that is gone or wrong too."""
        digest, _, name = path.partition("/")
        try:
            body = self.objects.get(self._copy_key(digest), max_bytes=LARGEST).body
        except NotFound as error:
            raise LostForGood(self._uri(path)) from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise LostForGood(self._uri(path))
        return self._ensure(self.store.key(digest, name), body)

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
        return there is not None and hashlib.sha256(there.body).hexdigest() == path.partition("/")[0]

    def _copy_key(self, digest: str) -> str:
        return self.store.key(COPIES, digest)

    def _uri(self, path: str) -> str:
        return f"s3://{self.store.bucket}/{self.store.key(path)}"
