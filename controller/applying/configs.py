"""Config objects: put up, verified, put back. Each lies under the sha256 of its own bytes, and once more in state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controller.api.errors import Explained
from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, PreconditionFailed
from controller.desired.model import ConfigObject, ConfigStore

TEXT = "text/plain; charset=utf-8"
COPIES = "_state/configs"


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

    def put(self, config: ConfigObject) -> Found:
        """Make sure that both copies are there, byte for byte. Says how the first was found."""
        self._ensure(self._copy_key(config.sha256), config.body)
        return self._ensure(self.store.key(config.path), config.body)

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
            elif self._is_right(path):
                self.verified.add((path, info.etag))
            else:
                wrong[path] = Found.ALTERED
        return wrong

    def put_back(self, path: str) -> Found:
        """Restore one object from its second copy. Raises LostForGood where that is gone or wrong too."""
        digest, _, name = path.partition("/")
        try:
            body = self.objects.get(self._copy_key(digest)).body
        except NotFound as error:
            raise LostForGood(self._uri(path)) from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise LostForGood(self._uri(path))
        return self._ensure(self.store.key(digest, name), body)

    def _ensure(self, key: str, body: bytes) -> Found:
        """If-None-Match where it is missing, If-Match where it is wrong: two writers never overwrite each other."""
        found = Found.MISSING
        for _ in range(3):
            try:
                there = self.objects.get(key, max_bytes=len(body))
            except NotFound:
                there = None
            if there is not None and there.body == body:
                return Found.RIGHT
            found = Found.ALTERED if there else Found.MISSING
            try:
                self.objects.put(
                    key, body, content_type=TEXT, create=there is None, replaces=there.etag if there else None
                )
            except PreconditionFailed:
                continue  # somebody wrote at the same moment: see what
            return found
        return found

    def _is_right(self, path: str) -> bool:
        digest = path.partition("/")[0]
        try:
            return hashlib.sha256(self.objects.get(self.store.key(path)).body).hexdigest() == digest
        except NotFound:
            return False

    def _copy_key(self, digest: str) -> str:
        return self.store.key(COPIES, digest)

    def _uri(self, path: str) -> str:
        return f"s3://{self.store.bucket}/{self.store.key(path)}"
