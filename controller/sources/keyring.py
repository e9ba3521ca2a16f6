"""The allowed keys as gpg and ssh-keygen want them: a folder of our own, named by what is in it.

The user's own keyring and its trust have no say, nothing is asked of a network, and no agent is started.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.sources.errors import Reason, SourceError
from controller.sources.keys import Keys
from controller.sources.process import Bounds, Finished, OutputTooLargeError, TimedOutError, run

SECONDS = 30.0
"""For one signature, or one import."""
_MAX_OUTPUT = 1024 * 1024
_MAX_FILE = 64 * 1024 * 1024
_GPG_CONF = """\
batch
no-tty
no-greeting
quiet
no-autostart
no-auto-key-retrieve
auto-key-locate local
disable-dirmngr
"""
_FINGERPRINTS = "revoked_fingerprints"
_COLONS = re.compile(r"^fpr:(?:[^:\n]*:){8}([0-9A-F]{40,64}):", re.MULTILINE)
_IMPORTED = re.compile(r"^\[GNUPG:\] IMPORT_RES (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Keyring:
    """`digest` tells one set of keys from another."""

    home: Path
    digest: str
    gpg: bool
    ssh: bool
    revocations: bool
    """Whether there is a list of revoked SSH keys."""
    revoked: frozenset[str]
    """Fingerprints of the OpenPGP keys that stand in a file of revoked ones, subkeys too."""

    @property
    def git_settings(self) -> dict[str, str]:
        """Those of git itself: git-config(1), gpg.*. X.509 is out of play."""
        revoked = {"gpg.ssh.revocationFile": str(self.home / "revoked")} if self.revocations else {}
        return {
            "gpg.program": "gpg",
            "gpg.openpgp.program": "gpg",
            "gpg.x509.program": "/bin/false",
            "gpg.ssh.program": "ssh-keygen",
            "gpg.ssh.allowedSignersFile": str(self.signers),
            **revoked,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {"GNUPGHOME": str(self.home / "gnupg")}

    @property
    def signers(self) -> Path:
        return self.home / "allowed_signers"


def keyring(keys: Keys, cache: Path, environment: Mapping[str, str]) -> Keyring:
    """The folder for these keys, made where it is missing. Raises SourceError."""
    home = cache.absolute() / f"keys-{keys.digest}"
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not home.is_dir():
            _make(home, keys, environment)
        facts = home.lstat()
        revoked = frozenset((home / _FINGERPRINTS).read_text().split())
    except OSError as error:
        message = f"the cache folder {cache} cannot be used: {error.strerror}"
        raise SourceError(Reason.CACHE, message, "It must be a folder that this user may write") from None
    if facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"the folder of keys {home} is open to others"
        raise SourceError(Reason.CACHE, message, "Delete it, and use a cache folder of this user's own")
    return Keyring(home, keys.digest, bool(keys.gpg), bool(keys.signers), bool(keys.ssh_revoked), revoked)


def _make(home: Path, keys: Keys, environment: Mapping[str, str]) -> None:
    """Aside, and then in one step: a folder that has the name is whole."""
    aside = Path(tempfile.mkdtemp(prefix="making-keys-", dir=home.parent))  # 0700
    try:
        (aside / "allowed_signers").write_bytes(keys.signers)
        (aside / "revoked").write_bytes(keys.ssh_revoked)
        gnupg = aside / "gnupg"
        gnupg.mkdir(mode=0o700)
        (gnupg / "gpg.conf").write_text(_GPG_CONF)
        own = {**environment, "GNUPGHOME": str(gnupg)}
        for path, content in keys.gpg:
            _import(path, content, own)
        revoked = {one for path, content in keys.gpg_revoked for one in _revoke(path, content, own)}
        (aside / _FINGERPRINTS).write_text("\n".join(sorted(revoked)))
        with (gnupg / "gpg.conf").open("a") as conf:
            conf.write("trust-model always\n")  # importing wants a trust database, judging none
        try:
            aside.rename(home)
        except OSError:
            if not home.is_dir():  # else another process was first
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _import(path: Path, content: bytes, environment: Mapping[str, str]) -> None:
    done = _gpg("--no-auto-check-trustdb", "--import", content=content, environment=environment)
    if b"[GNUPG:] IMPORT_OK " not in done.out:
        raise _no_key("usable public key", path, done)


def _revoke(path: Path, content: bytes, environment: Mapping[str, str]) -> list[str]:
    """The fingerprints of public keys, whether they carry a revocation or not; a certificate of revocation is put
    onto its key, if that is among the allowed ones.
    """
    shown = _gpg("--with-colons", "--show-keys", content=content, environment=environment)
    if found := _COLONS.findall(shown.out.decode(errors="replace")):
        return found
    done = _gpg("--no-auto-check-trustdb", "--import", content=content, environment=environment)
    read = _IMPORTED.search(done.out.decode(errors="replace"))
    if read is None or not int(read[1]):
        raise _no_key("revocation", path, done)
    return []


def _gpg(*words: str, content: bytes, environment: Mapping[str, str]) -> Finished:
    return call(("gpg", "--status-fd", "1", *words), environment=environment, stdin=content)


def _no_key(what: str, path: Path, done: Finished) -> SourceError:
    said = " ".join(done.err.decode(errors="replace").split())[:200]
    said = "".join(letter if letter.isprintable() else " " for letter in said)
    message = f"gpg finds no {what} in {path}" + (f": {said}" if said else "")
    return SourceError(Reason.KEYS, message, "Export it anew: gpg --armor --export KEY")


def call(
    argv: tuple[str, ...],
    *,
    environment: Mapping[str, str],
    stdin: bytes = b"",
    cwd: Path | None = None,
) -> Finished:
    """One run of gpg or ssh-keygen. Raises SourceError where it is missing or does not end."""
    clean = {name: environment[name] for name in ("PATH", "TMPDIR", "GNUPGHOME") if name in environment}
    home = environment.get("GNUPGHOME", "/nonexistent")
    try:
        return run(
            argv,
            environment={**clean, "HOME": home, "LC_ALL": "C"},
            cwd=cwd or Path("/"),
            bounds=Bounds(SECONDS, _MAX_OUTPUT, _MAX_FILE),
            stdin=stdin,
        )
    except TimedOutError:
        message = f"{argv[0]} did not end within {SECONDS:g} s"
        raise SourceError(Reason.TIMED_OUT, message, "Try it by hand on the key files") from None
    except OutputTooLargeError:
        raise SourceError(
            Reason.VERIFIER_MISSING, f"{argv[0]} says too much", "Try it by hand on the key files"
        ) from None
    except OSError as error:
        raise missing(argv[0], error.strerror or "") from None


def missing(program: str, why: str = "") -> SourceError:
    package = "gnupg" if program == "gpg" else "openssh-client"
    message = f"the program {program} cannot be started" + (f": {why}" if why else "")
    return SourceError(Reason.VERIFIER_MISSING, message, f"Install {package}, and see that {program} is in PATH")
