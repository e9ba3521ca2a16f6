"""Lints look at whatever people write: they never fail, and the glance before them overlooks nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.fluentbit.lints import glance
from controller.fluentbit.lints.endpoints import is_loopback, is_public
from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.registry import LINTS
from controller.fluentbit.lints.route import lint_route

NAMES = st.sampled_from(
    ["s3", "S3", "cloudwatch_logs", "kinesis_firehose", "stdout", "http", "kafka", "loki", "forward", "datadog", "kinesis",
     "syslog", "grep", "lua", "modify", "record_modifier", "nest", "parser", "rewrite_tag", "multiline", "throttle", ""]
)  # fmt: skip
KEYS = st.sampled_from(
    ["match", "match_regex", "rule", "log_key", "remove", "rename", "record", "allowlist_key", "wildcard", "operation",
     "mode", "multiline.parser", "parser", "key_name", "reserve_data", "host", "port", "tls", "tls.verify", "brokers",
     "bucket", "store_dir", "s3_key_format", "static_file_path", "retry_limit", "retry_exhausted_action", "labels",
     "quarantine_dir_limit_size", "log_stream_name", "log_retention_days", "log_group_template", "auto_create_group",
     "log_group_name", "unix_path", "total_file_size", "regex", "remove_wildcard", "log_group_class", "endpoint"]
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(
        ["", "*", "app-*", "app.*", "^app-", "^(a+)+$", "$log x $TAG.y false", "$log x app-z false", "$log x y true",
         "log", "log message", "log*", "On", "Off", "0", "1", "no_limits", "quarantine", "/a", "/a/$UUID", "$a-$b", "$",
         "${X}", "127.0.0.1", "example.com", "[::1", "nest", "partial_message", "lift", "a:1,b:2", "10M", "², ٣", "1" * 99]
    ),
    st.text(max_size=12),
)  # fmt: skip
VALUES = st.one_of(
    TEXTS, st.lists(TEXTS, max_size=3), st.none(), st.dictionaries(TEXTS, TEXTS, max_size=1), st.integers()
)
SECTIONS = st.builds(
    lambda name, options: {"name": name, **options},
    st.one_of(NAMES, NAMES, VALUES),
    st.dictionaries(KEYS, VALUES, max_size=4),
)
GLOBS = st.text("ab*?!", min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(SECTIONS, max_size=4),
    st.lists(SECTIONS, max_size=3),
    st.lists(st.tuples(TEXTS, SECTIONS), max_size=2),
    st.lists(GLOBS, max_size=2),
    st.sampled_from(["1.9.10", "5.1", "any"]),
)
def test_any_pipeline_ends_in_findings_of_known_lints(
    filters: list[Any], outputs: list[Any], inputs: list[Any], containers: list[str], engine: str
) -> None:
    sinks = tuple(Sink(at, one, groups=frozenset({"log"})) for at, one in enumerate(outputs))
    found = lint_route(Given(tuple(filters), sinks, tuple(inputs), tuple(containers), {"log": {}}, engine))
    for one in found:
        assert one.severity is LINTS[one.code].severity
        assert one.message
        assert one.hint
        assert one.message.isprintable()
        assert one.hint.isprintable()
    assert not found or glance.calls_for_a_look(filters, outputs)


@given(st.text(max_size=30))
def test_any_host_is_somewhere(host: str) -> None:
    assert not (is_public(host) and is_loopback(host))
