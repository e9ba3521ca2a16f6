"""A commit's tree as spec files, read from git's object database: nothing is ever checked out, so no
filter, hook or symlink can act on this machine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from controller.sources.errors import Reason, SourceError
from controller.sources.git_program import Git
from controller.sources.names import SpecName, spec_name
from controller.sources.snapshot import (
    FileProblem,
    FileReason,
    Limits,
    SourceFile,
    check_count,
    check_entries,
    check_total,
    too_large,
)

_LINK = b"120000"
_FILES = (b"100644", b"100755", b"100664")
_MAX_TARGET = 1024
_MAX_STEPS = 256
"""Parts of paths that are walked for one symlink: ends circles, and hostile chains of long targets."""
_LACKS = "git's cache lacks a file of the commit that it holds"
_LISTED_BYTES = 300
"""Room for one entry of a listing; a path longer than that takes another's share."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of `git ls-tree -l`; submodules are left out."""

    mode: bytes
    blob: bytes
    size: int


class Tree:
    """All entries of a folder of a commit, by path, and the targets of its symlinks."""

    def __init__(self, entries: dict[bytes, Entry], targets: dict[bytes, bytes]) -> None:
        self._entries, self._targets = entries, targets
        self._paths = sorted(entries)

    def _is_folder(self, path: bytes) -> bool:
        """Git has no empty folders. Not kept: of paths with thousands of parts they would fill any memory."""
        at = bisect_left(self._paths, start := path + b"/")
        return at < len(self._paths) and self._paths[at].startswith(start)

    def follow(self, path: bytes) -> Entry | FileProblem:
        """The file that a symlink ends at, found in this tree alone, as the kernel would on disk."""
        todo, here = path.split(b"/"), list[bytes]()
        for _ in range(_MAX_STEPS):
            if not todo:
                break
            part = todo.pop(0)
            if part in (b"", b"."):
                continue
            if part == b"..":
                if not here:
                    return _outside()
                here.pop()
                continue
            at = b"/".join((*here, part))
            entry = self._entries.get(at)
            if entry and entry.mode == _LINK:
                target = self._targets.get(at)
                if target is None:
                    return _broken()
                if target.startswith(b"/"):
                    return _outside()
                todo = target.split(b"/") + todo
            elif not todo or self._is_folder(at):
                here.append(part)
            else:
                return _broken()
        found = None if todo else self._entries.get(b"/".join(here))
        return found or _broken()


def read_files(git: Git, tree: str, limits: Limits) -> list[SourceFile]:
    """The spec files of a tree-ish, sizes known before any content is loaded. Raises SourceError."""
    entries = _entries(git, tree, limits)
    named = {path: name for path in entries if (name := spec_name(path))}
    check_count(len(named), limits)
    links = {path: entry for path, entry in entries.items() if entry.mode == _LINK and entry.size <= _MAX_TARGET}
    if not any(entries[path].mode == _LINK for path in named):
        links = {}  # nobody asks where the others lead
    targets = _blobs(git, (entry.blob for entry in links.values()), _MAX_TARGET * len(links))
    whole = Tree(entries, {path: targets[entry.blob] for path, entry in links.items()})
    found = {path: _resolved(whole, path, entries[path]) for path in named}
    wanted = {
        entry.blob: entry.size
        for path, entry in found.items()
        if isinstance(entry, Entry) and not named[path].problem and entry.size <= limits.max_file_bytes
    }
    check_total(sum(wanted.values()), limits)
    contents = _blobs(git, wanted, sum(wanted.values()))
    return [_file(name, found[path], contents, limits) for path, name in named.items()]


def _resolved(tree: Tree, path: bytes, entry: Entry) -> Entry | FileProblem:
    return tree.follow(path) if entry.mode == _LINK else entry


def _file(name: SpecName, entry: Entry | FileProblem, contents: dict[bytes, bytes], limits: Limits) -> SourceFile:
    if problem := name.problem or (entry if isinstance(entry, FileProblem) else None):
        return SourceFile(name.text, entry.size if isinstance(entry, Entry) else 0, None, problem)
    assert isinstance(entry, Entry)  # noqa: S101 (told to mypy: the other kind has just returned)
    if entry.size > limits.max_file_bytes:
        return too_large(name.text, entry.size, limits)
    return SourceFile(name.text, entry.size, contents[entry.blob])


def _entries(git: Git, tree: str, limits: Limits) -> dict[bytes, Entry]:
    """What `ls-tree -r -z -l` lists: mode, type, object and padded size, a tab, the path, and a NUL each."""
    room = _LISTED_BYTES * (limits.max_entries + 1)
    out = git.local("ls-tree", "-r", "-z", "-l", tree, what="list the files of", max_output=room)
    entries: dict[bytes, Entry] = {}
    for row in out.split(b"\0"):
        head, _, path = row.partition(b"\t")
        fields = head.split()
        if len(fields) == 4 and (fields[0] == _LINK or fields[0] in _FILES):  # noqa: PLR2004 (see above)
            if not fields[3].isdigit():  # BAD: git has the name of the object, and not the object
                raise SourceError(Reason.CACHE, _LACKS)
            entries[path] = Entry(fields[0], fields[2], int(fields[3]))
    check_entries(len(entries), limits)
    return entries


def _blobs(git: Git, blobs: Iterable[bytes], size: int) -> dict[bytes, bytes]:
    """Contents by object id. `cat-file --batch` answers a line of object, type, size; contents; line end."""
    asked = dict.fromkeys(blobs)
    if not asked:
        return {}
    stdin = b"".join(blob + b"\n" for blob in asked)
    out = git.local("cat-file", "--batch", what="read the files of", stdin=stdin, max_output=size + 128 * len(asked))
    found, at = dict[bytes, bytes](), 0
    for blob in asked:
        end = out.find(b"\n", at)
        fields = out[at:end].split()
        if end < 0 or len(fields) != 3 or fields[:2] != [blob, b"blob"]:  # noqa: PLR2004 (see above)
            raise SourceError(Reason.CACHE, _LACKS)
        length = int(fields[2])
        found[blob] = out[end + 1 : end + 1 + length]
        at = end + length + 2
    return found


def _outside() -> FileProblem:
    message = "the symlink leads out of the source"
    return FileProblem(FileReason.LINK_OUTSIDE, message, "Put the file itself there")


def _broken() -> FileProblem:
    return FileProblem(FileReason.LINK_BROKEN, "the symlink leads to no file", "Mend or delete it")
