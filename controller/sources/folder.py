"""A folder as a source: walked on every poll, read only where a file's stat says that it may have changed."""

# Names on disk need not be UTF-8: they are bytes here, which pathlib does not take.
# ruff: noqa: PTH113, PTH114, PTH116, PTH118, PTH123

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.sources.address import FolderSpec
from controller.sources.errors import Reason, SourceError
from controller.sources.names import SpecName, is_hidden, spec_name
from controller.sources.snapshot import (
    FileProblem,
    FileReason,
    Limits,
    Snapshot,
    SourceFile,
    check_count,
    check_entries,
    check_total,
    make_snapshot,
    too_large,
)

_RACY_NS = 2_000_000_000
"""A file changed this short a time before it was read may change again within one tick of the file
system's clock and keep its stat (git calls it "racy"), so it is read again. Nanoseconds."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was read, and the stat that it had; None where that stat cannot be relied on."""

    stamp: Stamp | None
    file: SourceFile


class FolderSource:
    """Polls one folder. Symlinks to files are followed inside it; links to folders are not entered."""

    def __init__(self, spec: FolderSpec, limits: Limits, *, now: Callable[[], int] = time.time_ns) -> None:
        self._root, self._limits, self._now = Path(spec.path), limits, now
        self._known: dict[bytes, _Known] = {}
        self._given: Snapshot | None = None

    def poll(self, last: Snapshot | None) -> Snapshot:
        """See Source.poll."""
        known = self._read_all()
        same = known.keys() == self._known.keys() and all(
            entry.file is self._known[raw].file for raw, entry in known.items()
        )
        self._known = known
        if last is not None and last is self._given and same:
            return last
        snapshot = make_snapshot((entry.file for entry in known.values()), self._limits)
        self._given = last if last is not None and last == snapshot else snapshot
        return self._given

    def _read_all(self) -> dict[bytes, _Known]:
        """Every spec file by its raw name; a file that is equal to the one before is that one."""
        root = os.fsencode(self._resolved())
        known: dict[bytes, _Known] = {}
        total = 0
        for raw, name in _walk(root, self._limits):
            if not (found := self._look(root, raw, name)):
                continue
            before = self._known.get(raw)
            known[raw] = _Known(found.stamp, before.file) if before and before.file == found.file else found
            total += len(found.file.content or b"")
            check_count(len(known), self._limits)
            check_total(total, self._limits)
        return known

    def _resolved(self) -> Path:
        try:
            root = self._root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "symlinks in a circle"
            raise SourceError(
                Reason.NOT_FOUND, f"the folder {self._root} cannot be opened: {why}", "Check the path"
            ) from None
        if not root.is_dir():
            raise SourceError(Reason.NOT_FOUND, f"{self._root} is not a folder", "Name the folder that holds the specs")
        return root

    def _look(self, root: bytes, raw: bytes, name: SpecName) -> _Known | None:
        """The file, from memory where its stat is unchanged; None where it is gone by now."""
        if name.problem:
            return _Known(None, SourceFile(name.text, 0, None, name.problem))
        try:
            return self._read(root, raw, name.text)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = f"the file cannot be read: {error.strerror}"
            return _trouble(name.text, FileReason.UNREADABLE, why, "Check its owner and mode")

    def _read(self, root: bytes, raw: bytes, path: str) -> _Known:
        target = os.path.join(root, raw)
        if os.path.islink(target):
            target = os.path.realpath(target)
            if trouble := _link_trouble(root, target):
                return _Known(None, SourceFile(path, 0, None, trouble))
        facts = os.stat(target, follow_symlinks=False)
        if not stat.S_ISREG(facts.st_mode):
            return _trouble(path, FileReason.NOT_A_FILE, "that is no regular file", "Use a real file")
        stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
        if (before := self._known.get(raw)) and before.stamp == stamp:
            return before
        settled = self._now() - max(facts.st_mtime_ns, facts.st_ctime_ns) > _RACY_NS
        return _Known(stamp if settled else None, self._content(target, path, facts.st_size))

    def _content(self, target: bytes, path: str, size: int) -> SourceFile:
        """At most the limit and one byte more are read, however the file grows meanwhile."""
        limit = self._limits.max_file_bytes
        if size > limit:
            return too_large(path, size, self._limits)
        with open(os.open(target, _OPEN), "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            return too_large(path, len(content), self._limits)
        return SourceFile(path, len(content), content)


def _walk(root: bytes, limits: Limits) -> Iterator[tuple[bytes, SpecName]]:
    """The spec files under `root`, by relative path. A folder that cannot be listed ends the poll:
    files that only seem to be gone must not look deleted.
    """
    pending, seen = [b""], 0
    while pending:
        folder = pending.pop()
        for entry in _listed(os.path.join(root, folder), may_vanish=bool(folder)):
            seen += 1
            check_entries(seen, limits)
            raw = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if not is_hidden(entry.name):
                    pending.append(raw)
            elif name := spec_name(raw):
                yield raw, name


def _listed(folder: bytes, *, may_vanish: bool) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        if may_vanish and isinstance(error, FileNotFoundError):
            return []  # deleted since its parent was listed
        shown = folder.decode(errors="backslashreplace")
        raise SourceError(
            Reason.UNREADABLE, f"the folder {shown} cannot be listed: {error.strerror}", "Check its mode"
        ) from None


def _link_trouble(root: bytes, real: bytes) -> FileProblem | None:
    """Why the file that a symlink ends at is not read. `.git` is left out: its config may hold credentials.
    Other hidden folders are not: a Kubernetes ConfigMap links every file into its `..data`.
    """
    below = real.removeprefix(root.rstrip(b"/"))
    if below == real or not below.startswith(b"/") or b".git" in below.split(b"/"):
        message = "the symlink leads out of the source"
        return FileProblem(FileReason.LINK_OUTSIDE, message, "Put the file itself there")
    if not os.path.isfile(real):
        return FileProblem(FileReason.LINK_BROKEN, "the symlink leads to no file", "Mend or delete it")
    return None


def _trouble(path: str, reason: FileReason, message: str, hint: str) -> _Known:
    return _Known(None, SourceFile(path, 0, None, FileProblem(reason, message, hint)))
