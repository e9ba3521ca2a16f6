"""Where specs come from: a folder, git, or S3, each as a Snapshot of bounded size; unchanged is no work.

What stands here is imported when it is asked for: who reads a folder needs no git.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controller.sources.address import FolderSpec, GitSpec, S3Spec, SourceSpec, parse_source
    from controller.sources.credentials import GitOptions, Secret, Verify
    from controller.sources.errors import Reason, SourceError
    from controller.sources.keys import Trust
    from controller.sources.opening import open_source
    from controller.sources.s3_trust import S3Options
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
    "S3Options",
    "S3Spec",
    "Secret",
    "Snapshot",
    "Source",
    "SourceError",
    "SourceFile",
    "SourceSpec",
    "Trust",
    "Verify",
    "open_source",
    "parse_source",
]

_HOMES = {
    "address": ("FolderSpec", "GitSpec", "S3Spec", "SourceSpec", "parse_source"),
    "credentials": ("GitOptions", "Secret", "Verify"),
    "errors": ("Reason", "SourceError"),
    "keys": ("Trust",),
    "opening": ("open_source",),
    "s3_trust": ("S3Options",),
    "snapshot": ("FileProblem", "FileReason", "Limits", "Snapshot", "Source", "SourceFile"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
