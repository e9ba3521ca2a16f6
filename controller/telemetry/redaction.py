"""Taking secrets out of what people will read: by name, by shape, and by value.

By name: the value of a key, or of `name=value`, that is called like a secret. By shape: the user part of a
URL, and what follows Bearer or Basic. By value: everything that was registered, wherever it turns up.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TypeAlias
from urllib.parse import quote, quote_plus

from controller.api.secrecy import USERINFO, WORDS, names_secret

MASK = "***"
MIN_LENGTH = 4
"""Registered values below this are not masked: they would blot out ordinary words, and protect nothing."""

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_MAX_DEPTH = 8
_MIN_LINE = 16

_ASSIGNED = re.compile(
    rf"((?:{WORDS})s?[\"']?\s{{0,3}}[:=]\s{{0,3}})(?:(?:bearer|basic)\s+)?"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"'\])}]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[a-z0-9._~+/=-]{16,}", re.IGNORECASE)


def without_userinfo(text: str) -> str:
    """`https://user:pass@host/x` → `https://host/x`, wherever in the text."""
    return USERINFO.sub(r"\1", text)


def without_shapes(text: str) -> str:
    """The text without what looks like a secret."""
    text = _ASSIGNED.sub(rf"\g<1>{MASK}", without_userinfo(text))
    return _SCHEME.sub(rf"\g<1> {MASK}", text)


def spellings(value: str) -> set[str]:
    """How a value may turn up in a text: as it is, in a URL, in JSON, and, of a PEM key, line by line."""
    bare = value.strip()
    lines = {line.strip() for line in bare.splitlines() if len(line.strip()) >= _MIN_LINE and "-----" not in line}
    forms = {bare, quote(bare, safe=""), quote(bare), quote_plus(bare), json.dumps(bare)[1:-1], *lines}
    return {form for form in forms if len(form) >= MIN_LENGTH}


class Redactor:
    """Knows the registered values. Safe to use from any thread."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.register(value)

    def register(self, value: str) -> None:
        """From now on this value is masked wherever it turns up. Values below MIN_LENGTH are ignored."""
        with self._lock:
            known = self._known | spellings(value)
            if known != self._known:
                self._known = known
                # The longest first: of two secrets, one may begin with the other.
                self._pattern = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))

    def text(self, text: str) -> str:
        pattern = self._pattern
        return without_shapes(pattern.sub(MASK, text) if pattern else text)

    def plain(self, value: object, name: str = "", depth: int = 0) -> Plain:
        """The value as JSON can hold it, without secrets. What JSON does not know becomes its text."""
        if value is None or isinstance(value, bool):
            return value
        if name and names_secret(name):
            return MASK
        if isinstance(value, int | float):
            return value if isinstance(value, int) or isfinite(value) else str(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset) and depth < _MAX_DEPTH:
            return self._container(value, depth + 1)
        return self.text(value if isinstance(value, str) else _text(value))

    def _container(self, value: Mapping[object, object] | Iterable[object], depth: int) -> Plain:
        if isinstance(value, Mapping):
            items = ((_text(key), item) for key, item in value.items())
            return {self.text(key): self.plain(item, key, depth) for key, item in items}
        return [self.plain(item, depth=depth) for item in value]


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a value that cannot be shown must not stop the log line
        return f"<{type(value).__name__}: {type(error).__name__}>"


DEFAULT = Redactor()
"""The one of this process: logs use it, and app.py registers in it every secret that it reads."""

register = DEFAULT.register
