"""Words for people: what was probably meant, and hostile text made fit to print."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 64
"""No known name is longer; comparing longer words only costs time."""
_CLIP = 60


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a slip of; None where nothing is near."""
    if len(word) > _LONGEST:
        return None
    by_lower = {one.lower(): one for one in known}
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def lowered(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """`section` with its option names in lower case, as they mostly are: then it is `section` itself."""
    keys = "".join(section)
    return section if keys == keys.lower() else {key.lower(): value for key, value in section.items()}


def shown(text: object) -> str:
    """`text` on one line, in quotes, cut short, without control characters."""
    short = clipped(str(text))
    return f'"{short}"' if short.isprintable() else ascii(short)


def clipped(words: str) -> str:
    return words if len(words) <= _CLIP else f"{words[: _CLIP - 1]}…"


def listed(words: Iterable[str], most: int = 12) -> str:
    """`a, b, c`, with the rest as a count."""
    every = list(words)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
