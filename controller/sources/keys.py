"""The keys that signatures are judged by: what people gave as files, read, told apart, and refused where unfit.

A file holds either OpenPGP public keys, armored or binary, or SSH keys as ssh-keygen(1) has them under ALLOWED
SIGNERS. Its content tells which, not its name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from controller.sources.errors import Reason, SourceError

_MAX_FILE = 1024 * 1024
_PRIVATE = re.compile(rb"-----BEGIN (PGP PRIVATE KEY BLOCK|([A-Z0-9]+ )*PRIVATE KEY)-----")
_ARMORED = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_KRL = b"SSHKRL\n\0"
_PUBLIC_TAG, _SIGNATURE_TAG, _SECRET_TAG = 6, 2, 5
"""Kinds of OpenPGP packets that a file may begin with (RFC 4880, 4.3)."""

_TYPES = r"(?:ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9]+|sk-ssh-[a-z0-9]+@openssh\.com|sk-ecdsa-sha2-[a-z0-9]+@openssh\.com)"
_KEY = re.compile(rf"(?P<type>{_TYPES})\s+(?P<key>[A-Za-z0-9+/=]+)(?:\s.*)?")
_OPTION = r'(?:cert-authority|namespaces="[^"]+"|valid-(?:after|before)="\d{8}(?:\d{4}(?:\d{2})?)?Z?")'
_SIGNER = re.compile(rf'(?:"[^"]+"|[^\s"]+)\s+(?:(?i:{_OPTION}(?:,{_OPTION})*)\s+)?{_KEY.pattern}')


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count: files of keys, and files of what was taken back."""

    keys: tuple[Path, ...]
    revoked: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """What the files hold. `gpg`: contents to import, by path; `signers`: SSH's; the same for what is revoked."""

    gpg: tuple[tuple[Path, bytes], ...]
    gpg_revoked: tuple[tuple[Path, bytes], ...]
    signers: bytes
    ssh_revoked: bytes

    @property
    def digest(self) -> str:
        """Another one means other keys: what was judged by these is judged anew."""
        total = hashlib.sha256()
        for mark, some in ((b"k", self.gpg), (b"r", self.gpg_revoked)):
            for _, content in some:
                total.update(mark + len(content).to_bytes(8) + content)
        for content in (self.signers, self.ssh_revoked):
            total.update(len(content).to_bytes(8) + content)
        return total.hexdigest()[:32]


def read_keys(trust: Trust) -> Keys:
    """Raises SourceError (KeysUnusable) that names the file."""
    gpg, signers = list[tuple[Path, bytes]](), list[bytes]()
    for path, content in ((path, _read(path)) for path in trust.keys):
        if _is_pgp(path, content, (_PUBLIC_TAG,)):
            gpg.append((path, content))
        else:
            signers.append(_checked(path, content, _SIGNER, "an allowed signer") + b"\n")
    if not gpg and not signers:
        raise _unusable("verify names no file of keys", "List at least one file under keys")
    gpg_revoked, ssh_revoked = _revoked(trust)
    return Keys(tuple(gpg), gpg_revoked, b"".join(signers), ssh_revoked)


def _revoked(trust: Trust) -> tuple[tuple[tuple[Path, bytes], ...], bytes]:
    gpg, ssh = list[tuple[Path, bytes]](), list[tuple[Path, bytes]]()
    for path, content in ((path, _read(path)) for path in trust.revoked):
        if _is_pgp(path, content, (_PUBLIC_TAG, _SIGNATURE_TAG)):
            gpg.append((path, content))
        elif content.startswith(_KRL):
            ssh.append((path, content))
        else:
            ssh.append((path, _checked(path, content, _KEY, "a public SSH key") + b"\n"))
    if len(ssh) > 1 and (lists := [path for path, content in ssh if content.startswith(_KRL)]):
        raise _unusable(
            f"{lists[0]} is an SSH revocation list in binary form, which cannot be joined with another one",
            "Put all revoked keys into one list: ssh-keygen -k -u -f LIST KEY",
        )
    return tuple(gpg), b"".join(content for _, content in ssh)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise _unusable(f"the key file {path} cannot be read: {error.strerror}", "Check its path and mode") from None
    if len(content) > _MAX_FILE:
        raise _unusable(f"the key file {path} has more than {_MAX_FILE:,} bytes", "Export the keys alone")
    if not content.strip():
        raise _unusable(f"the key file {path} is empty", "Export the public keys into it")
    if _PRIVATE.search(content) or _tag(content) == _SECRET_TAG:
        raise _unusable(
            f"the key file {path} holds a private key",
            "Give the public key alone, and take the private one away from this machine",
        )
    return content


def _is_pgp(path: Path, content: bytes, allowed: tuple[int, ...]) -> bool:
    if _ARMORED in content:
        return True
    tag = _tag(content)
    if tag is not None and tag not in allowed:
        raise _unusable(f"the key file {path} is binary, and no OpenPGP public key", "Use gpg --export, or --armor too")
    return tag is not None


def _tag(content: bytes) -> int | None:
    """The kind of the first OpenPGP packet; None for text."""
    first = content[0]
    if not first & 0x80:
        return None
    return first & 0x3F if first & 0x40 else (first & 0x3C) >> 2


def _checked(path: Path, content: bytes, form: re.Pattern[str], what: str) -> bytes:
    """Text of one key a line. ssh-keygen skips lines that it cannot read, so they are looked at here."""
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise _unusable(f"the key file {path} is neither text nor an OpenPGP key", "See docs/signed-specs.md") from None
    found = 0
    for number, line in enumerate((line.strip() for line in lines), start=1):
        if not line or line.startswith("#"):
            continue
        if not (read := form.fullmatch(line)) or not _is_key(read["type"], read["key"]):
            raise _unusable(f"{path}:{number} is not {what}", _advice(line, form))
        found += 1
    if not found:
        raise _unusable(f"the key file {path} holds no key", "Put one key on each line")
    return "\n".join(lines).encode()


def _advice(line: str, form: re.Pattern[str]) -> str:
    if form is _SIGNER and _KEY.fullmatch(line):
        return f'Put the name of its owner in front: "somebody@example.com {line.split(maxsplit=1)[0]} …"'
    if form is _KEY:
        return 'One line of a .pub file each, "ssh-ed25519 AAAA…", or a list made by ssh-keygen -k'
    return (
        'A line is "somebody@example.com ssh-ed25519 AAAA…", with options as ssh-keygen(1) has them; see its '
        "ALLOWED SIGNERS"
    )


def _is_key(kind: str, text: str) -> bool:
    """Whether the base64 begins with the kind, as it does in every public key of SSH."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    name = kind.encode()
    return raw.startswith(len(name).to_bytes(4) + name) and len(raw) > len(name) + 4


def _unusable(message: str, hint: str) -> SourceError:
    return SourceError(Reason.KEYS, message, hint)
