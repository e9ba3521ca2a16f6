"""No spec writes into the config store, or into the source of the specs."""

from __future__ import annotations

import pytest

from controller.api.problems import Severity
from controller.rules import rules
from controller.settings import Settings
from controller.specs.load import load
from controller.specs.model import SpecSet
from tests.unit.test_tenancy import output, route

STORE = "s3://configs-{account}/logroute/{region}"


def read(text: str, source: str = "s3://specs/prod", store: str = STORE) -> SpecSet:
    settings = Settings(source=source, config_store=store)
    return load("r", {"x.yaml": text.encode()}, tenancy=rules(settings))


def s3(bucket: str, key: str = "", name: str = "s3") -> str:
    form = f", s3_key_format: '{key}', static_file_path: On" if key else ""
    return f"{{name: {name}, region: eu-west-1, bucket: {bucket}{form}}}"


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("configs-123456789012", "/logroute/eu-west-1/_state/$UUID"),
        ("configs-123456789012", "/logroute/$UUID"),
        ("configs-123456789012", "/log$UUID"),
        ("configs-123456789012", "/$TAG/$UUID"),
        ("configs-123456789012", "logroute/eu-west-1/%Y/pipeline.conf"),
        ("specs", "/prod/$UUID.yaml"),
        ("specs", "/%Y/$UUID.yaml"),
        ("specs", "/prod/"),
    ],
)
def test_an_output_that_may_write_there_is_refused_where_it_says_so(bucket: str, key: str) -> None:
    for text, line in (
        (route(outputs=f"[{s3(bucket, key)}]"), 7),
        (route(outputs=f"[{s3(bucket, key, 'S3')}]"), 7),
        (output(spec=s3(bucket, key)), 4),
    ):
        found = read(text)
        [problem] = [one for one in found.problems if one.code == "OUTPUT_IN_RESERVED_BUCKET"]
        assert (problem.line, problem.severity) == (line, Severity.ERROR)
        assert problem.column > 1
        assert found.routes == ()


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("configs-123456789012", "/other/$UUID"),
        ("configs-123456789012", "/logroute2/$UUID"),
        ("configs-123456789012-x", "/logroute/$UUID"),
        ("myconfigs-123456789012", "/logroute/$UUID"),
        ("specs", "/production/$UUID"),
        ("specs", "/dev/$UUID"),
        ("logs", ""),
    ],
)
def test_others_are_not(bucket: str, key: str) -> None:
    found = read(route(outputs=f"[{s3(bucket, key)}]"))
    assert [one for one in found.problems if one.severity is Severity.ERROR] == []
    assert found.routes


def test_a_store_without_a_prefix_is_its_whole_bucket() -> None:
    text = route(outputs=f"[{s3('configs', '/anything/$UUID')}]")
    assert read(text, store="s3://configs").routes == ()
    assert read(text, store="s3://configs/logroute").routes


def test_an_output_that_a_route_refers_to_counts_too() -> None:
    text = output("o", spec=s3("specs", "/prod/$UUID")) + "---\n" + route(outputs="[{ref: o}]")
    found = read(text)
    assert found.routes == ()
    assert {one.code for one in found.problems} >= {"OUTPUT_IN_RESERVED_BUCKET", "REF_INVALID"}
