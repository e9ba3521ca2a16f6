"""Events as messages. Pure; nothing that a spec or a service says becomes a link, a mention or markup."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from controller.api.events import Event, Level

MOST = 20
"""Events of a message; how many more there are is told."""
SECTION = 2_900
"""Characters of a Slack section (Slack API: at most 3,000)."""
SUBJECT = 100
"""Characters of an SNS subject (Amazon SNS API reference, Publish: ASCII, no line breaks)."""
SIGNS = {Level.INFO: ":information_source:", Level.WARNING: ":warning:", Level.ERROR: ":rotating_light:"}
_WORD_JOINER = "\u2060"
"""Shows nothing, and keeps Slack from taking what follows for a link, a name or markup."""


def identity(event: Event) -> str:
    """The same for the same event, whoever tells it and however often."""
    text = "\n".join((repr(event.at), event.kind, event.about, event.message))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def slack(events: Sequence[Event], owner: str) -> dict[str, Any]:
    """For an incoming webhook: `text` is what a notification shows, `blocks` what the channel does."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": _section(one)}} for one in events[:MOST]]
    more = [f"and {len(events) - MOST} more"] if len(events) > MOST else []
    context = {
        "type": "context",
        "elements": [{"type": "plain_text", "text": " · ".join([f"LogRoute {owner}", *more])}],
    }
    return {"text": slack_text(subject(events)), "blocks": [*blocks, context]}


def _section(event: Event) -> str:
    head = f"{SIGNS[event.level]} *{event.kind}* {slack_text(event.about)}".rstrip()
    by = f"\nby {slack_text(event.by)}" if event.by else ""
    return _cut(f"{head}\n{slack_text(event.message)}{by}", SECTION)


def slack_text(text: str) -> str:
    """Slack's three escapes, and its markup taken apart: <!channel>, links, *bold*, `code`, :emoji:, @names."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{_WORD_JOINER}{letter}{_WORD_JOINER}" if letter in "*_~`@#:" else letter for letter in escaped)


def generic(events: Sequence[Event], owner: str) -> dict[str, Any]:
    """For a webhook of one's own: everything, as the API has it."""
    rows = [
        {**one.as_plain(), "at": datetime.fromtimestamp(one.at, UTC).isoformat(), "id": identity(one)}
        for one in events[:MOST]
    ]
    return {"type": "logroute.events", "owner": owner, "events": rows, "more": max(0, len(events) - MOST)}


def sns(events: Sequence[Event], owner: str) -> tuple[str, str, dict[str, str]]:
    """Subject, message, and attributes for filter policies: of several events the worst counts."""
    worst = max(events, key=lambda one: one.level)
    ascii_only = f"LogRoute {owner}: {subject(events)}".encode("ascii", "replace").decode()
    line = "".join(letter if letter.isprintable() else " " for letter in ascii_only)
    slim = [{name: value for name, value in row.items() if name != "diff"} for row in generic(events, owner)["events"]]
    body = orjson.dumps({**generic(events, owner), "events": slim}).decode()
    return _cut(line, SUBJECT, "..."), body, {"severity": worst.level.word, "kind": worst.kind.value}


def subject(events: Sequence[Event]) -> str:
    first = max(events, key=lambda one: one.level)
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    return _cut(f"{first.kind}{f' {first.about}' if first.about else ''}: {first.message}", 150) + more


def _cut(text: str, most: int, end: str = "…") -> str:
    return text if len(text) <= most else f"{text[: most - len(end)]}{end}"
