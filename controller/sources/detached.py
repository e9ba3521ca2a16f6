"""Detached signatures: of `ssh-keygen -Y sign -n logroute`, and of `gpg --detach-sign`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from controller.sources.errors import Reason, SourceError
from controller.sources.keyring import Keyring, call
from controller.sources.verdicts import Verdict, by_gpg, by_ssh

PURPOSE = "logroute"
"""The namespace: a signature that was made for anything else is none."""


def by_detached_gpg(content: bytes, signature: bytes, ring: Keyring, environment: Mapping[str, str]) -> Verdict:
    """Raises SourceError where gpg is missing."""
    own = {**environment, **ring.environment}
    with _kept(signature) as path:
        done = call(("gpg", "--status-fd", "1", "--verify", path, "-"), environment=own, stdin=content)
    return by_gpg(done.out.decode(errors="replace"), ended_well=done.code == 0, revoked=ring.revoked)


def by_detached_ssh(content: bytes, signature: bytes, ring: Keyring, environment: Mapping[str, str]) -> Verdict:
    """As git does it: whose key it may be is asked first. Raises SourceError where ssh-keygen is missing."""
    keygen = ("ssh-keygen", "-Y")
    signers = ("-f", str(ring.signers))
    with _kept(signature) as path:
        asked = call((*keygen, "find-principals", *signers, "-s", path), environment=environment)
        whose = asked.out.decode(errors="replace").splitlines()
        if asked.code or not whose:
            said = asked.err.decode(errors="replace")
            return by_ssh(said or "No principal matched", ended_well=False, revocations=False)
        revoked = ("-r", str(ring.home / "revoked")) if ring.revocations else ()
        words = (*keygen, "verify", "-n", PURPOSE, *signers, "-I", whose[0], "-s", path, *revoked)
        done = call(words, environment=environment, stdin=content)
    said = (done.out + done.err).decode(errors="replace")
    return by_ssh(said, ended_well=done.code == 0, revocations=ring.revocations)


@contextmanager
def _kept(content: bytes) -> Iterator[str]:
    """A file of it, for as long as a program looks at it."""
    try:
        with tempfile.NamedTemporaryFile(prefix="logroute-signature-", delete=False) as file:
            file.write(content)
    except OSError as error:
        message = f"no temporary file can be written: {error.strerror}"
        raise SourceError(Reason.CACHE, message, "Make room in the folder that TMPDIR names") from None
    try:
        yield file.name
    finally:
        Path(file.name).unlink(missing_ok=True)
