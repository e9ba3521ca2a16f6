"""What became of a commit, told to the forge that it comes from: a commit status on GitHub or GitLab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

import orjson
import structlog
from pydantic import StringConstraints

from controller.api.conditions import Reason
from controller.api.values import Model
from controller.notifying.http import Again, Poster, Rejected
from controller.secret_reader import SecretReader, SecretRef

State = Literal["pending", "success", "failure"]
LONGEST = 140
"""Characters of a description (GitHub REST API, commit statuses)."""
COMMIT = 40
"""Hexadecimal digits."""
MOVING = frozenset(
    one.value
    for one in (
        Reason.ROLLING_OUT,
        Reason.WAITING_FOR_DEPLOYMENT,
        Reason.WAITING_FOR_TURN,
        Reason.OUTSIDE_WINDOW,
        Reason.NEW_ROUTE,
        Reason.SPEC_CHANGED,
        Reason.ROUTE_GONE,
    )
)
APIS = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
GITLAB_STATES: Mapping[State, str] = {"pending": "running", "success": "success", "failure": "failed"}


class CommitStatusSettings(Model):
    """See [notifications.md](notifications.md)."""

    forge: Literal["github", "gitlab"]
    """Whose API it is."""
    token: SecretRef
    """Where a token is that may set commit statuses: `env:NAME`, `file:/path` or a Secrets Manager ARN."""
    repository: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$")] | None = None
    """`owner/name`; that of the source when absent."""
    api: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$")] | None = None
    """Of one's own GitHub Enterprise (`https://host/api/v3`) or GitLab (`https://host/api/v4`)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    commit: str
    state: State
    description: str


def verdict(status: Mapping[str, Any]) -> Verdict | None:
    """Of the revision in force, or of the head that was refused in its place. None where it is no commit."""
    if refused := status.get("refused", ""):
        return _of(refused, "failure", status["sourceError"])
    errors = [one for one in status["problems"] if one["severity"] == "error"]
    commit = status["revision"]
    if errors:
        first = errors[0]
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        return _of(commit, "failure", f"{first['file']}:{first['line']}:{first['column']}: {first['message']}{more}")
    rows = status["services"]
    stuck = [key for key, row in rows.items() if not row["ready"] and row["reason"] not in MOVING]
    moving = [key for key, row in rows.items() if not row["ready"] and row["reason"] in MOVING]
    if stuck:
        row = rows[stuck[0]]
        more = f" and {len(stuck) - 1} more" if len(stuck) > 1 else ""
        return _of(commit, "failure", f"{stuck[0]}{more}: {row['reason']}: {row['message']}")
    if moving:
        return _of(commit, "pending", f"{len(rows) - len(moving)} of {len(rows)} services are as it says")
    return _of(commit, "success", f"applied: all {len(rows)} services are as it says")


def _of(commit: str, state: State, text: str) -> Verdict | None:
    if len(commit) != COMMIT:
        return None
    line = " ".join(text.split())
    return Verdict(commit, state, line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")


class CommitStatus:
    """`tell` is a periodic task of the replica that looks after the source."""

    def __init__(
        self,
        settings: CommitStatusSettings,
        repository: str,
        owner: str,
        reader: SecretReader,
        status: Callable[[], Mapping[str, Any]],
        speaks: Callable[[], bool],
        poster: Poster | None = None,
    ) -> None:
        """`status`: what all replicas told. `speaks`: whether it is ours to tell."""
        self._settings, self._repository, self._owner, self._reader = settings, repository, owner, reader
        self._status, self._speaks, self._poster = status, speaks, poster or Poster()
        self._told: Verdict | None = None

    def tell(self) -> bool:
        """Whether there was news. Raises Again, SecretError; then it is tried once more."""
        found = verdict(self._status()) if self._speaks() else None
        if found is None or found == self._told:
            return False
        try:
            self._poster.post(*self._request(found))
        except Again as error:
            raise Again(f"the commit status could not be set: {error}", error.after) from None
        except Rejected as error:
            self._refused(found, error)
        self._told = found
        return True

    def _refused(self, found: Verdict, error: Rejected) -> None:
        """Another try would end the same; the next thing to tell is tried."""
        said = {"commit": found.commit, "repository": self._repository, "error": error}
        structlog.get_logger().error("commit status refused", **said)

    def _request(self, found: Verdict) -> tuple[str, bytes, dict[str, str]]:
        api, name = self._settings.api or APIS[self._settings.forge], f"logroute/{self._owner}"
        token = self._reader.read(self._settings.token)
        if self._settings.forge == "github":
            url = f"{api}/repos/{quote(self._repository)}/statuses/{found.commit}"
            body = {"state": found.state, "description": found.description, "context": name}
            headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
            return url, orjson.dumps(body), headers
        url = f"{api}/projects/{quote(self._repository, safe='')}/statuses/{found.commit}"
        body = {"state": GITLAB_STATES[found.state], "description": found.description, "name": name}
        return url, orjson.dumps(body), {"private-token": token}


def repository_of(location: str) -> str:
    """`host/owner/name.git` or `user@host/owner/name` → `owner/name`."""
    return location.partition("/")[2].removesuffix("/").removesuffix(".git")
