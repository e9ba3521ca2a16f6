"""git's stderr, digested for people: which of our reasons it is, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from controller.sources.errors import Reason, SourceError
from controller.sources.names import is_unsafe

_MAX_WORDS = 400


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    reason: Reason
    hint: str


def _rule(pattern: str, reason: Reason, hint: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), reason, hint)


# In this order: the first that matches says the most. Gaps are bounded, for a server says what it likes, and a long
# line would be searched from each of its places to its end. Texts of git 2.30 to 2.50, curl with OpenSSL and with
# GnuTLS, and OpenSSH 8 to 10, all in the C locale.
_RULES = (
    _rule(
        r"packfile .{0,300} (does not match|cannot be|is far too|is not)|is corrupt|object file .{0,300} is empty",
        Reason.CACHE,
        "The cache folder is damaged: delete it",
    ),
    _rule(
        r"host key verification failed|host identification has changed|no .{0,300} host key is known",
        Reason.HOST_KEY_UNKNOWN,
        "Put the server's key into knownHostsFile, after comparing it with what its owner publishes",
    ),
    _rule(
        r"unprotected private key|load key .{0,300}: |bad permissions|identity file .{0,300} not accessible",
        Reason.CREDENTIALS,
        "sshKeyFile must be an unencrypted private key that only this user may read (mode 0600)",
    ),
    _rule(
        r"error setting certificate|error reading ca cert|unable to load .{0,300}certificate",
        Reason.CREDENTIALS,
        "The CA file must be PEM and readable",
    ),
    _rule(
        r"certificate|gnutls_handshake|SSL_connect|ssl.{0,300}handshake|tls.{0,300}alert",
        Reason.TLS_FAILED,
        "If the server uses a private CA, name its PEM file in GIT_SSL_CAINFO",
    ),
    _rule(
        r"authentication failed|could not read (username|password)|returned error: 40[13]\b|HTTP 40[13]\b"
        r"|permission denied \(|invalid credentials|access denied",
        Reason.AUTH_FAILED,
        "Check that the token or key is valid and may read this repository",
    ),
    _rule(
        r"couldn't find remote ref|not our ref|unadvertised object|no such remote ref",
        Reason.REF_NOT_FOUND,
        "Check the branch or tag. A commit must be reachable, and some servers only give those at a tip: "
        "name a branch or tag then",
    ),
    _rule(
        r"redirect|returned error: 30\d",
        Reason.REDIRECTED,
        "Use the address that the server redirects to; many want .git at the end",
    ),
    _rule(r"returned error: 429", Reason.THROTTLED, "Raise the setting poll"),
    _rule(
        r"repository .{0,300}not found|does not appear to be a git repository|not a git repository"
        r"|returned error: 404|no such file or directory|project .{0,300}could not be found",
        Reason.NOT_FOUND,
        "Check the address, and that these credentials may see the repository",
    ),
    _rule(r"dubious ownership", Reason.UNREADABLE, "The repository must belong to the user that runs this"),
    _rule(r"operation too slow|timed? ?out|timeout", Reason.TIMED_OUT, "Check the network, proxy and firewall"),
    _rule(
        r"could not resolve|connection (refused|reset|closed)|failed to connect|couldn't connect"
        r"|no route to host|network is unreachable|remote end hung up|early eof|empty reply|rpc failed"
        r"|returned error: 5\d\d|unexpected disconnect|recv failure|failure when receiving"
        r"|gnutls recv error|non-properly terminated"
        r"|bytes of (body|length header)|transfer closed|could not read from remote",
        Reason.UNREACHABLE,
        "Check the network, proxy and firewall, and that the server runs",
    ),
    _rule(
        r"fsck error|error in object|hasdot|badtree|invalid .{0,300}object|malformed",
        Reason.REJECTED,
        "git's checks refuse the repository's content; look with `git fsck --strict`",
    ),
    _rule(r"no space left|read-only file system|disk quota", Reason.CACHE, "Make room in the cache folder"),
    _rule(  # the limit is RLIMIT_FSIZE, whose signal lets index-pack say nothing
        r"file size limit|signal 25|file too large|invalid index-pack output",
        Reason.TOO_LARGE,
        "The transfer went over the limit, or git was killed: keep specs in a repository of their own",
    ),
)


def explain(what: str, where: str, stderr: bytes, secrets: Iterable[str] = ()) -> SourceError:
    """The SourceError for a git command that failed: `what` it was to do, and `where`."""
    words = _words(stderr, secrets)
    for rule in _RULES:
        if rule.pattern.search(words):
            return SourceError(rule.reason, f"cannot {what} {where}: {_shortened(words)}", rule.hint)
    said = _shortened(words) or "git failed without a word"
    return SourceError(Reason.GIT_FAILED, f"cannot {what} {where}: {said}", "")


def _words(stderr: bytes, secrets: Iterable[str]) -> str:
    """One line without control characters, credentials, and the advice that git adds for a terminal."""
    text = stderr.decode(errors="replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    text = re.sub(r"://[^/\s@:]*:[^/\s@]*@", "://***@", text)
    text = re.sub(r"(?i)(authorization: *\w+ +)\S+", r"\1***", text)
    lines = ("".join(" " if is_unsafe(letter) else letter for letter in line).strip() for line in text.splitlines())
    kept = [line.removeprefix("fatal: ") for line in lines if line and not line.startswith(_ADVICE)]
    return "; ".join(kept)


_ADVICE = (
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "@@@@",
    "hint:",
    "Warning: Permanently added",
)


def _shortened(words: str) -> str:
    """The end: git puts the cause last and a server's banner first."""
    return words if len(words) <= _MAX_WORDS else f"…{words[-_MAX_WORDS:]}"
