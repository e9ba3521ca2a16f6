"""Record accessors, `$key['x'][0]` within a text: one that does not parse stops the engine or names another key.

Follows ra_parse_buffer in flb_record_accessor.c, and ra.l and ra.y beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_KEY = re.compile(r"\$[_A-Za-z][A-Za-z0-9_\-/]*(?:\[(?:'(?:[^']|'')*'|0|[1-9][0-9]{0,8})\])*")
_TAG = re.compile(r"\$TAG(?:\[([^]]*)\])?")
_PART = re.compile(r"-?[0-9]{1,4}")
_ENDS = ' ,"'


@lru_cache(maxsize=4096)
def accessor_error(text: str) -> str | None:
    """What the engine cannot read in a text that may hold accessors."""
    if text == "$":
        return "a $ alone names no key"
    for part in _accessors(text):
        if part.startswith("$TAG["):
            tag = _TAG.fullmatch(part)
            if tag is None or not _PART.fullmatch(tag[1] or ""):
                return f"{part} is no part of the tag: write $TAG[0]"
        elif not _KEY.fullmatch(part):
            return f"{part} is no key of a record: write $key or $key['inner']"
    return None


def _accessors(text: str) -> Iterator[str]:
    position = 0
    while (position := text.find("$", position)) >= 0 and position + 1 < len(text):
        if text[position + 1] in "0123456789":
            position += 2
        elif text.startswith("$TAG", position):
            end = _tag_end(text, position)
            yield text[position:end]
            position = end
        else:
            end = _end(text, position)
            yield text[position:end]
            position = end


def _tag_end(text: str, start: int) -> int:
    if not text.startswith("[", start + 4) or start + 5 >= len(text):
        return start + 4
    end = text.find("]", start)
    return end + 1 if end >= 0 else len(text)


def _end(text: str, start: int) -> int:
    """A dot within quotes does not end a key; a space does, wherever it stands."""
    quotes = 0
    for position in range(start + 1, len(text)):
        quotes += text[position] == "'"
        if text[position] in _ENDS or (text[position] == "." and quotes % 2 == 0):
            return position
    return len(text)
