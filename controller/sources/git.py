"""A git repository as a source: `ls-remote` on every poll, and a shallow fetch only for a new commit."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.aws.ports import Secrets
from controller.sources.address import GitSpec
from controller.sources.credentials import GitOptions, Token
from controller.sources.errors import Reason, SourceError
from controller.sources.git_heads import Head, Heads, Memory
from controller.sources.git_program import Git
from controller.sources.git_signatures import Signatures
from controller.sources.git_tree import read_files
from controller.sources.keyring import Keyring, keyring
from controller.sources.keys import read_keys
from controller.sources.names import one_line
from controller.sources.snapshot import Limits, Snapshot, SourceFile, make_snapshot

_KEPT = "refs/logroute/current"
"""Where the fetched commit hangs, so that the next fetch sends differences only."""
_MAX_PACKS = 100
"""Every fetch leaves a pack, old ones are never cleaned: beyond these the cache starts afresh."""
_HEADS = (b"commit", b"tag")
_JUDGED_ANEW = 600.0
_LONGEST_NAME, _LONGEST_SUBJECT = 100, 200
_MAY_BE_CACHE = (Reason.CACHE, Reason.GIT_FAILED)
"""Troubles that a damaged cache may be the cause of: a kill in mid-fetch leaves locks and half files."""


@dataclass(frozen=True, slots=True)
class _Tip:
    """What the server has for a ref: `name` is what to fetch, `head` what it is now."""

    name: str
    head: Head


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refusal, so that one head is not judged again with each poll; `at` in monotonic seconds."""

    refusal: SourceError
    head: Head
    keys: str
    at: float

    def still(self, head: Head, keys: str, now: float, ours: Snapshot | None) -> bool:
        """A key may become valid by time alone; who has nothing yet gets what there is."""
        same = (self.head, self.keys) == (head, keys) and now - self.at < _JUDGED_ANEW
        return same and (ours is not None or self.refusal.instead is None)

    def error(self) -> SourceError:
        refusal = self.refusal
        return SourceError(refusal.reason, refusal.message, refusal.hint, refused=refusal.refused)


