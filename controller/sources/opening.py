"""From a SourceSpec to the Source that reads it. Nothing is contacted here: the first poll does that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from controller.aws.ports import Secrets, SourceBucket
from controller.sources.address import FolderSpec, GitSpec, S3Spec, SourceSpec
from controller.sources.credentials import GitOptions, Verify
from controller.sources.errors import Reason, SourceError
from controller.sources.folder import FolderSource
from controller.sources.git import GitSource
from controller.sources.keys import read_keys
from controller.sources.s3 import S3Source
from controller.sources.s3_trust import S3Options
from controller.sources.snapshot import Limits, Source

_HEADS = "refs/heads/"


def open_source(
    spec: SourceSpec,
    *,
    git: GitOptions,
    bucket: Callable[[str], SourceBucket],
    secrets: Secrets | None,
    cache_dir: Path,
    limits: Limits | None = None,
    s3: S3Options | None = None,
) -> Source:
    """The source that `spec` names. Only git uses `git` and `secrets`, only S3 `bucket` and `s3`. Raises SourceError
    for keys that cannot be used.
    """
    limits = limits or Limits()
    if isinstance(spec, FolderSpec):
        return FolderSource(spec, limits)
    if isinstance(spec, S3Spec):
        if s3 and s3.verify:
            read_keys(s3.verify)
        return S3Source(spec, bucket(spec.bucket), limits, s3, cache_dir)
    if git.verify:
        _check(spec, git.verify)
    return GitSource(spec, git, secrets, cache_dir, limits)


def _check(spec: GitSpec, verify: Verify) -> None:
    """What is wrong with the settings is said at the start. Raises SourceError."""
    read_keys(verify.trust)
    if verify.mode == "tag" and (spec.commit or not spec.ref or spec.ref == "HEAD" or spec.ref.startswith(_HEADS)):
        message = f"{spec} names no tag, and git.verify has mode: tag"
        raise SourceError(Reason.INVALID_URL, message, "Name a tag: repo@tag; or set mode: commit")
