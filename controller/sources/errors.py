"""Why a source could not be read, in words for people.

    SourceError               this poll gave nothing; the caller keeps its last snapshot

One class, told apart by `reason`: a closed set, so that alerts and statuses can name it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from controller.api.errors import Explained

if TYPE_CHECKING:
    from controller.sources.snapshot import Snapshot


class Reason(StrEnum):
    """What kind of trouble it is; each says when it is set."""

    INVALID_URL = "InvalidURL"
    """`--source` is none of the forms that are understood, or holds something unsafe."""
    NOT_FOUND = "SourceNotFound"
    """The folder, repository or bucket is not there, or is hidden from these credentials."""
    REF_NOT_FOUND = "RefNotFound"
    """The branch, tag or commit is not in the repository."""
    PATH_NOT_FOUND = "PathNotFound"
    """`#path=` names no folder of that commit."""
    AUTH_FAILED = "AuthenticationFailed"
    """The server refused the credentials, or asked for some where none are set."""
    CREDENTIALS = "CredentialsUnusable"
    """A token, key or known_hosts setting cannot be read or used."""
    KEYS = "KeysUnusable"
    """A file of keys that signatures are judged by is missing, empty, no such file, or holds a private key."""
    UNVERIFIED = "Unverified"
    """What is there carries no good signature of an allowed key, or is older than what was in force."""
    VERIFIER_MISSING = "VerifierUnusable"
    """gpg or ssh-keygen is not there, or does not work."""
    HOST_KEY_UNKNOWN = "HostKeyUnknown"
    """The ssh server's key is not in known_hosts, or differs from the one there."""
    TLS_FAILED = "TLSFailed"
    """The https server's certificate is not trusted."""
    TIMED_OUT = "TimedOut"
    """No end within the time limit; whatever ran was stopped."""
    UNREACHABLE = "Unreachable"
    """No usable answer: name, network, or the connection broke."""
    THROTTLED = "Throttled"
    """The server says "too many requests", after retries where there are any."""
    REDIRECTED = "Redirected"
    """The server points elsewhere. Not followed: the token would travel along."""
    REJECTED = "ContentRejected"
    """git's own checks found objects in the repository malformed or unsafe."""
    TOO_MANY_FILES = "TooManyFiles"
    """More files than the limit."""
    TOO_LARGE = "SourceTooLarge"
    """More bytes than the limit, in sum or in one transfer."""
    UNREADABLE = "SourceUnreadable"
    """A folder, listing or answer that is there cannot be read."""
    CACHE = "CacheUnusable"
    """The cache folder cannot be written."""
    GIT_MISSING = "GitUnusable"
    """No git program, or one too old to be locked down."""
    GIT_FAILED = "GitFailed"
    """git failed in a way that has no reason of its own here; its words are in the message."""


class SourceError(Explained):
    """This poll gave nothing. `message` says what is wrong, `hint` what to do; neither holds a secret."""

    def __init__(
        self, reason: Reason, message: str, hint: str = "", *, instead: Snapshot | None = None, refused: str = ""
    ) -> None:
        """`instead`: an older state that is good, for who has nothing in force yet; the trouble stays one. `refused`:
        the revision that is there and does not count.
        """
        super().__init__(reason, message, hint)
        self.reason, self.message, self.hint, self.instead = reason, message, hint, instead
        self.refused = refused

    def __str__(self) -> str:
        text = f"{self.reason}: {self.message}"
        return f"{text}. {self.hint}" if self.hint else text
