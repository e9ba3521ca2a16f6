"""From settings to sinks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable, Sequence

import orjson

from controller.api.events import Event, Level
from controller.aws.ports import Topic
from controller.notifying import render
from controller.notifying.http import Poster
from controller.notifying.rules import Rule
from controller.notifying.sender import Deliver, Sink
from controller.notifying.settings import NotificationSettings
from controller.secret_reader import SecretReader


def sinks(
    settings: Iterable[NotificationSettings],
    owner: str,
    reader: SecretReader,
    topic: Callable[[str], Topic],
    now: Callable[[], float],
) -> list[Sink]:
    """`topic`: of an ARN; `now` in seconds since the epoch. Nothing is contacted, and no secret read, before an event
    goes out.
    """
    poster = Poster()
    found = []
    for one in settings:
        rule = Rule(Level[one.severity.upper()], one.routes, frozenset(one.kinds))
        found.append(Sink(one.name, rule, _deliver(one, owner, reader, topic, now, poster)))
    return found


def _deliver(
    one: NotificationSettings,
    owner: str,
    reader: SecretReader,
    topic: Callable[[str], Topic],
    now: Callable[[], float],
    poster: Poster,
) -> Deliver:
    if slack := one.slack:

        def to_slack(events: Sequence[Event]) -> None:
            poster.post(reader.read(slack), orjson.dumps(render.slack(events, owner)), {})

        return to_slack
    if webhook := one.webhook:

        def to_webhook(events: Sequence[Event]) -> None:
            body = orjson.dumps(render.generic(events, owner))
            poster.post(webhook.url, body, signed(reader.read(webhook.secret), message_id(events), now(), body))

        return to_webhook
    assert one.sns is not None  # noqa: S101 - the settings say that there is one of the three
    arn = one.sns

    def to_sns(events: Sequence[Event]) -> None:
        topic(arn).publish(*render.sns(events, owner))

    return to_sns


def message_id(events: Sequence[Event]) -> str:
    """The same for each attempt, so that who receives it twice can tell."""
    return f"msg_{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(map(render.identity, events))).hex}"


def signed(secret: str, name: str, now: float, body: bytes) -> dict[str, str]:
    """Headers after the Standard Webhooks specification."""
    bare = secret.removeprefix("whsec_")
    key = base64.b64decode(bare) if bare != secret else secret.encode()
    at = str(int(now))
    mac = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": name, "webhook-timestamp": at, "webhook-signature": signature}
