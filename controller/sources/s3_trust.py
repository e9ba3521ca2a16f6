"""What is asked of an S3 source before its files count: a bucket that keeps versions, and a signed manifest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from controller.aws.ports import NotFound, ObjectInfo, ObjectStore, SourceBucket
from controller.sources.detached import by_detached_gpg, by_detached_ssh
from controller.sources.errors import Reason, SourceError
from controller.sources.keyring import Keyring, keyring
from controller.sources.keys import Trust, read_keys
from controller.sources.manifest import NAME, compare, read_manifest, refused
from controller.sources.snapshot import SourceFile
from controller.sources.verdicts import Verdict

SSH, GPG = f"{NAME}.sig", f"{NAME}.asc"
_ASKED_AGAIN = 3600.0
_MAX_MANIFEST, _MAX_SIGNATURE = 16 * 1024 * 1024, 64 * 1024


@dataclass(frozen=True, slots=True)
class S3Options:
    """The setting `s3`; `owner` is the bucket's own affair, and here for messages alone."""

    owner: str | None = None
    versioned: bool = False
    verify: Trust | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)


class Versioning:
    """Whether the bucket keeps versions, asked once an hour."""

    def __init__(self, store: SourceBucket, *, required: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._required, self._now = store, required, now
        self._good_at: float | None = None

    def check(self) -> None:
        """Raises SourceError, AwsError."""
        now = self._now()
        if not self._required or (self._good_at is not None and now - self._good_at < _ASKED_AGAIN):
            return
        self._good_at = None
        if not self._store.versioned():
            message = f"the bucket {self._store.bucket} does not keep versions, and s3.versioning is require"
            raise SourceError(Reason.UNVERIFIED, message, "Enable versioning on it: aws s3api put-bucket-versioning")
        self._good_at = now


@dataclass(frozen=True, slots=True)
class _Judged:
    """Manifest and signatures by ETag, the keys, and what came of them."""

    by: tuple[str, ...]
    listed: Mapping[str, str]


class Manifest:
    """The signed list of what a prefix holds. `offer` it what a listing finds, then `check` the files."""

    def __init__(self, store: ObjectStore, trust: Trust, cache: Path, environment: Mapping[str, str]) -> None:
        self._store, self._trust, self._cache, self._environment = store, trust, cache, environment
        self._found: dict[str, ObjectInfo] = {}
        self._judged: _Judged | None = None

    def start(self) -> None:
        """Of another look at the bucket."""
        self._found = {}

    def offer(self, name: bytes, info: ObjectInfo) -> None:
        """An object by its path below the prefix."""
        if (text := name.decode(errors="replace")) in (NAME, SSH, GPG):
            self._found[text] = info

    def check(self, files: list[SourceFile]) -> None:
        """Raises SourceError, AwsError."""
        ring = keyring(read_keys(self._trust), self._cache, self._environment)
        by = (ring.digest, *(f"{name} {info.etag}" for name, info in sorted(self._found.items())))
        if self._judged is None or self._judged.by != by:
            self._judged = None
            self._judged = _Judged(by, self._read(ring))
        compare(self._judged.listed, files)

    def _read(self, ring: Keyring) -> Mapping[str, str]:
        if NAME not in self._found:
            raise refused("is missing", "See docs/signed-specs.md for how to make and sign it")
        content = self._get(NAME, _MAX_MANIFEST)
        verdicts = list(self._verdicts(content, ring))
        if not any(one.good for one in verdicts):
            worst = verdicts[0] if verdicts else Verdict("is missing", f"Put {SSH} or {GPG} beside it")
            raise SourceError(Reason.UNVERIFIED, f"the signature of the {NAME} {worst.why}", worst.hint)
        return read_manifest(content)

    def _verdicts(self, content: bytes, ring: Keyring) -> list[Verdict]:
        found = []
        for name, allowed, judge in ((SSH, ring.ssh, by_detached_ssh), (GPG, ring.gpg, by_detached_gpg)):
            if name in self._found and allowed:
                found.append(judge(content, self._get(name, _MAX_SIGNATURE), ring, self._environment))
            elif name in self._found:
                kind = "SSH" if name == SSH else "GPG"
                found.append(Verdict(f"is by {kind}, and no {kind} key is allowed", "Give its key under keys"))
        return found

    def _get(self, name: str, most: int) -> bytes:
        try:
            body = self._store.get(self._found[name].key, max_bytes=most).body
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise
            raise refused("or its signature is gone since it was listed", "An upload may be under way") from None
        if len(body) > most:
            raise SourceError(Reason.TOO_LARGE, f"{name} has more than {most:,} bytes", f"Make {name} anew")
        return body
