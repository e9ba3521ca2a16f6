"""docs/outputs.md: every example is a valid spec for the engines it names, and is rendered as it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.fluentbit.engines import VERSIONS
from controller.fluentbit.reader import from_classic
from controller.specs.load import load
from tests.support.examples import Example, default_class, examples, pipeline_of

DESTINATIONS = {
    "cloudwatch_logs",
    "s3",
    "kinesis_firehose",
    "kinesis_streams",
    "opensearch",
    "es",
    "datadog",
    "splunk",
    "loki",
    "nrlogs",
    "http",
    "kafka",
    "forward",
    "opentelemetry",
}
EVERY = pytest.mark.parametrize("example", examples(), ids=lambda one: one.title)
OWN_TLS = {"cloudwatch_logs", "s3", "kinesis_firehose", "kinesis_streams", "nrlogs", "kafka"}
"""They use TLS in any case, or by an option of their own."""


def outputs(example: Example) -> list[dict[str, Any]]:
    """As text, as the specs read them."""
    found: list[dict[str, Any]] = yaml.load(example.route, yaml.BaseLoader)["spec"]["pipeline"]["outputs"]  # noqa: S506
    return found


def problems(example: Example, engine: str) -> list[str]:
    files = {"route.yaml": example.route.encode(), "class.yaml": default_class(engine).encode()}
    found = load("docs", files).problems
    return [f"{one.code} {one.message}" for one in found if one.file == "route.yaml"]


def test_every_destination_has_an_example() -> None:
    assert {one["name"] for example in examples() for one in outputs(example)} == DESTINATIONS
    assert len({example.title for example in examples()}) == len(examples())


@EVERY
def test_an_example_has_no_problem_for_the_engines_it_names(example: Example) -> None:
    assert {engine: problems(example, engine) for engine in example.engines} == {one: [] for one in example.engines}


@EVERY
def test_engines_are_named_where_an_example_does_not_fit_all(example: Example) -> None:
    refused = [engine for engine in VERSIONS if problems(example, engine)]
    assert sorted([*example.engines, *refused]) == sorted(VERSIONS)


@EVERY
def test_the_rendered_outputs_are_as_written(example: Example, tmp_path: Path) -> None:
    pipeline = from_classic(pipeline_of(example.route, example.engines[-1], tmp_path))
    rendered = {dict(one.entries)["alias"]: one.entries for one in pipeline.sections if one.name == "OUTPUT"}
    route = yaml.safe_load(example.route)["metadata"]["name"]
    for output in outputs(example):
        entries = rendered[f"web.{route}.{output.pop('alias')}"]
        output.pop("match", None)  # routes that meet change it
        for key, value in output.items():
            assert [one for name, one in entries if name == key] == (value if isinstance(value, list) else [value])


@EVERY
def test_examples_are_safe(example: Example) -> None:
    for output in outputs(example):
        assert int(output["retry_limit"]) >= 5
        if output["name"] not in OWN_TLS:
            assert (output["tls"], output["tls.verify"]) == ("On", "On")


@EVERY
def test_rights_are_the_least(example: Example) -> None:
    for text in example.policies:
        read = json.loads(text)
        for statement in read if isinstance(read, list) else [read]:
            assert statement["Effect"] == "Allow"
            assert not [action for action in statement["Action"] if "*" in action]
            resources = statement["Resource"]
            assert all(one.startswith("arn:") for one in ([resources] if isinstance(resources, str) else resources))
