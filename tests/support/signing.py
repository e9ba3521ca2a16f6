"""Keys and signed commits, made by the real programs in folders of the tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.unit.sources_support import QUIET

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com")


def said(*words: str, environment: dict[str, str] | None = None, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    done = subprocess.run(
        words,
        env={**os.environ, **QUIET, **(environment or {})},
        input=stdin,
        capture_output=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, (words, done.stderr.decode())
    return done.stdout


@dataclass(frozen=True)
class SshKey:
    """`private` for git's user.signingkey; `public` the text of its .pub file."""

    private: Path
    public: str

    @classmethod
    def make(cls, folder: Path, name: str) -> SshKey:
        folder.mkdir(exist_ok=True, parents=True)
        path = folder / name
        said("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path))
        return cls(path, path.with_suffix(".pub").read_text().strip())

    def line(self, options: str = "", who: str = "a@example.com") -> str:
        return f"{who} {options + ' ' if options else ''}{self.public}\n"

    @property
    def git(self) -> tuple[str, ...]:
        return ("-c", "gpg.format=ssh", "-c", f"user.signingkey={self.private}")


@dataclass(frozen=True)
class GpgKey:
    """A key in a GNUPGHOME of the test's own. `clock`: what gpg takes for now while it signs."""

    home: Path
    user: str
    clock: str = ""

    @classmethod
    def make(cls, home: Path, name: str, *, clock: str = "", expires: str = "never") -> GpgKey:
        home.mkdir(mode=0o700, exist_ok=True, parents=True)
        key = cls(home, f"{name}@example.com", clock)
        key.gpg("--quick-generate-key", f"{name} <{key.user}>", "ed25519", "sign", expires)
        return key

    def gpg(self, *words: str, stdin: bytes = b"") -> bytes:
        clock = ("--faked-system-time", self.clock) if self.clock else ()
        quiet = ("--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", "")
        return said("gpg", *quiet, *clock, *words, environment=self.environment, stdin=stdin)

    @property
    def environment(self) -> dict[str, str]:
        return {"GNUPGHOME": str(self.home)}

    @property
    def public(self) -> bytes:
        return self.gpg("--armor", "--export", self.user)

    @property
    def fingerprint(self) -> str:
        listed = self.gpg("--with-colons", "--list-keys", self.user).decode()
        return str(re.findall(r"^fpr:+([0-9A-F]{40}):", listed, re.MULTILINE)[0])

    @property
    def revocation(self) -> bytes:
        """The certificate that gpg made along with the key, its safety colon taken away."""
        text = (self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev").read_text()
        return text.replace("\n:-----", "\n-----").encode()

    def program(self, *words: str) -> tuple[str, ...]:
        """How git is told to sign by this key; more words go to gpg."""
        script = self.home / f"sign-{uuid4().hex}"
        clock = f"--faked-system-time {self.clock} " if self.clock else ""
        script.write_text(f'#!/bin/sh\nexec gpg --batch {clock}{" ".join(words)} "$@"\n')
        script.chmod(0o700)
        return ("-c", f"gpg.program={script}", "-c", f"user.signingkey={self.user}")

    @property
    def git(self) -> tuple[str, ...]:
        return self.program()

    def stop(self) -> None:
        """End the agent that signing started."""
        if shutil.which("gpgconf"):
            said("gpgconf", "--kill", "all", environment=self.environment)


Key = SshKey | GpgKey


@dataclass(frozen=True)
class Work:
    """A repository with a work tree, whose commits are signed or not."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> Work:
        path.mkdir(parents=True, exist_ok=True)
        work = cls(path)
        work.git("init", "--quiet", "--initial-branch=main")
        work.git("config", "uploadpack.allowAnySHA1InWant", "true")
        return work

    def git(self, *words: str, environment: dict[str, str] | None = None, stdin: bytes = b"") -> str:
        return said("git", *words, environment=environment, stdin=stdin, cwd=self.path).decode().strip()

    def commit(self, text: str, by: Key | None = None, settings: tuple[str, ...] = (), name: str = "a.yaml") -> str:
        """Write one spec file, and commit all there are; the commit's id."""
        (self.path / name).write_text(text)
        self.git("add", "--all")
        how = (*(settings or (by.git if by else ())), "commit", "--quiet", "--allow-empty", "--message", "m")
        self.git(*AUTHOR, *how, *(("--gpg-sign",) if by else ()), environment=_home(by))
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, by: Key | None = None, commit: str = "HEAD", date: str = "") -> str:
        """An annotated tag, signed where there is a key; its own id."""
        how = (*(by.git if by else ()), "tag", "--force", "--message", "m", "--sign" if by else "--annotate")
        dates = {"GIT_COMMITTER_DATE": date} if date else {}
        self.git(*AUTHOR, *how, name, commit, environment={**_home(by), **dates})
        return self.git("rev-parse", f"refs/tags/{name}")

    def put(self, raw: bytes, kind: str = "commit", ref: str = "refs/heads/main") -> str:
        """Store an object of exactly these bytes, and point a ref at it."""
        made = self.git("hash-object", "-t", kind, "-w", "--stdin", stdin=raw)
        self.git("update-ref", ref, made)
        return made

    def raw(self, name: str) -> bytes:
        return said("git", "cat-file", self.git("cat-file", "-t", name), name, cwd=self.path)


def _home(by: Key | None) -> dict[str, str]:
    return by.environment if isinstance(by, GpgKey) else {}
