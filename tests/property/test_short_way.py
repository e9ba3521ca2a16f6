"""The short way through the checks says yes only where the long way finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.fluentbit import catalogue
from controller.fluentbit.catalogue import ANY, PLUGIN_KINDS, Kind
from controller.fluentbit.checks import explained
from controller.fluentbit.engines import ENGINES
from controller.fluentbit.fine import plainly_fine
from controller.fluentbit.variables import Names

TEXTS = st.sampled_from(
    [
        *(
            "",
            " ",
            "On",
            "off",
            "5",
            "-1",
            "250M",
            "2G",
            "10m",
            "gzip",
            "json_lines",
            "log debug",
            "a b c",
            "x.*",
            "(",
            "[",
        ),
        *("$log['a']", "${HOME}", "${TOKEN}", "TOKEN", "/proc/self/environ", "/var/log/a.log", "a\nb", "é", "[PARSER]"),
        *("legacy", "AND", "regex", "parser", "partial_message", "upsert", "no_limits", "eu-central-1", "x" * 4000),
    ]
)
VALUES = st.one_of(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=3), st.none(), st.just({"a": "b"}), st.just(True))


@st.composite
def sections(draw: st.DrawFn) -> tuple[Kind, dict[str, Any], str]:
    """Of any plugin, mostly with options that it knows, and with all that it needs more often than not."""
    engine = draw(st.sampled_from([*ENGINES, ANY]))
    kind: Kind = draw(st.sampled_from([*PLUGIN_KINDS, "service", "parsers", "multiline_parsers"]))
    name = draw(st.sampled_from(catalogue.names(kind, engine) or ("x",))) if kind in PLUGIN_KINDS else kind
    plugin = catalogue.plugin(kind, name, engine)
    known = sorted(plugin.options) if plugin else ["x"]
    keys = draw(st.lists(st.sampled_from(known), max_size=5))
    if plugin and draw(st.booleans()):
        keys += [group[0] for group in plugin.required]
    keys += draw(st.lists(st.sampled_from(["Match", "nonsense", "rdkafka.acks", "processors", "a b", ""]), max_size=1))
    section = {key: draw(VALUES) for key in keys}
    if kind in PLUGIN_KINDS:
        section["name"] = draw(st.sampled_from([name, name, name, name.upper(), ["x"], None]))
    return kind, section, engine


@settings(max_examples=1500)
@given(sections())
def test_what_is_plainly_fine_has_no_finding(case: tuple[Kind, dict[str, Any], str]) -> None:
    kind, section, engine = case
    if plainly_fine(kind, section, engine):
        assert explained(kind, section, engine, Names({"TOKEN"})) == []


USUAL: list[tuple[Kind, dict[str, Any]]] = [
    (
        "outputs",
        {"name": "cloudwatch_logs", "region": "eu-central-1", "log_group_name": "/a", "log_stream_prefix": "b/"},
    ),
    (
        "outputs",
        {"name": "s3", "bucket": "a", "region": "eu-central-1", "total_file_size": "250M", "compression": "gzip"},
    ),
    ("outputs", {"name": "S3", "bucket": "a", "region": "eu-central-1"}),
    ("filters", {"name": "grep", "exclude": "log debug"}),
    ("filters", {"name": "record_modifier", "record": ["service a", "team b"]}),
    ("service", {"flush": "1", "grace": "30"}),
]


@pytest.mark.parametrize(("kind", "section"), USUAL)
def test_usual_sections_take_the_short_way(kind: Kind, section: dict[str, Any]) -> None:
    assert plainly_fine(kind, section, ANY)


UNUSUAL: list[tuple[Kind, dict[str, Any]]] = [
    ("outputs", {"name": "s3", "bucket": ["a", "b"], "region": "eu-central-1"}),
    ("outputs", {"name": "s3", "region": "eu-central-1"}),
    ("outputs", {"name": "s3", "bucket": "a", "total_file_size": "much"}),
    ("outputs", {"name": "s3", "bucket": "a", "total_file_size": "20M", "upload_chunk_size": "15M"}),
    ("outputs", {"name": "s3", "bucket": "a", "store_dir": "/proc/self"}),
    ("filters", {"name": "record_modifier", "record": []}),
    ("filters", {"name": "record_modifier", "record": ["service a", None]}),
    ("filters", {"name": "record_modifier", "record": ["service a", "b c d"]}),
    ("filters", {"name": "grep", "exclude": "log ("}),
    ("filters", {"name": ["grep"], "exclude": "log debug"}),
    ("filters", {"exclude": "log debug"}),
    ("service", {"plugins_file": "a"}),
]


@pytest.mark.parametrize(("kind", "section"), UNUSUAL)
def test_a_mistake_takes_the_long_way_and_is_told(kind: Kind, section: dict[str, Any]) -> None:
    assert not plainly_fine(kind, section, ANY)
    assert explained(kind, section, ANY)
