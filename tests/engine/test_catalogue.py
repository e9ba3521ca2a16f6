"""The catalogue against a real engine: what our check accepts it knows, what we call unknown it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from controller.fluentbit import catalogue
from controller.fluentbit.catalogue import PLUGIN_KINDS, Kind, Option, Plugin
from controller.fluentbit.checks import check
from controller.fluentbit.variables import Names
from tests.engine.ecs import free_port
from tests.engine.starting import STARTED, engine_of, has_plugin, start

UNKNOWN = "unknown configuration property"
ELSEWHERE = {"aws", "azure_kusto", "bigquery", "chronicle", "kubernetes", "oracle_log_analytics", "stackdriver"}
"""They look for a cloud or a cluster while they start."""
TOPMOST = 200
"""Options of other versions that are tried, so that a run stays short."""
_VALUES = {"bool": "off", "int": "1", "size": "8M", "time": "10s", "double": "0.5"}

Section = Mapping[str, str]
CW = {"name": "cloudwatch_logs", "region": "r", "log_group_name": "g", "log_stream_prefix": "p"}
S3 = {"name": "s3", "bucket": "b", "store_dir": "s3"}
HTTP = {"name": "http"}
AWS_HTTP = {**HTTP, "aws_auth": "on", "aws_service": "x"}
MULTILINE = {"name": "multiline", "mode": "partial_message"}

ACCEPTED: list[tuple[Kind, Section]] = [
    ("outputs", CW),
    ("outputs", {**CW, "tls": "off", "auto_create_group": "on", "log_format": "json/emf", "retry_limit": "no_limits"}),
    ("outputs", {**S3, "compression": "gzip", "total_file_size": "1M", "use_put_object": "on"}),
    ("outputs", {**S3, "total_file_size": "1G", "use_put_object": "on"}),
    ("outputs", {**S3, "upload_chunk_size": "60M", "total_file_size": "200M", "compression": "gzip"}),
    ("outputs", {"name": "kinesis_streams", "region": "r", "stream": "s", "time_key": "t"}),
    ("outputs", {"name": "kinesis_firehose", "region": "r", "delivery_stream": "d", "compression": "gzip"}),
    ("outputs", {"name": "opensearch", "write_operation": "upsert", "id_key": "x", "suppress_type_name": "on"}),
    ("outputs", {"name": "es", "aws_auth": "on", "aws_region": "r"}),
    ("outputs", {"name": "splunk", "splunk_token": "x", "event_key": "$log", "http_buffer_size": "1M"}),
    ("outputs", {"name": "loki", "labels": "a=b", "label_keys": "$x", "line_format": "key_value"}),
    ("outputs", {"name": "nrlogs", "api_key": "x", "compress": "false"}),
    ("outputs", {**HTTP, "body_key": "$a", "headers_key": "$b", "json_date_format": "iso8601"}),
    ("outputs", {**AWS_HTTP, "aws_region": "r"}),
    ("outputs", {"name": "gelf", "mode": "udp"}),
    ("outputs", {"name": "syslog", "mode": "tls", "syslog_format": "rfc3164"}),
    ("outputs", {"name": "file", "format": "template", "template": "x"}),
    ("outputs", {"name": "forward", "username": "u", "password": "p", "shared_key": "s"}),
    ("outputs", {"name": "azure_blob", "account_name": "a", "container_name": "c", "shared_key": "eA=="}),
    ("outputs", {"name": "stdout", "format": "json_stream"}),
    ("filters", {"name": "grep", "regex": "log a"}),
    ("filters", {"name": "modify", "add": "a b", "condition": "Key_exists x"}),
    ("filters", {"name": "nest", "operation": "lift", "nested_under": "a"}),
    ("filters", {**MULTILINE, "multiline.key_content": "log"}),
    ("filters", {"name": "multiline", "multiline.parser": "go, java"}),
    ("filters", {"name": "type_converter", "int_key": "a b string"}),
    ("filters", {"name": "record_modifier", "record": "a b", "remove_key": "c"}),
    ("filters", {"name": "rewrite_tag", "rule": "$a x y true", "emitter_storage.type": "memory"}),
    ("filters", {"name": "throttle", "rate": "10", "window": "5", "interval": "1s"}),
    ("inputs", {"name": "tcp", "format": "none"}),
    ("inputs", {"name": "tail", "path": "x", "db": "x.db", "db.sync": "normal", "db.journal_mode": "WAL"}),
    ("inputs", {"name": "http", "buffer_max_size": "8M", "successful_response_code": "204"}),
    ("inputs", {"name": "fluentbit_metrics", "scrape_interval": "5"}),
]
REFUSED: list[tuple[Kind, Section]] = [
    ("outputs", {"name": "cloudwatch_logs", "region": "r"}),
    ("outputs", {**S3, "upload_chunk_size": "60M", "total_file_size": "200M"}),
    ("outputs", {**S3, "upload_chunk_size": "6M", "total_file_size": "11M"}),
    ("outputs", {**S3, "use_put_object": "on", "total_file_size": "2G"}),
    ("outputs", {**S3, "compression": "GZIP"}),
    ("outputs", {**S3, "s3_key_format": "logs"}),
    ("outputs", {"name": "kinesis_streams", "region": "r", "stream": "s", "time_key": "t", "log_key": "l"}),
    ("outputs", {"name": "opensearch", "write_operation": "update"}),
    ("outputs", {"name": "es", "aws_auth": "on"}),
    ("outputs", {"name": "splunk"}),
    ("outputs", {"name": "splunk", "splunk_token": "x", "event_key": "log"}),
    ("outputs", {"name": "loki", "line_format": "text"}),
    ("outputs", {"name": "nrlogs"}),
    ("outputs", {**HTTP, "body_key": "$a"}),
    ("outputs", AWS_HTTP),
    ("outputs", {"name": "gelf", "mode": "http"}),
    ("outputs", {"name": "syslog", "syslog_facility_preset": "24"}),
    ("outputs", {"name": "file", "format": "xml"}),
    ("outputs", {"name": "azure_blob", "account_name": "a", "shared_key": "eA=="}),
    ("filters", {"name": "grep", "regex": "log"}),
    ("filters", {"name": "nest", "operation": "unnest"}),
    ("filters", {"name": "nest", "operation": "lift", "add_prefix": "a", "remove_prefix": "b"}),
    ("filters", MULTILINE),
    ("filters", {"name": "multiline"}),
    ("filters", {"name": "type_converter"}),
    ("filters", {"name": "record_modifier", "remove_key": "a", "allowlist_key": "b"}),
    ("filters", {"name": "parser", "key_name": "log"}),
    ("inputs", {"name": "tcp", "format": "xml"}),
    ("inputs", {"name": "tail"}),
    ("inputs", {"name": "tail", "path": "x", "db.journal_mode": "fast"}),
    ("inputs", {"name": "syslog", "mode": "quic"}),
    ("inputs", {"name": "forward", "security.users": "a b"}),
]


def config(kind: Kind, sections: Iterable[tuple[str, str]]) -> str:
    """A section with as much around it as makes an engine start."""
    lines = ["[SERVICE]", "    grace 1", f"[{kind.upper()[:-1]}]", *(f"    {key} {value}" for key, value in sections)]
    if kind != "inputs":
        lines += ["    match *", "[INPUT]", "    name dummy"]
    return "\n".join([*lines, *([] if kind == "outputs" else ["[OUTPUT]", "    name null", "    match *"])]) + "\n"


def started(program: str, folder: Path, kind: Kind, section: Section) -> str:
    takes_port = kind == "inputs" and section["name"] in ("tcp", "http", "forward", "syslog")
    entries = [*section.items(), *([("port", str(free_port()))] if takes_port else [])]
    return start(program, config(kind, entries), folder)


def name_of(value: object) -> str:
    return " ".join(f"{key}={one}" for key, one in value.items()) if isinstance(value, dict) else str(value)


SECRETS = {"shared_key", "splunk_token", "api_key", "password"}


def checked(kind: Kind, section: Section, engine: str) -> bool:
    """Our check, with secrets taken from the environment."""
    hidden = {key: "${SECRET}" if key in SECRETS else value for key, value in section.items()}
    return not check(kind, hidden, engine, Names(("SECRET",)))


@pytest.mark.parametrize(("kind", "section"), ACCEPTED, ids=name_of)
def test_what_we_accept_starts(fluent_bit: str, tmp_path: Path, kind: Kind, section: Section) -> None:
    assert checked(kind, section, engine_of(fluent_bit))
    assert STARTED in started(fluent_bit, tmp_path, kind, section)


@pytest.mark.parametrize(("kind", "section"), REFUSED, ids=name_of)
def test_what_we_refuse_does_not_start(fluent_bit: str, tmp_path: Path, kind: Kind, section: Section) -> None:
    assert not checked(kind, section, engine_of(fluent_bit))
    log = started(fluent_bit, tmp_path, kind, section)
    assert STARTED not in log
    assert "[error]" in log


def plugins(program: str) -> list[Plugin]:
    """What the catalogue has of this engine, where the engine was built with it."""
    found = [
        catalogue.plugin(kind, name, engine_of(program))
        for kind in PLUGIN_KINDS
        for name in catalogue.names(kind, engine_of(program))
        if name not in ELSEWHERE and has_plugin(program, name)
    ]
    return [one for one in found if one and not one.open]


def a_value(option: Option) -> str:
    kind = option.type.name
    if option.type.choices:
        return option.type.choices[0]
    return "a b c d" if kind.startswith(("slist", "clist")) else _VALUES.get(kind, "x")


def test_no_option_of_the_catalogue_is_unknown_to_the_engine(fluent_bit: str, tmp_path: Path) -> None:
    """All options of a plugin at once: names are looked at before values."""
    unknown = []
    for plugin in plugins(fluent_bit):
        left_out = {"name", "match", "match_regex", "storage.type"}
        options = [(key, a_value(one)) for key, one in plugin.options.items() if key not in left_out]
        log = start(fluent_bit, config(plugin.kind, [("name", plugin.name), *options]), tmp_path)
        unknown += [line for line in log.splitlines() if UNKNOWN in line]
    assert unknown == []


def test_options_of_other_versions_and_slips_are_unknown_to_the_engine_too(fluent_bit: str, tmp_path: Path) -> None:
    known = []
    others = [
        (plugin, key, option)
        for plugin in plugins(fluent_bit)
        for key, option in all_versions(plugin).items()
        if plugin.option(key) is None and not key.startswith(("tls", "net.", "log_suppress", "thread", "rate_"))
    ]
    slips = [(plugin, "zz_no_such", None) for plugin in plugins(fluent_bit)]
    assert slips
    for plugin, key, option in [*others[:TOPMOST], *slips]:
        entries = [("name", plugin.name), (key, a_value(option) if option else "x")]
        log = start(fluent_bit, config(plugin.kind, entries), tmp_path)
        known += [(plugin.name, key)] if STARTED in log else []
    assert known == []


def all_versions(plugin: Plugin) -> Mapping[str, Option]:
    found = catalogue.plugin(plugin.kind, plugin.name, catalogue.ANY)
    assert found is not None
    return found.options
