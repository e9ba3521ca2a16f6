"""Where specs come from: a folder, git, or S3, each as a Snapshot of bounded size; unchanged is no work."""

from __future__ import annotations

from controller.sources.address import FolderSpec, GitSpec, S3Spec, SourceSpec, parse_source
from controller.sources.credentials import GitOptions, Secret
from controller.sources.errors import Reason, SourceError
from controller.sources.opening import open_source
from controller.sources.snapshot import (
    FileProblem,
    FileReason,
    Limits,
    Snapshot,
    Source,
    SourceFile,
)

__all__ = [
    "FileProblem",
    "FileReason",
    "FolderSpec",
    "GitOptions",
    "GitSpec",
    "Limits",
    "Reason",
    "S3Spec",
    "Secret",
    "Snapshot",
    "Source",
    "SourceError",
    "SourceFile",
    "SourceSpec",
    "open_source",
    "parse_source",
]
