"""What Fluent Bit does with records, as far as tags and simple filters go: the way through filters, and to outputs.

`tests/engine` shows the same on real engines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from controller.fluentbit.splitting import tokens
from controller.fluentbit.tree import Config, Section

Record = tuple[tuple[str, str], ...]
"""Key and value pairs in order; a key may stand twice, as it can in a real record."""
MOST_STEPS = 200


class Endless(Exception):
    """Records go round."""


@dataclass(frozen=True, slots=True)
class Event:
    tag: str
    record: Record

    def value(self, key: str) -> str | None:
        return dict(self.record).get(key)


def deliver(config: Config, events: Iterable[Event]) -> dict[str, list[Record]]:
    """Alias → the records that its output gets. Raises Endless."""
    found: dict[str, list[Record]] = defaultdict(list)
    filters = [section for section in config.sections if section.name == "FILTER"]
    outputs = [section for section in config.sections if section.name == "OUTPUT"]
    waiting = list(events)
    steps = 0
    while waiting:
        steps += 1
        if steps > MOST_STEPS:
            raise Endless
        event: Event | None = waiting.pop(0)
        for one in filters:
            if event is None:
                break
            if matches(one, event.tag):
                event, emitted = _filtered(one, event)
                waiting += emitted
        for one in outputs:
            if event is not None and matches(one, event.tag):
                found[_one(one, "alias")].append(event.record)
    return found


def matches(section: Section, tag: str) -> bool:
    if regex := _one(section, "match_regex"):
        return re.search(regex, tag) is not None
    pattern = _one(section, "match")
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), tag) is not None


def _filtered(section: Section, event: Event) -> tuple[Event | None, list[Event]]:
    name = _one(section, "name")
    if name == "rewrite_tag":
        return _rewritten(section, event)
    if name == "record_modifier":
        added = [tokens(one, 2) or [] for one in _all(section, "record")]
        return Event(event.tag, (*event.record, *((key, value) for key, value in added))), []
    if name == "grep":
        key, regex = _one(section, "exclude").split(" ", 1)
        return (None if re.search(regex, event.value(key) or "") else event), []
    raise NotImplementedError(name)


def _rewritten(section: Section, event: Event) -> tuple[Event | None, list[Event]]:
    for rule in _all(section, "rule"):
        key, regex, tag, keep = tokens(rule, 4) or []
        value = event.value(key.removeprefix("$"))
        if value is not None and re.search(regex, value):
            emitted = Event(tag.replace("$TAG[0]", event.tag.split(".")[0]).replace("$TAG", event.tag), event.record)
            return (event if keep == "true" else None), [emitted]
    return event, []


def _one(section: Section, key: str) -> str:
    return next(_all(section, key), "")


def _all(section: Section, key: str) -> Iterator[str]:
    return (value for name, value in section.entries if name == key)
