"""How deep a text nests, found without recursion: libyaml's composer recurses in C, and kills the process
on some 100,000 nested `[`, `{a: ` or `- - - ` (measured with libyaml 0.2.5).
"""

from __future__ import annotations

import yaml
from yaml._yaml import CParser

from controller.specs.text import Mark

MAX_DEPTH = 100
_SURELY_SHALLOW = 1000
"""A depth that composing bears in any thread. Most files are bounded below it by counting alone."""

_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def too_deep(content: bytes) -> Mark | None:
    """Where nesting goes beyond MAX_DEPTH, for texts that could be dangerous to compose; else None.

    What passes may still be deeper than MAX_DEPTH, but not than what composing bears.
    """
    if len(content) <= _SURELY_SHALLOW or _bound(content) <= _SURELY_SHALLOW:
        return None
    return _measured(content)


def _bound(content: bytes) -> int:
    """No text nests deeper: a flow level takes a bracket, a block level a column (a list in a mapping shares
    the column of its key).
    """
    brackets = content.count(b"[") + content.count(b"{")
    return brackets + 2 * max(map(len, content.split(b"\n")))


def _measured(content: bytes) -> Mark | None:
    parser, depth = CParser(content), 0
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, _OPENING):
                depth += 1
                if depth > MAX_DEPTH:
                    return event.start_mark
            elif isinstance(event, _CLOSING):
                depth -= 1
    except yaml.YAMLError:
        return None  # composing stops at the same place, and says so
    return None
