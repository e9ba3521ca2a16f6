"""What init functions of plugins refuse, kind of fact by kind of fact, and what differs between versions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.fluentbit import catalogue
from controller.fluentbit.catalogue import ANY, PLUGIN_KINDS, Kind, Plugin
from controller.fluentbit.checks import check
from controller.fluentbit.engines import VERSIONS
from controller.fluentbit.findings import Finding
from controller.fluentbit.types import size_bytes
from controller.fluentbit.variables import Names

CW = {"name": "cloudwatch_logs", "region": "r", "log_group_name": "g", "log_stream_prefix": "p"}
S3 = {"name": "s3", "bucket": "b"}
KINESIS = {"name": "kinesis_streams", "region": "r", "stream": "s"}
OTEL = {"name": "opentelemetry", "host": "h"}


def codes(section: dict[str, Any], engine: str = "5.0.9", kind: Kind = "outputs") -> list[str]:
    return [finding.code for finding in check(kind, section, engine, Names(("SECRET",)))]


def one(section: dict[str, Any], engine: str = "5.0.9", kind: Kind = "outputs") -> Finding:
    (found,) = check(kind, section, engine, Names(("SECRET",)))
    return found


def every_plugin() -> list[Plugin]:
    """Of every engine."""
    found = [
        catalogue.plugin(kind, name, engine)
        for engine in VERSIONS
        for kind in PLUGIN_KINDS
        for name in catalogue.names(kind, engine)
    ]
    return [plugin for plugin in found if plugin]


PLUGINS = st.sampled_from(every_plugin())

# Every kind of fact, for every plugin that has it


@given(PLUGINS, st.data())
def test_each_required_group_is_missed_where_it_is_not_given(plugin: Plugin, data: st.DataObject) -> None:
    given_groups = data.draw(st.lists(st.sampled_from(plugin.required), unique=True)) if plugin.required else []
    section = {"name": plugin.name, **{group[0]: "x" for group in given_groups}}
    told = " ".join(one.message for one in check(plugin.kind, section, _engine(plugin)) if one.code == "MISSING_OPTION")
    for group in plugin.required:
        missing = section.keys().isdisjoint(group)
        assert (f"needs {' or '.join(group)}" in told) == missing


@given(PLUGINS)
def test_each_exclusive_pair_is_told(plugin: Plugin) -> None:
    for first, *others in plugin.exclusive:
        for other in others:
            section = {"name": plugin.name, first: "x", other: "x"}
            assert "EXCLUSIVE_OPTIONS" in [one.code for one in check(plugin.kind, section, _engine(plugin))]


@given(PLUGINS)
def test_each_need_counts_where_the_option_is_on_alone(plugin: Plugin) -> None:
    for first, *others in plugin.needs:
        for value, wanted in (("on", True), ("off", False), ("${ECS_CLUSTER}", True)):
            found = check(plugin.kind, {"name": plugin.name, first: value}, _engine(plugin), Names(("SECRET",)))
            needed = [one for one in found if one.code == "MISSING_OPTION" and one.path == (first,)]
            assert bool([one for one in needed if " or ".join(others) in one.hint]) == wanted


@given(PLUGINS, st.text("abcxyz", min_size=9, max_size=12))
def test_each_choice_takes_its_words_and_no_other(plugin: Plugin, other: str) -> None:
    for name, option in plugin.options.items():
        for choice in option.type.choices:
            assert not wrong(plugin, name, choice), (plugin.name, name, choice)
        if option.type.choices:
            assert wrong(plugin, name, other), (plugin.name, name)


def wrong(plugin: Plugin, name: str, value: str) -> bool:
    found = check(plugin.kind, {"name": plugin.name, name: value}, _engine(plugin))
    return any(one.code == "INVALID_VALUE" and one.path == (name,) for one in found)


def _engine(plugin: Plugin) -> str:
    """One that has this very plugin."""
    return next(one for one in VERSIONS if catalogue.plugin(plugin.kind, plugin.name, one) is plugin)


@pytest.mark.parametrize("secret", sorted(catalogue.secret_options()))
def test_each_secret_is_refused_in_clear_wherever_it_is_an_option(secret: str) -> None:
    for kind in PLUGIN_KINDS:
        for name in catalogue.names(kind, ANY):
            plugin = catalogue.plugin(kind, name, ANY)
            if plugin and plugin.option(secret):
                assert "SECRET_IN_CLEAR" in codes({"name": name, secret: "hunter2"}, ANY, kind), name


def test_options_that_sound_like_secrets_are_secrets() -> None:
    """`password`, `passwd` and `api_key` anywhere in a name."""
    names = {
        name
        for plugin in every_plugin()
        for name in plugin.options
        if name.endswith(("password", "passwd", "api_key", "apikey", "client_secret", "license_key", "sas_token"))
    }
    assert names - catalogue.secret_options() == set()


# Pairs and bounds


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ({"use_put_object": "On", "total_file_size": "1G"}, True),
        ({"use_put_object": "On", "total_file_size": "1001M"}, False),
        ({"upload_chunk_size": "50M", "total_file_size": "100M"}, True),
        ({"upload_chunk_size": "51M", "total_file_size": "200M"}, False),
        ({"upload_chunk_size": "51M", "total_file_size": "200M", "compression": "gzip"}, True),
        ({"upload_chunk_size": "6M", "total_file_size": "11M"}, False),
        ({"upload_chunk_size": "6M", "total_file_size": "12M"}, True),
        ({"upload_chunk_size": "6M", "total_file_size": "9M"}, False),
        ({"upload_chunk_size": "5242880", "total_file_size": "10485760"}, True),
    ],
)
def test_sizes_of_s3_must_fit_each_other(sizes: dict[str, str], *, fits: bool) -> None:
    assert codes({**S3, **sizes}) == ([] if fits else ["INVALID_VALUE"])


@given(st.integers(0, 60_000), st.integers(0, 200), st.booleans())
def test_a_chunk_that_is_accepted_fits_its_file_twice(total: int, chunk: int, whole: bool) -> None:
    section = {**S3, "total_file_size": f"{total}M", "upload_chunk_size": f"{chunk}M", "compression": "gzip"}
    if codes({**section, "use_put_object": "On" if whole else "Off"}) == []:
        assert whole or total < 11 or 2 * (size_bytes(f"{chunk}M") or 0) <= (size_bytes(f"{total}M") or 0)


def test_documents_that_may_be_there_need_a_name() -> None:
    for name in ("es", "opensearch"):
        section = {"name": name, "host": "h", "write_operation": "upsert"}
        assert codes(section) == ["MISSING_OPTION"]
        assert codes({**section, "generate_id": "On"}) == codes({**section, "id_key": "x"}) == []


def test_the_multiline_filter_needs_what_its_mode_needs() -> None:
    assert codes({"name": "multiline"}, kind="filters") == ["MISSING_OPTION"]
    assert codes({"name": "multiline", "mode": "partial_message"}, kind="filters") == ["MISSING_OPTION"]
    assert codes({"name": "multiline", "multiline.parser": "go"}, kind="filters") == []


def test_signing_needs_a_region() -> None:
    assert "aws_region" in one({"name": "opensearch", "host": "h", "aws_auth": "On"}).hint
    assert codes({"name": "opensearch", "host": "h", "aws_auth": "Off"}) == []
    assert codes({"name": "http", "aws_auth": "On", "aws_service": "x", "aws_region": "r"}, "1.9.10") == []


def test_kinesis_takes_one_of_time_key_and_log_key() -> None:
    assert codes({**KINESIS, "time_key": "t", "log_key": "l"}) == ["EXCLUSIVE_OPTIONS"]


def test_tls_is_no_option_of_the_aws_outputs_on_newer_engines_and_the_hint_says_why() -> None:
    found = one({**CW, "tls": "On"})
    assert (found.code, found.path) == ("INVALID_VALUE", ("tls",))
    assert "in any case" in found.hint
    assert codes({**CW, "tls": "On"}, "1.9.10") == codes({**CW, "tls": "Off"}) == codes({**S3, "tls": "On"}) == []


def test_inputs_without_connections_take_nothing_of_them() -> None:
    """The engines crash where they do."""
    assert codes({"name": "dummy", "net.keepalive": "Off"}, kind="inputs") == ["UNKNOWN_OPTION"]
    assert codes({"name": "dummy", "tls": "Off"}, kind="inputs") == []
    assert codes({"name": "udp", "net.backlog": "8"}, kind="inputs") == []
    tcp = {"name": "tcp", "tls.min_version": "TLSv1.2"}
    assert codes(tcp, kind="inputs") == ["MISSING_OPTION"]
    assert codes({**tcp, "tls": "On"}, kind="inputs") == []


def test_an_input_that_fluent_bit_makes_itself_is_refused() -> None:
    assert codes({"name": "emitter"}, kind="inputs") == ["REFUSED_PLUGIN"]


def test_awss_go_plugins_know_two_words_for_yes_and_no() -> None:
    kinesis = {"name": "kinesis", "region": "r", "stream": "s"}
    found = one({**kinesis, "aggregation": "On"})
    assert (found.code, found.path) == ("INVALID_VALUE", ("aggregation",))
    assert "any other word for false" in found.hint
    assert codes({**kinesis, "aggregation": "true", "compression": "zlib"}) == []
    assert codes({**kinesis, "compression": "zstd"}) == ["INVALID_VALUE"]


# Plugins that few tasks use have their options too


@pytest.mark.parametrize(
    ("kind", "section", "near"),
    [
        ("outputs", {"name": "td", "api": "${SECRET}", "databse": "d"}, "database"),
        ("outputs", {"name": "pgsql", "tabel": "t"}, "table"),
        ("inputs", {"name": "kafka", "topisc": "t"}, "topics"),
        ("inputs", {"name": "systemd", "systemd_filtr": "x"}, "systemd_filter"),
        ("filters", {"name": "kubernetes", "merge_lgo": "On"}, "merge_log"),
    ],
)
def test_slips_in_rare_plugins_get_the_nearest_name(kind: Kind, section: dict[str, str], near: str) -> None:
    found = one(section, "5.0.9", kind)
    assert (found.code, found.hint) == ("UNKNOWN_OPTION", f'did you mean "{near}"?')


def test_rare_plugins_are_known_by_version_too() -> None:
    assert catalogue.versions_with("inputs", "elasticsearch") == ("5.0.9", "5.1")
    assert catalogue.versions_with("inputs", "mqtt", "payload_key") == ("5.0.9", "5.1")


# What people trip over when they change the image: (kind, section, engines that take it)

MOVED: list[tuple[Kind, dict[str, str], tuple[str, ...]]] = [
    ("outputs", {**S3, "compression": "gzip"}, VERSIONS),
    ("outputs", {**S3, "compression": "zstd"}, ("5.0.9", "5.1")),
    ("outputs", {**S3, "compression": "none"}, ("5.1",)),
    ("outputs", {**S3, "retry_exhausted_action": "quarantine"}, ("5.0.9", "5.1")),
    ("outputs", {**S3, "json_date_format": "epoch_ms"}, ("5.0.9", "5.1")),
    ("outputs", {**KINESIS, "compression": "gzip"}, ("5.0.9", "5.1")),
    ("outputs", {**OTEL, "uri": "/v1/metrics"}, ("1.9.10",)),
    ("outputs", {**OTEL, "logs_uri": "/v1/logs"}, ("5.0.9", "5.1")),
    ("outputs", {**OTEL, "compress": "gzip"}, ("5.0.9", "5.1")),
    ("outputs", {**CW, "log_group_class": "INFREQUENT_ACCESS"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "es", "host": "h", "http_api_key": "${SECRET}"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "es", "host": "h", "compress": "gzip"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "opensearch", "host": "h", "aws_service_name": "aoss"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "loki", "host": "h", "drop_single_key": "raw"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "loki", "host": "h", "bearer_token": "${SECRET}"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "http", "host": "h", "http_method": "PUT"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "http", "host": "h", "compress": "zstd"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "http", "host": "h", "aws_profile": "p"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "syslog", "host": "h", "mode": "dtls"}, ("5.1",)),
    ("outputs", {"name": "kafka", "brokers": "b:9092", "format": "raw"}, ("5.0.9", "5.1")),
    ("outputs", {"name": "udp", "host": "h"}, ("5.0.9", "5.1")),
    ("filters", {"name": "grep", "regex": "log x", "logical_op": "or"}, ("5.0.9", "5.1")),
    ("filters", {"name": "record_modifier", "uuid_key": "id"}, ("5.0.9", "5.1")),
    ("filters", {"name": "modify", "move_to_start": "a"}, ("5.0.9", "5.1")),
    ("inputs", {"name": "tcp", "source_address_key": "a"}, ("5.0.9", "5.1")),
    ("inputs", {"name": "forward", "shared_key": "${SECRET}"}, ("5.0.9", "5.1")),
    ("inputs", {"name": "http", "http2": "On"}, ("5.0.9", "5.1")),
]


@pytest.mark.parametrize(("kind", "section", "takers"), MOVED, ids=lambda value: str(value)[:70])
def test_what_only_some_engines_take(kind: Kind, section: dict[str, str], takers: tuple[str, ...]) -> None:
    assert tuple(engine for engine in VERSIONS if codes(section, engine, kind) == []) == takers
