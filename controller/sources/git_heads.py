"""Which head may be used: one that is signed, and that takes nothing back which was in force before."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.sources.address import GitSpec
from controller.sources.errors import Reason, SourceError
from controller.sources.git_program import Git
from controller.sources.git_signatures import Signatures, Signed

_NEAR, _FAR = 50, 1000
"""Commits of history: those that are looked through for a good one, and those in which the last good one must lie."""
_NOTE = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40}) (\d{1,12})\n")


@dataclass(frozen=True, slots=True)
class Head:
    """`name`: the object that a ref points to, a commit or an annotated tag; `commit`: what it comes down to."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Good:
    """The last head that was found good; `at`: see Signed."""

    head: Head
    at: int = 0


class Memory:
    """The last good head of one ref, in a file beside the cache: a cache that starts afresh does not forget it."""

    def __init__(self, home: Path, spec: GitSpec, mode: str) -> None:
        name = hashlib.sha256(f"{mode} {spec.ref or 'HEAD'}".encode()).hexdigest()[:16]
        self.path = home.with_name(f"{home.name}.good-{name}")
        self._good: Good | None = None

    def read(self) -> Good | None:
        """What the file says, which other processes may have written, or else what this one knows."""
        try:
            found = _NOTE.fullmatch(self.path.read_text()) if self.path.lstat().st_uid == os.geteuid() else None
        except (OSError, UnicodeDecodeError):
            found = None
        return Good(Head(found[1], found[2]), int(found[3])) if found else self._good

    def write(self, good: Good) -> None:
        """Raises SourceError where the file cannot be written: what is not written down could be taken back."""
        if self.read() == good:
            return
        self._good = good
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            aside.write_text(f"{good.head.name} {good.head.commit} {good.at}\n")
            aside.replace(self.path)
        except OSError as error:
            message = f"the cache folder {self.path.parent} cannot be used: {error.strerror}"
            raise SourceError(Reason.CACHE, message, "It must be a folder that this user may write") from None


@dataclass(frozen=True, slots=True)
class Heads:
    """Judges heads that are in the cache; `deepen` fetches so many commits of the history."""

    spec: GitSpec
    mode: str
    git: Git
    signatures: Signatures
    memory: Memory
    deepen: Callable[[int], None]

    def depth(self) -> int:
        """How much history a fetch takes along: where a good head is known, the next must go on from it."""
        return _NEAR if self.mode == "commit" and not self.spec.commit and self.memory.read() else 1

    def refusal(self, head: Head) -> SourceError | None:
        """Why a head may not be used; None where it may, which is then remembered. Raises SourceError."""
        signed = self._judged(head)
        if not signed.verdict.good:
            what = f"tag {self.spec.ref}" if self.mode == "tag" else "commit"
            message = f"{self.spec}: the signature of {what} {head.name[:12]} {signed.verdict.why}"
            return SourceError(Reason.UNVERIFIED, message, signed.verdict.hint)
        if self.spec.commit:
            return None  # nobody but who wrote the settings says which one it is
        last = self.memory.read()
        if last and last.head != head and self._holds(last) and not self._goes_on(last, head, signed):
            return self._taken_back(last, head)
        self.memory.write(Good(head, signed.at))
        return None

    def last_good(self, head: Head) -> Head | None:
        """What may be used in the place of a head that was refused. Raises SourceError."""
        if self.spec.commit:
            return None
        last = self.memory.read()
        if last and not self._has(last.head.name):
            self.deepen(_NEAR)
            if not self._has(last.head.name):
                return None  # anything else may be older
        if last and self._holds(last):
            return last.head
        return self._newest_good(head) if self.mode == "commit" else None

    def _newest_good(self, head: Head) -> Head | None:
        self.deepen(_NEAR)
        listed = self.git.local("rev-list", "--first-parent", f"--max-count={_NEAR}", head.commit, what="read")
        for commit in listed.decode().split()[1:]:
            found = Head(commit, commit)
            if (signed := self._judged(found)).verdict.good:
                self.memory.write(Good(found, signed.at))
                return found
        return None

    def _judged(self, head: Head) -> Signed:
        if self.mode == "tag":
            called = (self.spec.ref or "").removeprefix("refs/tags/")
            return self.signatures.tag(head.name, called)
        return self.signatures.commit(head.commit)

    def _holds(self, last: Good) -> bool:
        """Whether it is good by the keys of now: one of a key that was revoked since stands in nobody's way."""
        return not self._has(last.head.name) or self._judged(last.head).verdict.good

    def _goes_on(self, last: Good, head: Head, signed: Signed) -> bool:
        """A tag may go back to an older commit, for its own time tells a new signature from an old one."""
        if self.mode == "tag":
            return signed.at >= last.at
        for depth in (0, _NEAR, _FAR):
            if depth:
                self.deepen(depth)
            if not self._has(last.head.commit):
                continue
            if self._reaches(head.commit, last.head.commit):
                return True
            if self._reaches(last.head.commit, head.commit):
                return False
        return False

    def _reaches(self, newer: str, older: str) -> bool:
        """Whether the history of one holds the other, as far as the cache knows it."""
        return not self.git.local("rev-list", "--max-count=1", older, f"^{newer}", what="read").strip()

    def _has(self, name: str) -> bool:
        asked = name.encode() + b"\n"
        out = self.git.local("cat-file", "--batch-check=%(objecttype)", what="read", stdin=asked)
        return out.strip() in (b"commit", b"tag")

    def _taken_back(self, last: Good, head: Head) -> SourceError:
        if self.mode == "tag":
            message = (
                f"{self.spec}: tag {head.name[:12]} is signed, but older than {last.head.name[:12]}, the last good"
            )
            hint = "Somebody may have put an old tag back. To go back, sign a new tag on the older commit"
        else:
            message = (
                f"{self.spec}: commit {head.commit[:12]} is signed, but does not go on from {last.head.commit[:12]}, "
                f"the last good one, as far as its last {_FAR:,} commits tell"
            )
            hint = "Somebody may have put an old state back. To go back, push a signed commit on top"
        return SourceError(
            Reason.UNVERIFIED, message, f"{hint}; to accept this one as it is, delete {self.memory.path} and start anew"
        )
