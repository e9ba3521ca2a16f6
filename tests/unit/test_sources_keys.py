"""Files of keys: what is taken for which kind, and what is refused with words that name the file."""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path

import pytest

from controller.sources import Reason, SourceError, Trust
from controller.sources.keyring import keyring
from controller.sources.keys import read_keys
from tests.support.signing import GpgKey, SshKey, said

PUBLIC = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"k" * 32).decode()


def written(folder: Path, content: str | bytes, name: str = "keys") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def error_of(keys: tuple[Path, ...], revoked: tuple[Path, ...] = ()) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_keys(Trust(keys, revoked))
    assert caught.value.reason is Reason.KEYS
    return caught.value


@pytest.mark.parametrize(
    "line",
    [
        f"a@example.com {PUBLIC}",
        f"a@example.com,*@b.example.com {PUBLIC} a comment",
        f'"a b@example.com" namespaces="git,logroute" {PUBLIC}',
        f'a@example.com valid-after="20250101",valid-before="20300101000000Z" {PUBLIC}',
        f"*@example.com cert-authority {PUBLIC}",
        f"# a comment\n\n   a@example.com {PUBLIC}\r\n",
    ],
)
def test_allowed_signers_are_read_as_ssh_keygen_has_them(tmp_path: Path, line: str) -> None:
    found = read_keys(Trust((written(tmp_path, line),)))
    assert PUBLIC.encode() in found.signers
    assert found.gpg == ()


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        ("", "is empty", "Export"),
        ("\n \n", "is empty", "Export"),
        ("# nothing\n", "holds no key", "one key on each line"),
        (PUBLIC, "keys:1 is not an allowed signer", "Put the name of its owner in front"),
        (f"a@x {PUBLIC}\nb@x ssh-ed25519 AAAA\n", "keys:2 is not an allowed signer", "ALLOWED SIGNERS"),
        (f"a@x bogus=1 {PUBLIC}", "keys:1 is not an allowed signer", "ALLOWED SIGNERS"),
        (f'a@x valid-before="tomorrow" {PUBLIC}', "keys:1 is not an allowed signer", "ALLOWED SIGNERS"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "holds a private key", "take the private one away"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n", "holds a private key", "take the private one away"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n", "holds a private key", "take the private one away"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nabc\n", "holds a private key", "take the private one away"),
        (b"\x95\x01\x02", "holds a private key", "take the private one away"),
        (b"\xc5\x01\x02", "holds a private key", "take the private one away"),
        (b"\xd3\x01\x02", "binary, and no OpenPGP public key", "--export"),
        (b"a\xff\xfe", "neither text nor an OpenPGP key", "docs/signed-specs.md"),
        (b"x" * 1_048_577, "more than 1,048,576 bytes", "Export the keys alone"),
    ],
)
def test_a_file_that_is_unfit_is_refused_by_name(tmp_path: Path, content: str | bytes, words: str, hint: str) -> None:
    path = written(tmp_path, content)
    error = error_of((path,))
    assert words in error.message
    assert str(path) in error.message
    assert hint in error.hint


def test_a_file_that_is_missing_or_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        assert f"the key file {path} cannot be read" in error_of((path,)).message


def test_the_text_of_a_private_key_is_never_shown(tmp_path: Path) -> None:
    path = written(tmp_path, "-----BEGIN OPENSSH PRIVATE KEY-----\nplanted-secret\n")
    assert "planted" not in str(error_of((path,)))
    assert "planted" not in str(error_of((written(tmp_path, "planted-secret in a line", "other"),)))


def test_two_lists_of_revoked_ssh_keys_are_joined_where_they_are_text(tmp_path: Path) -> None:
    keys = written(tmp_path, f"a@x {PUBLIC}")
    one, two = written(tmp_path, PUBLIC, "one"), written(tmp_path, f"{PUBLIC} two", "two")
    assert read_keys(Trust((keys,), (one, two))).ssh_revoked.count(PUBLIC.encode()) == 2
    binary = written(tmp_path, b"SSHKRL\n\0rest", "krl")
    assert read_keys(Trust((keys,), (binary,))).ssh_revoked.startswith(b"SSHKRL")
    assert "cannot be joined" in error_of((keys,), (one, binary)).message
    assert "one:1 is not a public SSH key" in error_of((keys,), (written(tmp_path, f"a@x {PUBLIC}", "one"),)).message


def test_other_contents_have_another_digest(tmp_path: Path) -> None:
    keys, revoked = written(tmp_path, f"a@x {PUBLIC}"), written(tmp_path, PUBLIC, "revoked")
    digests = {read_keys(Trust((keys,))).digest, read_keys(Trust((keys,), (revoked,))).digest}
    keys.write_text(f"b@x {PUBLIC}")
    assert len(digests | {read_keys(Trust((keys,))).digest}) == 3


@pytest.mark.needs("gpg")
def test_a_gpg_file_without_a_key_is_refused_with_what_gpg_says(tmp_path: Path) -> None:
    path = written(tmp_path, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabcd\n-----END PGP PUBLIC KEY BLOCK-----\n")
    with pytest.raises(SourceError, match=f"gpg finds no usable public key in {path}: gpg: ") as caught:
        keyring(read_keys(Trust((path,))), tmp_path / "cache", os.environ)
    assert caught.value.reason is Reason.KEYS
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.needs("gpg", "ssh-keygen")
def test_a_keyring_is_made_once_and_open_to_nobody_else(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="g-") as home:
        key = GpgKey.make(Path(home) / "h", "good")
        armored = written(tmp_path, key.public, "key.asc")
        key.stop()
    signers = written(tmp_path, SshKey.make(tmp_path / "ssh", "good").line())
    keys = read_keys(Trust((armored, signers)))
    ring = keyring(keys, tmp_path / "cache", os.environ)
    made = ring.home.stat()
    assert keyring(keys, tmp_path / "cache", os.environ) == ring
    assert ring.home.stat().st_mtime_ns == made.st_mtime_ns
    assert made.st_mode & 0o777 == 0o700
    listed = said("gpg", "--with-colons", "--list-keys", environment=ring.environment).decode()
    assert key.user in listed
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [ring.home.name]