class GitSource:
    """Polls one ref of one repository. A poll that finds nothing new asks the server once; one for a
    whole commit id never asks again. An instance is for one thread; processes may share the cache.
    """

    def __init__(
        self, spec: GitSpec, options: GitOptions, secrets: Secrets | None, cache_dir: Path, limits: Limits
    ) -> None:
        self._spec, self._options, self._limits = spec, options, limits
        self._token = Token(options, secrets)
        name = hashlib.sha256(spec.url.encode()).hexdigest()[:32]
        self._home = cache_dir.absolute() / f"git-{name}"
        self._git = Git(spec, options, self._home)
        self._checked = False
        self._given: Snapshot | None = None
        self._memory = Memory(self._home, spec, options.verify.mode) if options.verify else None
        self._by: tuple[Head, str] | None = None
        """What the last poll found good, and the keys that it was judged by."""
        self._refused: _Refused | None = None

    def poll(self, last: Snapshot | None) -> Snapshot:
        """See Source.poll."""
        ours = last if last is not None and last is self._given else None
        ring = self._keyring()
        if ours and self._spec.commit == ours.revision and self._by and self._by[1] == _digest(ring):
            return ours
        with self._locked():
            tip = self._tip()
            if ours and self._by == (tip.head, _digest(ring)):
                return ours
            if self._refused and self._refused.still(tip.head, _digest(ring), time.monotonic(), ours):
                raise self._refused.error()
            head, files = self._read_or_start_afresh(tip, ring, ours)
            by, why = self._told_by(head.commit)
        snapshot = make_snapshot(files, self._limits, revision=head.commit, by=by, why=why)
        self._given = last if last is not None and last == snapshot else snapshot
        self._by = (head, _digest(ring))
        return self._given

    def _keyring(self) -> Keyring | None:
        """The keys as they are now: they are changed without a restart."""
        if self._options.verify is None:
            return None
        return keyring(read_keys(self._options.verify.trust), self._home.parent, self._options.environment)

    def _tip(self) -> _Tip:
        """What the ref points to now; without a request where it is a commit."""
        if not self._checked:
            self._git.check_version()
            self._checked = True
        if commit := self._spec.commit:
            return _Tip(commit, Head(commit, commit))
        names = self._candidates()
        asked = [name for name in names for name in (name, f"{name}^{{}}")]
        out = self._ask("ls-remote", "--quiet", self._spec.url, *asked, what="look for news in")
        rows = (line.split("\t", 1) for line in out.decode(errors="replace").splitlines() if "\t" in line)
        found = {name: commit for commit, name in rows}
        for name in names:
            if name in found:
                return _Tip(name, Head(found[name], found.get(f"{name}^{{}}", found[name])))
        raise self._no_such_ref()

    def _read_or_start_afresh(
        self, tip: _Tip, ring: Keyring | None, ours: Snapshot | None
    ) -> tuple[Head, list[SourceFile]]:
        try:
            return self._read(tip, ring, ours)
        except SourceError as error:
            if error.reason not in _MAY_BE_CACHE:
                raise
        self._wipe()
        return self._read(tip, ring, ours)

    def _read(self, tip: _Tip, ring: Keyring | None, ours: Snapshot | None) -> tuple[Head, list[SourceFile]]:
        heads = self._heads(tip, ring)
        known = self._has(tip.head.commit) and (heads is None or self._kind(tip.head.name) in _HEADS)
        head = tip.head if known else self._newest(tip, heads.depth() if heads else 1)
        if heads and (refused := heads.refusal(head)):
            told = self._told(heads, head, refused, ours)
            self._refused = _Refused(told, head, _digest(ring), time.monotonic())
            raise told
        return head, self._files(head.commit)

    def _told(self, heads: Heads, head: Head, refused: SourceError, ours: Snapshot | None) -> SourceError:
        """The refusal, with the last good state where nothing is in force yet."""
        if ours is None and (ours := self._older(heads, head)):
            self._given, self._by = ours, None
        kept = f"; {ours.revision[:12]} stays in force" if ours else ""
        message = f"{refused.message}{kept}"
        return SourceError(refused.reason, message, refused.hint, instead=ours, refused=head.commit)

    def _older(self, heads: Heads, head: Head) -> Snapshot | None:
        """The last good state; trouble on the way there must not hide why the head was refused."""
        try:
            if good := heads.last_good(head):
                return make_snapshot(self._files(good.commit), self._limits, revision=good.commit)
        except SourceError as error:
            if error.reason in _MAY_BE_CACHE:
                raise
        return None

    def _files(self, commit: str) -> list[SourceFile]:
        tree = f"{commit}:{self._spec.path}"
        if self._spec.path and self._kind(tree) != b"tree":
            raise SourceError(
                Reason.PATH_NOT_FOUND,
                f"{self._spec} has no folder {self._spec.path} in commit {commit[:12]}",
                "Check #path=; a symlink to a folder does not count",
            )
        return read_files(self._git, tree, self._limits)

    def _told_by(self, commit: str) -> tuple[str, str]:
        """Author and subject, fit for one line."""
        out = self._git.local("log", "-1", "--no-show-signature", "--format=%an%x00%s", commit, what="read")
        author, _, subject = out.decode(errors="replace").partition("\0")
        return one_line(author, _LONGEST_NAME), one_line(subject, _LONGEST_SUBJECT)

    def _heads(self, tip: _Tip, ring: Keyring | None) -> Heads | None:
        verify, memory = self._options.verify, self._memory
        if not ring or not verify or not memory:
            return None

        def deepen(depth: int) -> None:
            self._fetch(tip, depth)

        return Heads(self._spec, verify.mode, self._git, Signatures(self._git, ring), memory, deepen)

    def _newest(self, tip: _Tip, depth: int) -> Head:
        """Fetch the tip; it may be newer than the one just listed."""
        if len(list(self._home.glob("objects/pack/*.pack"))) >= _MAX_PACKS:
            self._wipe()
        self._fetch(tip, depth)
        return Head(self._named(_KEPT), self._named(f"{_KEPT}^{{commit}}"))

    def _fetch(self, tip: _Tip, depth: int) -> None:
        """That many commits of the history, one is the tip alone."""
        flags = ("--quiet", f"--depth={depth}", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        self._ask("fetch", *flags, self._spec.url, f"+{tip.name}:{_KEPT}", what="fetch")

    def _named(self, name: str) -> str:
        out = self._git.local("rev-parse", "--verify", "--quiet", "--end-of-options", name, what="read")
        return out.decode().strip()

    def _has(self, commit: str) -> bool:
        """Whether the commit is in the cache, complete: only what a finished fetch left is looked at."""
        return self._kind(commit) == b"commit"

    def _kind(self, name: str) -> bytes:
        """blob, tree, commit, or something else for what is missing."""
        asked = name.encode() + b"\n"
        out = self._git.local("cat-file", "--batch-check=%(objecttype)", what="read", stdin=asked)
        return out.strip()

    def _ask(self, *words: str, what: str) -> bytes:
        """Ask the server, once more with a new token where the kept one was refused."""
        slow = words[0] == "fetch"
        seconds = self._options.fetch_timeout if slow else self._options.request_timeout
        header = self._token.header() if self._spec.scheme == "https" else None
        try:
            return self._git.remote(*words, what=what, seconds=seconds, header=header)
        except SourceError as error:
            if error.reason is not Reason.AUTH_FAILED or not self._token.forget():
                raise
            if (again := self._token.header()) == header:
                raise
            return self._git.remote(*words, what=what, seconds=seconds, header=again)

    def _no_such_ref(self) -> SourceError:
        if self._spec.ref is None:
            hint = "Push a commit, or name a branch: repo@branch"
            return SourceError(Reason.REF_NOT_FOUND, f"{self._spec} has no default branch", hint)
        hint = "Check its spelling; a commit is given by all of its 40 digits"
        return SourceError(Reason.REF_NOT_FOUND, f"{self._spec} names no branch or tag there", hint)

    def _candidates(self) -> tuple[str, ...]:
        """The full names that a ref may have, a branch before a tag of the same name."""
        ref = self._spec.ref
        if ref is None or ref == "HEAD":
            return ("HEAD",)
        if ref.startswith("refs/"):
            return (ref,)
        tag = f"refs/tags/{ref}"
        return (tag,) if self._options.verify and self._options.verify.mode == "tag" else (f"refs/heads/{ref}", tag)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """The cache for this process alone, made where it is missing."""
        try:
            self._home.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._home.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _cache_error(self._home.parent, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._create()
            yield
        finally:
            os.close(lock)

    def _create(self) -> None:
        """An empty bare repository; HEAD is written last, so one that has it is whole."""
        try:
            if (self._home / "HEAD").is_file():
                _check_owner(self._home)
                return
            shutil.rmtree(self._home, ignore_errors=True)
            self._home.mkdir(mode=0o700)
        except OSError as error:
            raise _cache_error(self._home, error) from None
        self._git.local("init", "--quiet", "--bare", "--template=", what="make a cache for")

    def _wipe(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        self._create()


def _digest(ring: Keyring | None) -> str:
    return ring.digest if ring else ""


def _check_owner(home: Path) -> None:
    """Refuse a repository that somebody else could have filled: its config can name programs to run."""
    facts = home.lstat()
    if facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"the cache folder {home} can be written by others"
        raise SourceError(Reason.CACHE, message, "Delete it, and use a folder of this user's own")


def _cache_error(path: Path, error: OSError) -> SourceError:
    message = f"the cache folder {path} cannot be used: {error.strerror}"
    return SourceError(Reason.CACHE, message, "It must be a folder that this user may write")
