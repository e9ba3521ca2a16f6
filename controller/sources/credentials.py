"""What git authenticates with, and how it gets there: only ever through the environment of the child.

A token on a command line shows in `ps`, in a URL it shows in logs, in git's config it stays on disk.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from controller.aws.ports import AwsError, Secrets
from controller.sources.errors import Reason, SourceError
from controller.sources.keys import Trust
from controller.sources.names import is_unsafe

TOKEN_VARIABLE = "LOGROUTE_GIT_TOKEN"  # noqa: S105 (the name of a variable)
_DEFAULT_USER = "x-access-token"
_MAX_TOKEN = 16_384


class Secret:
    """Text that does not show itself: not in repr, str, asdict or a traceback's locals."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Verify:
    """What must be signed: the head commit itself, or the annotated tag that the source names."""

    mode: Literal["commit", "tag"]
    trust: Trust


@dataclass(frozen=True, slots=True)
class GitOptions:
    """The setting `git`. Of the tokens, the first that is set is used: `token`, `token_file`,
    `token_secret_arn`, then LOGROUTE_GIT_TOKEN.

    A token is sent as the password of user `x-access-token`, which GitHub and GitLab take; for servers
    that want another user it is `user:token`, or JSON with `username` and `token` (or `password`).
    `verify` None: whatever the server has counts. `ca_file`: PEM, beside what GIT_SSL_CAINFO or SSL_CERT_FILE
    say. Times in seconds, sizes in bytes.
    """

    token: Secret | None = None
    token_file: Path | None = None
    token_secret_arn: str | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    verify: Verify | None = None
    ca_file: Path | None = None
    request_timeout: float = 30.0
    fetch_timeout: float = 300.0
    max_pack_bytes: int = 512 * 1024 * 1024
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)
    hides: Callable[[str], None] = field(default=lambda _secret: None, repr=False, compare=False)
    """Who is to know what must never show."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """An HTTP header line, and the texts in it that must not be shown."""

    line: Secret
    hidden: tuple[Secret, ...]


class Token:
    """The token of one source. Files and variables are read anew each time, for they are rotated; a
    Secrets Manager secret only at first and after the server refused it, for each read costs a request.
    """

    def __init__(self, options: GitOptions, secrets: Secrets | None) -> None:
        self._options, self._secrets = options, secrets
        self._kept: Secret | None = None

    def header(self) -> Authorization | None:
        """`Authorization: Basic …`, sent unasked, for waiting to be asked costs a request; or None."""
        text = self._text()
        if text is None:
            return None
        user, secret = _user_and_secret(text.reveal().strip())
        encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
        hidden = (Secret(encoded), Secret(secret))
        self._options.hides(secret)
        return Authorization(Secret(f"Authorization: Basic {encoded}"), hidden)

    def forget(self) -> bool:
        """After a refusal: whether asking again may give another token."""
        kept, self._kept = self._kept, None
        return kept is not None

    def _text(self) -> Secret | None:
        options = self._options
        if options.token is not None:
            return options.token
        if options.token_file is not None:
            return _read_token(options.token_file)
        if options.token_secret_arn is not None:
            self._kept = self._kept or self._ask(options.token_secret_arn)
            return self._kept
        found = options.environment.get(TOKEN_VARIABLE)
        return Secret(found) if found else None

    def _ask(self, arn: str) -> Secret:
        if self._secrets is None:
            raise _unusable("tokenSecretArn is set, but there is no access to Secrets Manager", "Use tokenFile")
        try:
            return Secret(self._secrets.get(arn))
        except AwsError as error:
            message = f"the secret tokenSecretArn cannot be read: {error.code}: {error.detail}"
            raise _unusable(message, error.hint or "Allow secretsmanager:GetSecretValue on it") from None


def _read_token(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            return Secret(file.read(_MAX_TOKEN).decode())
    except OSError as error:
        raise _unusable(f"tokenFile {path} cannot be read: {error.strerror}", "Check path and mode") from None
    except UnicodeDecodeError:
        raise _unusable(f"tokenFile {path} is not text", "Put the token alone into it") from None


def _user_and_secret(text: str) -> tuple[str, str]:
    user, secret = _DEFAULT_USER, text
    if text.startswith("{"):
        user, secret = _from_json(text)
    elif ":" in text:
        user, _, secret = text.partition(":")
    if not user or not secret or any(is_unsafe(letter) for letter in user + secret):
        raise _unusable("git's token is empty or has line breaks", "Put the token alone there, on one line")
    return user, secret


def _from_json(text: str) -> tuple[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        raise _unusable("git's token is broken JSON", 'Use the token alone, or {"token": "…"}') from None
    return str(found.get("username") or _DEFAULT_USER), str(found.get("token") or found.get("password") or "")


def ssh_command(options: GitOptions) -> str:
    """GIT_SSH_COMMAND, which git hands to a shell: nothing in it but our own words and quoted paths.

    With no `ssh_key_file` ssh's own default keys and agent are used, with no `known_hosts_file` its own
    list; a key of a server that is not known is refused in any case.
    """
    words = ["ssh", "-T", "-F", "/dev/null"]
    for option in (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "ControlMaster=no",
        "ControlPath=none",
        "PreferredAuthentications=publickey",
        f"ConnectTimeout={max(1, int(options.request_timeout))}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ):
        words += ["-o", option]
    if options.known_hosts_file is not None:
        words += ["-o", f"UserKnownHostsFile={_ssh_path(options.known_hosts_file, 'knownHostsFile')}"]
        words += ["-o", "GlobalKnownHostsFile=/dev/null"]
    if options.ssh_key_file is not None:
        words += ["-o", f"IdentityFile={_ssh_path(options.ssh_key_file, 'sshKeyFile')}"]
        words += ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
    return shlex.join(words)


def _ssh_path(path: Path, setting: str) -> str:
    """A path as ssh_config(5) reads it: quoted, with %-tokens and ${variables} out of play."""
    text = str(path.absolute())
    if any(is_unsafe(letter) for letter in text) or '"' in text or "\\" in text or "${" in text:
        raise _unusable(f"{setting} has characters in its path that ssh would interpret", "Move the file")
    if not os.access(path, os.R_OK):
        raise _unusable(f"{setting} {path} cannot be read", "Check its path and mode")
    return f'"{text.replace("%", "%%")}"'


def _unusable(message: str, hint: str) -> SourceError:
    return SourceError(Reason.CREDENTIALS, message, hint)
