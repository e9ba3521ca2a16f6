"""One JSON object a line, whoever logs; no secrets, no traceback but at debug, no failure of its own."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from controller.telemetry import logs
from controller.telemetry.redaction import Redactor


class Log(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def line(self) -> dict[str, Any]:
        (only,) = self.lines()
        return only


@pytest.fixture
def log() -> Iterator[Log]:
    root, log = logging.getLogger(), Log()
    handlers, level = root.handlers[:], root.level
    logs.configure(stream=log, redactor=Redactor(["planted-value"]))
    yield log
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


def _again(log: Log, **options: Any) -> None:
    logs.configure(stream=log, redactor=Redactor(), **options)


def test_an_event_is_one_json_object_with_time_level_and_fields(log: Log) -> None:
    structlog.get_logger().info("plan made", service="web\nforged", actions=3)
    line = log.line()
    assert list(line) == ["ts", "level", "event", "service", "actions"]
    assert (line["level"], line["event"], line["service"], line["actions"]) == ("info", "plan made", "web\nforged", 3)
    assert line["ts"].endswith("Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(line["ts"])).total_seconds() < 60


def test_fields_bound_to_the_context_are_on_every_line(log: Log) -> None:
    with structlog.contextvars.bound_contextvars(key="main/web"):
        structlog.get_logger().info("looking")
    assert log.line()["key"] == "main/web"


def test_debug_is_silent_unless_asked_for(log: Log) -> None:
    structlog.get_logger().debug("detail")
    assert log.lines() == []
    _again(log, level="debug")
    structlog.get_logger().debug("detail")
    assert log.line()["level"] == "debug"


def test_an_error_is_its_text_with_its_cause_and_no_traceback(log: Log) -> None:
    try:
        raise ValueError("cannot fetch") from OSError("refused")
    except ValueError as error:
        structlog.get_logger().error("poll failed", error=error)
        structlog.get_logger().exception("poll failed")
    for line in log.lines():
        assert line["error"] == "ValueError: cannot fetch; caused by OSError: refused"
        assert "Traceback" not in str(line)


def test_at_debug_the_traceback_is_there_too(log: Log) -> None:
    _again(log, level="debug")
    structlog.get_logger().error("poll failed", error=ValueError("x"))
    assert log.line()["traceback"].endswith("ValueError: x")


def test_secrets_are_masked_in_event_fields_keys_and_errors(log: Log) -> None:
    structlog.get_logger().error(
        "used planted-value",
        url="https://me:planted@host/x",
        token="other",
        nested={"a": ["planted-value"], "planted-value": {"password": "p4ssw0rd"}},
        error=ValueError("with planted-value"),
    )
    shown = log.getvalue()
    assert not any(secret in shown for secret in ("planted-value", "me:planted", "other", "p4ssw0rd"))


def test_secrets_are_masked_in_tracebacks(log: Log) -> None:
    logs.configure(stream=log, level="debug", redactor=Redactor(["planted-value"]))
    structlog.get_logger().error("failed", error=ValueError("planted-value"))
    assert "planted-value" not in log.getvalue()


def test_libraries_log_warnings_through_the_same_lines(log: Log) -> None:
    logging.getLogger("botocore.retries").warning("retrying %s", "https://u:p@host/")
    assert log.line()["logger"] == "botocore.retries"
    assert log.line()["event"] == "retrying https://host/"
    assert log.line()["level"] == "warning"


def test_libraries_are_never_heard_below_warning(log: Log) -> None:
    _again(log, level="debug")
    logging.getLogger("botocore.auth").debug("Authorization header")
    logging.getLogger("uvicorn.error").info("started")
    assert log.lines() == []


def test_a_library_s_exceptions_and_odd_levels_are_lines_too(log: Log) -> None:
    try:
        raise OSError("gone")
    except OSError:
        logging.getLogger("lib").exception("it broke")
    logging.getLogger("lib").log(35, "in between")
    logging.getLogger("lib").log(99, "beyond")
    first, second, third = log.lines()
    assert first["error"] == "OSError: gone"
    assert (second["level"], third["level"]) == ("warning", "critical")


def test_a_library_that_logs_with_wrong_arguments_is_heard_all_the_same(log: Log) -> None:
    record = logging.LogRecord("lib", logging.ERROR, __file__, 1, "%d apples", ("no number",), None)
    logging.getLogger().handlers[0].handle(record)
    assert log.line()["event"] == "%d apples"


def test_python_warnings_are_lines_too(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)
    assert "UserWarning: old" in log.line()["event"]


def test_a_line_is_ascii_whatever_it_says(log: Log) -> None:
    structlog.get_logger().info("größer", name="\udc80")
    assert log.getvalue().isascii()
    assert log.line()["event"] == "größer"


def test_a_stream_that_cannot_be_written_stops_nothing(log: Log) -> None:
    log.close()
    structlog.get_logger().error("disk full")


def test_text_for_a_terminal_is_readable_and_cannot_be_forged(log: Log) -> None:
    _again(log, log_format="text")
    structlog.get_logger().warning("no such service", service="web", why="two words", odd="x\ny=1", n=3)
    ts, rest = log.getvalue().split(" ", 1)
    assert ts.endswith("Z")
    assert rest == 'warning no such service service=web why="two words" odd="x\\ny=1" n=3\n'


def test_text_shows_a_traceback_below_the_line(log: Log) -> None:
    _again(log, log_format="text", level="debug")
    structlog.get_logger().error("failed", error=ValueError("x"))
    first, *_, last = log.getvalue().splitlines()
    assert first.endswith('error="ValueError: x"')
    assert last == "ValueError: x"
