"""Structured logs: one JSON object a line on stderr, or plain lines for a terminal; without secrets.

    {"ts": "2026-01-01T00:00:00.000000Z", "level": "warning", "event": "reconcile failed", "error": "…"}

Log with `structlog.get_logger()`: a short constant event, everything that varies in fields. `error=exc`, or
`exc_info=True`, gives the error with what caused it; the traceback comes only at level debug.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

from controller.telemetry import errors
from controller.telemetry.redaction import DEFAULT, Plain, Redactor

Format = Literal["json", "text"]
Level = Literal["debug", "info", "warning", "error"]

_FIRST = ("ts", "level", "event")


def configure(
    *,
    log_format: Format = "json",
    level: Level = "info",
    stream: TextIO | None = None,
    redactor: Redactor = DEFAULT,
) -> None:
    """Set up logging for this process, or replace what was. `stream` None is stderr, as it is now."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            _errors(with_trace=level == "debug"),
            _render(redactor, _json_line if log_format == "json" else _text_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_Lines(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    # The libraries stay at WARNING even at level debug: botocore's debug lines hold signed headers.
    logging.basicConfig(level=logging.WARNING, handlers=[_Bridge()], force=True)
    logging.captureWarnings(capture=True)


class _Lines:
    """Writes lines, and gives up in silence where it cannot: a full disk must not stop the controller."""

    def __init__(self, stream: TextIO) -> None:
        self._logger = structlog.WriteLogger(stream)

    def __call__(self, *_args: object) -> _Lines:
        return self

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._logger.msg(line)

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Passes what libraries say through stdlib logging to the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        # structlog knows the usual levels alone.
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        structlog.get_logger().log(level, text.strip(), logger=record.name, exc_info=record.exc_info)


def _errors(*, with_trace: bool) -> Processor:
    def processor(_logger: Any, _method: str, event: EventDict) -> EventDict:
        error = _exception(event.pop("exc_info", None)) or event.get("error")
        if isinstance(error, BaseException):
            event["error"] = errors.chain(error)
            if with_trace:
                event["traceback"] = errors.trace(error)
        return event

    return processor


def _exception(exc_info: Any) -> BaseException | None:
    """The exception that `exc_info` means: itself, a tuple with it, or, if true, the one being handled."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if exc_info is True:
        return sys.exception()
    return exc_info if isinstance(exc_info, BaseException) else None


def _render(redactor: Redactor, line: Callable[[dict[str, Plain]], str]) -> Processor:
    def processor(_logger: Any, _method: str, event: EventDict) -> str:
        first = {name: event.pop(name, "") for name in _FIRST}
        plain = redactor.plain({**first, **event})
        return line(plain if isinstance(plain, dict) else {})

    return processor


def _json_line(event: dict[str, Plain]) -> str:
    # ASCII only: the line stays valid JSON whatever encoding the stream has.
    return json.dumps(event, separators=(", ", ": "))


def _text_line(event: dict[str, Plain]) -> str:
    ts, level, text, traceback = (str(event.pop(name, "")) for name in (*_FIRST, "traceback"))
    fields = " ".join(f"{name}={_field(value)}" for name, value in event.items())
    line = f"{ts} {level:<7} {_field(text, spaces=True)} {fields}".rstrip()
    return f"{line}\n{traceback}" if traceback else line


def _field(value: Plain, *, spaces: bool = False) -> str:
    """Bare where it is one printable word; else as JSON, so that no value can forge a line or a field."""
    text = value if isinstance(value, str) else json.dumps(value)
    bare = text.isprintable() and '"' not in text and (spaces or (text and " " not in text))
    return text if bare or not isinstance(value, str) else json.dumps(text)
