"""Paths that lead to secrets are refused, however they are written; folders of logs are not."""

from __future__ import annotations

import pytest

from controller.fluentbit.catalogue import Kind
from controller.fluentbit.checks import check


def codes(kind: Kind, **section: str) -> list[str]:
    return [one.code for one in check(kind, section, "5.0.9")]


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/environ",
        "//proc/1/environ",
        "/logs/../proc/self/environ",
        "../../proc/self/environ",
        "/pro*/self/environ",
        "/[p]roc/self/environ",
        "/pr?c/self/environ",
        "/logs/a.log,/proc/self/environ",
        "/logs/a.log, /sys/x",
        "/init/invoke_fluent_bit.sh",
        "/tmp/init/x",  # noqa: S108
        "/dev/mem",
        "/proc",
    ],
)
def test_paths_that_lead_to_secrets_are_refused(path: str) -> None:
    assert "FORBIDDEN_PATH" in codes("inputs", name="tail", tag="x", path=path)
    assert "FORBIDDEN_PATH" in codes("inputs", name="head", tag="x", file=path)
    assert "FORBIDDEN_PATH" in codes("outputs", name="file", path=path)


@pytest.mark.parametrize("path", ["/logs/*.log", "/var/log/app/*/x.log", "/processed/a", "/initial", "app.log"])
def test_folders_of_logs_are_not(path: str) -> None:
    assert codes("inputs", name="tail", tag="x", path=path) == []


def test_what_is_no_path_may_look_like_one() -> None:
    cloudwatch = {"region": "eu-west-1", "log_group_name": "/dev/web", "log_stream_prefix": "/init/"}
    assert codes("outputs", name="cloudwatch_logs", **cloudwatch) == []
    assert codes("outputs", name="http", host="h", tls="on", uri="/dev/logs") == []
    assert codes("outputs", name="opensearch", host="h", tls="on", path="/dev") == []


@pytest.mark.parametrize(
    ("kind", "section", "found"),
    [
        ("filters", {"name": "grep", "regex": "a b", "exclude": "c d", "logical_op": "AND"}, "EXCLUSIVE_OPTIONS"),
        ("filters", {"name": "grep", "regex": "a b", "exclude": "c d"}, None),
        ("parsers", {"name": "p", "format": "json", "time_offset": "banana"}, "INVALID_VALUE"),
        ("parsers", {"name": "p", "format": "json", "time_offset": "+0530"}, None),
        ("outputs", {"name": "es", "host": "h", "tls": "on", "cloud_id": "banana"}, "INVALID_VALUE"),
        ("outputs", {"name": "http", "host": "h", "tls": "on", "proxy": "nope"}, "INVALID_VALUE"),
        ("outputs", {"name": "http", "host": "h", "tls": "on", "proxy": "http://p.internal:3128"}, None),
        ("inputs", {"name": "tcp", "tag": "t", "listen": "%s%n"}, "INVALID_VALUE"),
        ("inputs", {"name": "tcp", "tag": "t", "listen": "10.0.0.1"}, None),
        ("inputs", {"name": "tcp", "tag": "t", "listen": "::"}, None),
    ],
)
def test_values_that_stop_the_engine_at_its_start_are_refused(
    kind: Kind, section: dict[str, str], found: str | None
) -> None:
    assert codes(kind, **section) == ([found] if found else [])


@pytest.mark.parametrize(
    ("total", "chunk", "fits"),
    [("10M", "8M", False), ("5M", "6M", False), ("12M", "6M", True), ("5M", "5242880", True)],
)
def test_a_file_of_s3_takes_two_parts_at_least(total: str, chunk: str, fits: bool) -> None:
    """Seen on 1.9.10, 5.0.9 and 5.1.1: "total_file_size is less than 2x upload_chunk_size"."""
    sizes = {"total_file_size": total, "upload_chunk_size": chunk}
    found = codes("outputs", name="s3", bucket="b", region="eu-west-1", **sizes)
    assert found == ([] if fits else ["INVALID_VALUE"])
