"""From a SourceSpec to the Source that reads it. Nothing is contacted here: the first poll does that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from controller.aws.ports import ObjectStore, Secrets
from controller.sources.address import FolderSpec, GitSpec, S3Spec, SourceSpec
from controller.sources.credentials import GitOptions, Verify
from controller.sources.errors import Reason, SourceError
from controller.sources.folder import FolderSource
from controller.sources.git import GitSource
from controller.sources.keys import read_keys
from controller.sources.s3 import S3Source
from controller.sources.snapshot import Limits, Source

_HEADS = "refs/heads/"


def open_source(
    spec: SourceSpec,
    *,
    git: GitOptions,
    bucket: Callable[[str], ObjectStore],
    secrets: Secrets | None,
    cache_dir: Path,
    limits: Limits | None = None,
) -> Source:
    """The source that `spec` names. Only git uses `git`, `secrets` and `cache_dir`, only S3 `bucket`."""
    limits = limits or Limits()
    if isinstance(spec, FolderSpec):
        return FolderSource(spec, limits)
    if isinstance(spec, S3Spec):
        return S3Source(spec, bucket(spec.bucket), limits)
    if git.verify:
        _check(spec, git.verify)
    return GitSource(spec, git, secrets, cache_dir, limits)


def _check(spec: GitSpec, verify: Verify) -> None:
    """What is wrong with the settings is said at the start. Raises SourceError."""
    read_keys(verify.trust)
    if verify.mode == "tag" and (spec.commit or not spec.ref or spec.ref == "HEAD" or spec.ref.startswith(_HEADS)):
        message = f"{spec} names no tag, and git.verify has mode: tag"
        raise SourceError(Reason.INVALID_URL, message, "Name a tag: repo@tag; or set mode: commit")
