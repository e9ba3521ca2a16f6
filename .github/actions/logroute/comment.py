"""What stands on stdin, as the one comment of LogRoute on the pull request: made, or written over."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

MARK = "<!-- logroute plan -->"
LONGEST = 60_000
"""GitHub takes 65,536 characters."""
NEXT = re.compile(r'<([^>]+)>; rel="next"')


def main() -> int:
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    number = event.get("pull_request", {}).get("number")
    if not isinstance(number, int):
        print("no pull request: nothing to comment on")
        return 0
    body = sys.stdin.read()
    if len(body) > LONGEST:
        body = f"{body[:LONGEST]}\n\n… cut here; the whole plan is in the summary of the job\n"
    issues = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    try:
        mine = _mine(f"{issues}/{number}/comments?per_page=100")
        text = {"body": f"{MARK}\n{body}"}
        if mine is None:
            _ask("POST", f"{issues}/{number}/comments", text)
        else:
            _ask("PATCH", f"{issues}/comments/{mine}", text)
    except urllib.error.HTTPError as error:
        why = "the token may not write to pull requests (one from a fork never may)" if error.code in (401, 403) else ""
        print(f"::warning::the plan could not be commented: HTTP {error.code}{': ' if why else ''}{why}")
    except OSError as error:
        print(f"::warning::the plan could not be commented: {type(error).__name__}")
    return 0


def _mine(url: str | None) -> int | None:
    """The id of the comment that begins with MARK and is not somebody else's copy of it."""
    while url:
        found, url = _ask("GET", url)
        for one in found:
            if str(one["body"]).startswith(MARK) and _is_own(one.get("user") or {}):
                return int(one["id"])
    return None


def _is_own(author: dict[str, Any]) -> bool:
    """A job's token and an App's write as bots, and may not ask who they are; a person's writes as that person."""
    return author.get("type") == "Bot" or (author.get("login") is not None and author["login"] == _login())


@cache
def _login() -> str | None:
    try:
        found, _ = _ask("GET", f"{os.environ['GITHUB_API_URL']}/user")
    except urllib.error.HTTPError:
        return None
    return str(found["login"])


def _ask(method: str, url: str, body: dict[str, str] | None = None) -> tuple[Any, str | None]:
    """The answer, and the URL of the next page."""
    request = urllib.request.Request(  # noqa: S310 - GitHub's own address
        url,
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        following = NEXT.search(answer.headers.get("Link") or "")
        return json.load(answer), following[1] if following else None


if __name__ == "__main__":
    sys.exit(main())
