"""Errors as text for people: what happened, and because of what."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

_MAX_LINKS = 10


def chain(error: BaseException) -> str:
    """`SourceError: cannot fetch; caused by ConnectionError: refused`, the outermost first."""
    return "; caused by ".join(_link(link) for link in _links(error))


def trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _links(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen and len(seen) < _MAX_LINKS:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _link(error: BaseException) -> str:
    name, text = type(error).__name__, _message(error)
    if isinstance(error, BaseExceptionGroup):
        text = f"{text}: " + "; ".join(_link(inner) for inner in error.exceptions[:_MAX_LINKS])
    # `KeyError` alone says nothing, and a class name that the text repeats says it twice.
    return text if text.startswith(name) else f"{name}: {text}" if text else name


def _message(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - an error that cannot be shown must not hide that it happened
        return "(no text)"
