"""Names and globs, as targets write them: `*`, `?`, and `!` to exclude."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=65536)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """`*` is any run, `?` any one character; case counts, as it does in ECS."""
    return re.compile("".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in glob))


def is_glob(text: str) -> bool:
    return "*" in text or "?" in text or text.startswith("!")


def selected(globs: Sequence[str], name: str) -> bool:
    """Included by one and excluded by none; `!` excludes whatever its place in the list."""
    if any(glob[0] == "!" and glob_pattern(glob[1:]).fullmatch(name) for glob in globs):
        return False
    return any(glob[0] != "!" and glob_pattern(glob).fullmatch(name) for glob in globs)


def within(inner: str, outer: str) -> bool:
    """Whether `outer` stands for every name that `inner` stands for. In doubt not: `?*` is not within `*?`."""
    return _including(outer).fullmatch(inner) is not None


@lru_cache(maxsize=4096)
def _including(glob: str) -> re.Pattern[str]:
    """Of globs, read as texts: a `*` in one is within a `*` alone."""
    return re.compile("".join(".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in glob))
