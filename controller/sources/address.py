"""`--source` as a value: what the text means, and everything that is refused before anything is contacted.

Messages name the rule, never the text: a password that went astray must not reach a log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, cast
from urllib.parse import quote, unquote

from controller.sources.errors import Reason, SourceError
from controller.sources.names import is_unsafe

FORMS = (
    "Use git+https://host/repo.git@branch#path=dir, git+ssh://git@host/repo.git, git+file:///repo, "
    "s3://bucket/prefix, or a folder"
)
_MAX_LENGTH = 2048

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PORT = re.compile(r"[0-9]{1,5}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//|:)")
_SCP_LIKE = re.compile(r"[A-Za-z0-9._-]+@[^/:]+:")
# An `@` right behind a slash belongs to the path (`/@team/repo`); one in a path is written %40.
_REF_MARK = re.compile(r"(?<=[^/])@")
# What git-check-ref-format(1) forbids, and a leading dash.
_BAD_REF = re.compile(r"^[-/]|\.\.|[\s~^:?*\[\\]|@\{|^@$|//|(^|/)\.|\.lock(/|$)|[/.]$")

Scheme = Literal["https", "ssh", "file"]


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """A folder on this machine."""

    path: str

    def __str__(self) -> str:
        return self.path if self.path.startswith(("/", ".")) or ":" not in self.path else f"./{self.path}"


@dataclass(frozen=True, slots=True)
class S3Spec:
    """Objects under `prefix/` of a bucket; `prefix` has no slash at its ends and may be empty."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True)
class GitSpec:
    """A repository. `location` is what follows `scheme://`; `ref` None is the default branch;
    `path` is a folder in the repository, "" its root.
    """

    scheme: Scheme
    location: str
    ref: str | None = None
    path: str = ""

    @property
    def url(self) -> str:
        """What git is given."""
        return f"{self.scheme}://{self.location}"

    @property
    def commit(self) -> str | None:
        """The ref, where it is a whole commit id and therefore can never move."""
        return self.ref if self.ref and _COMMIT.fullmatch(self.ref) else None

    def __str__(self) -> str:
        ref = f"@{quote(self.ref, safe='/@+=,')}" if self.ref else ""
        path = f"#path={quote(self.path)}" if self.path else ""
        return f"git+{self.url}{ref}{path}"


SourceSpec = FolderSpec | S3Spec | GitSpec


def parse_source(text: str) -> SourceSpec:
    """What `--source` names. Raises SourceError (InvalidURL), which never repeats the text."""
    if not text.strip():
        raise _invalid("the source is empty", FORMS)
    if len(text) > _MAX_LENGTH or any(is_unsafe(letter) for letter in text):
        raise _invalid("the source is too long, or has line breaks or control characters", FORMS)
    if text.startswith(("git+https://", "git+ssh://", "git+file://")):
        return _git(text)
    if text.startswith("s3://"):
        return _s3(text.removeprefix("s3://"))
    return _folder(text)


def _folder(text: str) -> FolderSpec:
    if not text.startswith(("/", "./", "../")):
        if _SCP_LIKE.match(text):
            raise _invalid("the source looks like git's short ssh form", "Use git+ssh://git@host/repo.git")
        if found := _SCHEME.match(text):
            raise _invalid(f"sources of the kind {found[1].lower()[:20]} are not read", _scheme_hint(found[1]))
    return FolderSpec(str(PurePosixPath(text)))


def _scheme_hint(scheme: str) -> str:
    if scheme.lower() in ("http", "git+http"):
        return "Tokens must not travel in clear: use git+https://"
    if scheme.lower() in ("https", "ssh", "file"):
        return f"For git, use git+{scheme.lower()}://"
    return FORMS


def _s3(rest: str) -> S3Spec:
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise _invalid("that is not the name of an S3 bucket", "Use s3://bucket/prefix")
    if "#path=" in prefix:
        raise _invalid("#path= is for git", "Put the folder into the prefix: s3://bucket/prefix/folder")
    prefix = prefix.strip("/")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise _invalid("the prefix has an empty, `.` or `..` part", "Use s3://bucket/prefix")
    return S3Spec(bucket, prefix)


def _git(text: str) -> GitSpec:
    rest, mark, fragment = text.removeprefix("git+").partition("#")
    scheme, _, rest = rest.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme == "file":
        if authority:
            raise _invalid("git+file:// takes no host", "Use git+file:///absolute/path")
    else:
        _check_authority(authority, scheme)
    path, ref = _split_ref(path)
    _check_location(path, scheme)
    folder = _folder_of(fragment) if mark else ""
    return GitSpec(cast("Scheme", scheme), f"{authority}{slash}{path}", ref, folder)


def _check_authority(authority: str, scheme: str) -> None:
    """`[user@]host[:port]`; a user for ssh only, a password never."""
    user, at, host = authority.rpartition("@")
    if at and ":" in user:
        raise _invalid("the source holds a password", "Take it out, and use the setting tokenFile or a key")
    if at and scheme == "https":
        raise _invalid("the source holds a user name or a token", "Take it out, and use the setting tokenFile")
    if at and not _USER.fullmatch(user):
        raise _invalid("that is no user name for ssh", "Use git+ssh://git@host/repo.git")
    name, port = host, ""
    if not host.endswith("]") and ":" in host:
        name, _, port = host.rpartition(":")
        if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:  # noqa: PLR2004 (TCP's own limit)
            raise _invalid("the port is no number between 1 and 65535", FORMS)
    if not _HOST.fullmatch(name):
        raise _invalid("that is no host name", FORMS)


def _split_ref(path: str) -> tuple[str, str | None]:
    if not (found := _REF_MARK.search(path)):
        if path.rpartition("/")[2].startswith("@"):
            raise _invalid("the reference follows a slash", "Write it right behind the repository: repo@main")
        return path, None
    ref = _decoded(path[found.end() :])
    if not ref:
        raise _invalid("there is nothing behind the @", "Name a branch, tag or commit, or leave the @ out")
    if _BAD_REF.search(ref) or any(is_unsafe(letter) for letter in ref):
        raise _invalid("git allows no such name for a branch or tag", "See git-check-ref-format(1)")
    return path[: found.start()], ref


def _check_location(path: str, scheme: str) -> None:
    if not path.strip("/"):
        raise _invalid("the repository is missing", FORMS)
    if any(is_unsafe(letter) for letter in _decoded(path)):
        raise _invalid("the repository's path has encoded control characters", FORMS)
    if scheme != "file" and re.search(r"[?\s\\]", path):
        raise _invalid("the repository's path has a ?, a space or a backslash", "Credentials do not go there")


def _folder_of(fragment: str) -> str:
    key, _, value = fragment.partition("=")
    if key != "path" or not value or "&" in value:
        raise _invalid("behind the # there may only be path=folder", "Use #path=dir, or leave the # out")
    parts = [part for part in _decoded(value).split("/") if part not in ("", ".")]
    if ".." in parts or any(is_unsafe(letter) for letter in "".join(parts)):
        raise _invalid("#path= has `..` or control characters", "Name a folder inside the repository")
    return "/".join(parts)


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _invalid("a %-escape is not UTF-8", "Write the character itself") from None


def _invalid(message: str, hint: str) -> SourceError:
    return SourceError(Reason.INVALID_URL, message, hint)
