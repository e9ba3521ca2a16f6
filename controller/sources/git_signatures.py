"""Whether a commit or tag carries a good signature, by git's own verification (git-verify-commit, git-verify-tag).

What git leaves open is looked at first: objects without bounds, several signatures, and the name inside of a tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from controller.sources.errors import Reason, SourceError
from controller.sources.git_program import Git
from controller.sources.keyring import Keyring, missing
from controller.sources.process import Finished
from controller.sources.verdicts import Verdict, by_gpg, by_ssh

_MAX_OBJECT = 1024 * 1024
"""Bytes of a commit or tag, message and signature included."""
_KINDS = {b"PGP SIGNATURE": "gpg", b"PGP MESSAGE": "gpg", b"SSH SIGNATURE": "ssh", b"SIGNED MESSAGE": "x509"}
_IN_COMMIT = re.compile(rb"^gpgsig(?:-sha256)?\b(?: -----BEGIN (.*?)-----)?", re.MULTILINE)
_IN_TAG = re.compile(rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE)
_TAGGER = re.compile(rb"^tagger .*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)
_SIGN_TAG = "Make it with git tag -s"

What = Literal["commit", "tag"]


@dataclass(frozen=True, slots=True)
class Signed:
    """`at`: when a tag says that it was made, in seconds since 1970; what it says is signed."""

    verdict: Verdict
    at: int = 0


@dataclass(frozen=True, slots=True)
class Signatures:
    """Judges objects that are in the cache. Raises SourceError where nothing can be judged."""

    git: Git
    ring: Keyring

    def commit(self, name: str) -> Signed:
        raw = self._read(name, "commit")
        if isinstance(raw, Verdict):
            return Signed(raw)
        found = _IN_COMMIT.findall(raw.partition(b"\n\n")[0])
        return Signed(self._verdict("verify-commit", name, found))

    def tag(self, name: str, called: str) -> Signed:
        """`called`: what the source names; a signed tag can be moved to another name, for git does not look."""
        raw = self._read(name, "tag")
        if isinstance(raw, Verdict):
            return Signed(raw)
        head, _, text = raw.partition(b"\n\n")
        lines = head.split(b"\n")
        if b"type commit" not in lines:
            return Signed(Verdict("is on something that is no commit", "Tag the commit itself: git tag -s NAME COMMIT"))
        if f"tag {called}".encode() not in lines:
            why = f"is of a tag with another name than {called}"
            return Signed(Verdict(why, f"{_SIGN_TAG}, by the name that the source gives"))
        made = _TAGGER.search(head)
        return Signed(self._verdict("verify-tag", name, _IN_TAG.findall(text)), int(made[1]) if made else 0)

    def _read(self, name: str, what: What) -> bytes | Verdict:
        asked = name.encode() + b"\n"
        row = self.git.local("cat-file", "--batch-check=%(objecttype) %(objectsize)", what="read", stdin=asked).split()
        if row[:1] != [what.encode()] and what == "tag":
            return Verdict("is missing: the tag is a light one, without an object of its own", _SIGN_TAG)
        if row[:1] != [what.encode()]:
            raise SourceError(Reason.CACHE, f"git's cache lacks {what} {name[:12]}")
        if int(row[1]) > _MAX_OBJECT:
            return Verdict(f"is not looked at: the {what} has more than {_MAX_OBJECT:,} bytes", "Shorten its message")
        return self.git.local("cat-file", what, name, what="read")

    def _verdict(self, command: str, name: str, found: list[bytes]) -> Verdict:
        if not found:
            return Verdict("is missing", "Sign it: git commit -S, git tag -s")
        if len(found) > 1:
            return Verdict("is not one but several", "Sign with one key")
        kind = _KINDS.get(found[0], "")
        if kind not in ("gpg", "ssh"):
            return Verdict("is neither GPG's nor SSH's", "Sign with a GPG or an SSH key: git-config(1), gpg.format")
        if not (self.ring.gpg if kind == "gpg" else self.ring.ssh):
            return Verdict(f"is by {kind.upper()}, and no {kind.upper()} key is allowed", "Give its key under keys")
        done = self.git.judged(command, "--raw", name, what="verify", keyring=self.ring)
        return self._read_answer(kind, done)

    def _read_answer(self, kind: str, done: Finished) -> Verdict:
        said, well = done.err.decode(errors="replace"), done.code == 0
        program = "gpg" if kind == "gpg" else "ssh-keygen"
        if re.search(rf"(cannot (exec|run)|could not exec) '?{program}", said):
            raise missing(program)
        if kind == "gpg":
            return by_gpg(said, ended_well=well, revoked=self.ring.revoked)
        return by_ssh(said, ended_well=well, revocations=self.ring.revocations)
