"""What a source hands on: spec files and their bytes under one revision, bounded in count and size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from controller.sources.errors import Reason, SourceError


class FileReason(StrEnum):
    """Why a file of the source has no content; each says when it is set."""

    TOO_LARGE = "FileTooLarge"
    """Over the limit for one file; it was not read whole."""
    LINK_OUTSIDE = "LinkOutsideSource"
    """A symlink that leads out of the source."""
    LINK_BROKEN = "LinkBroken"
    """A symlink that leads to nothing, to a folder, or in a circle."""
    NOT_A_FILE = "NotAFile"
    """A pipe, socket or device with the name of a spec."""
    UNREADABLE = "FileUnreadable"
    """There, but this process may not read it."""
    BAD_NAME = "FileNameUnusable"
    """Not UTF-8, or with line breaks, control characters, or empty, `.` or `..` parts."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One file that could not be taken in; it harms only itself."""

    reason: FileReason
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One spec file. `path` is relative to the source, with `/`, and safe to print; `size` in bytes.

    Either `content` or `problem` is None. Where the name itself is the problem, `path` is an escaped form.
    """

    path: str
    size: int
    content: bytes | None = field(repr=False)
    problem: FileProblem | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may hold. Files and their bytes count only where they are named like specs;
    `max_entries` bounds what is looked through to find them.
    """

    max_files: int = 10_000
    max_file_bytes: int = 1024 * 1024
    max_total_bytes: int = 256 * 1024 * 1024
    max_entries: int = 200_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All spec files of a source at one moment, by path, in path order.

    `revision` is the commit for git, else `sha256:` and a digest of paths and contents.
    """

    revision: str
    files: Mapping[str, SourceFile] = field(hash=False)
    by: str = field(default="", compare=False)
    """Of a commit: its author's name, and `why` its subject. As they say: nothing proves it but a signature."""
    why: str = field(default="", compare=False)

    def contents(self) -> dict[str, bytes]:
        """The bytes of every file that has no problem, by path."""
        return {path: file.content for path, file in self.files.items() if file.content is not None}

    def problems(self) -> tuple[SourceFile, ...]:
        """The files that could not be taken in."""
        return tuple(file for file in self.files.values() if file.problem)


class Source(Protocol):
    """Somewhere that specs come from."""

    def poll(self, last: Snapshot | None) -> Snapshot:
        """The source as it is now, or `last` itself where nothing changed. Raises SourceError."""


def make_snapshot(
    files: Iterable[SourceFile], limits: Limits, *, revision: str | None = None, by: str = "", why: str = ""
) -> Snapshot:
    """Files in path order under `revision`, or under the digest of what they hold.

    Raises SourceError (TooManyFiles, SourceTooLarge). Two names may only meet here where one was escaped
    for print; the real one stays.
    """
    by_path: dict[str, SourceFile] = {}
    for file in sorted(files, key=lambda file: (file.path, file.problem is None)):
        by_path[file.path] = file
    check_count(len(by_path), limits)
    check_total(sum(len(file.content or b"") for file in by_path.values()), limits)
    return Snapshot(revision or digest(by_path.values()), MappingProxyType(by_path), by, why)


def digest(files: Iterable[SourceFile]) -> str:
    """The revision of a source that has none of its own: equal for equal paths, contents and problems."""
    total = hashlib.sha256()
    for file in files:
        what = f"{file.problem.reason}:{file.size}".encode() if file.problem else b""
        for part in (file.path.encode(), what, file.content or b""):
            total.update(len(part).to_bytes(8))
            total.update(part)
    return f"sha256:{total.hexdigest()}"


def too_large(path: str, size: int, limits: Limits) -> SourceFile:
    """A file over the limit, known by its size alone."""
    message = f"the file has {size:,} bytes, more than the {limits.max_file_bytes:,} that are read"
    problem = FileProblem(FileReason.TOO_LARGE, message, "Split it into several files")
    return SourceFile(path, size, None, problem)


def check_count(count: int, limits: Limits) -> None:
    if count > limits.max_files:
        raise SourceError(
            Reason.TOO_MANY_FILES,
            f"the source has more than {limits.max_files:,} .yaml and .yml files",
            "Point it at the folder that holds the specs alone",
        )


def check_entries(count: int, limits: Limits) -> None:
    """Raise SourceError once more than `max_entries` names of any kind were looked at."""
    if count > limits.max_entries:
        raise SourceError(
            Reason.TOO_MANY_FILES,
            f"the source has more than {limits.max_entries:,} files of all kinds",
            "Point it at the folder that holds the specs alone",
        )


def check_total(size: int, limits: Limits) -> None:
    if size > limits.max_total_bytes:
        raise SourceError(
            Reason.TOO_LARGE,
            f"the spec files have more than {limits.max_total_bytes:,} bytes in sum",
            "Point the source at the folder that holds the specs alone",
        )
