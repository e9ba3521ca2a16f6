"""Lints of single sections: each fires at its option, and not right beside it."""

from __future__ import annotations

from typing import Any

import pytest

from controller.fluentbit.lints.cloudwatch import lint_kept_group
from controller.fluentbit.lints.endpoints import is_loopback, is_public
from controller.fluentbit.lints.sections import lint_section

S3 = {"name": "s3", "bucket": "b"}
CLOUDWATCH = {"name": "cloudwatch_logs", "region": "r", "log_group_name": "/g"}
LOKI = {"name": "loki", "host": "loki"}
KAFKA = {"name": "kafka", "brokers": "10.0.0.1:9092, kafka.example.com:9092"}


def told(options: dict[str, Any], kind: Any = "outputs") -> list[tuple[str, Any]]:
    return [(one.code, one.path[0]) for one in lint_section(kind, options)]


FIRING = [
    (S3 | {"static_file_path": "On", "s3_key_format": "/a/%H_%M.gz"}, ("S3_OVERWRITE", "s3_key_format")),
    (S3 | {"static_file_path": "true"}, ("S3_OVERWRITE", "static_file_path")),
    (S3 | {"s3_key_format": "/a/%H"}, ("S3_KEY_SHARED", "s3_key_format")),
    (S3 | {"s3_key_format": "/a/$INDEX", "use_put_object": "On"}, ("S3_KEY_SHARED", "s3_key_format")),
    (S3 | {"s3_key_format": "/$TAG[0]/%H", "s3_key_format_tag_delimiters": ".-"}, ("S3_KEY_SHARED", "s3_key_format")),
    (S3 | {"retry_exhausted_action": "Quarantine"}, ("S3_QUARANTINE_UNLIMITED", "retry_exhausted_action")),
    (S3 | {"quarantine_dir_limit_size": "0"}, ("S3_QUARANTINE_UNLIMITED", "quarantine_dir_limit_size")),
    (CLOUDWATCH | {"log_stream_name": "x-${ECS_CLUSTER}"}, ("FIXED_LOG_STREAM", "log_stream_name")),
    (CLOUDWATCH | {"log_retention_days": "3"}, ("LOG_RETENTION_NOT_APPLIED", "log_retention_days")),
    (
        CLOUDWATCH | {"log_retention_days": "3", "auto_create_group": "off"},
        ("LOG_RETENTION_NOT_APPLIED", "log_retention_days"),
    ),
    (CLOUDWATCH | {"log_group_class": "STANDARD"}, ("LOG_GROUP_CLASS_NOT_APPLIED", "log_group_class")),
    (CLOUDWATCH | {"log_group_template": "$a-$b"}, ("LOG_TEMPLATE", "log_group_template")),
    (CLOUDWATCH | {"log_group_template": "/x/$a['b']/y"}, ("LOG_TEMPLATE", "log_group_template")),
    (S3 | {"retry_limit": "1"}, ("RETRY_LIMIT", "retry_limit")),
    (S3 | {"retry_limit": "No_Retries"}, ("RETRY_LIMIT", "retry_limit")),
    (S3 | {"retry_limit": "False"}, ("RETRY_UNLIMITED", "retry_limit")),
    ({"name": "forward"}, ("FORWARD_TO_SELF", "name")),
    ({"name": "Forward", "host": "localhost"}, ("FORWARD_TO_SELF", "host")),
    ({"name": "forward", "host": "::1", "port": "24224"}, ("FORWARD_TO_SELF", "host")),
    ({"name": "forward", "unix_path": "/var/run/fluent.sock"}, ("FORWARD_TO_SELF", "unix_path")),
    (LOKI | {"label_keys": "$container_name,$container_id"}, ("HIGH_CARDINALITY_LABELS", "label_keys")),
    (LOKI | {"labels": ["job=x", "task=$ecs_task_arn"]}, ("HIGH_CARDINALITY_LABELS", "labels")),
    ({"name": "kinesis"}, ("GO_PLUGIN", "name")),
    ({"name": "datadog", "apikey": "${DD}"}, ("TLS_OFF", "name")),
    ({"name": "es", "cloud_id": "x"}, ("TLS_OFF", "cloud_id")),
    ({"name": "opensearch", "host": "search.example.com", "tls": "Off"}, ("TLS_OFF", "tls")),
    ({"name": "http", "host": "8.8.8.8"}, ("TLS_OFF", "host")),
    ({"name": "udp", "host": "logs.example.com", "tls": "On"}, ("TLS_OFF", "host")),
    ({"name": "syslog", "host": "logs.example.com", "tls": "On"}, ("TLS_OFF", "tls")),
    ({"name": "gelf", "host": "logs.example.com", "mode": "tcp"}, ("TLS_OFF", "host")),
    (KAFKA, ("TLS_OFF", "brokers")),
    (KAFKA | {"rdkafka.security.protocol": "SASL_PLAINTEXT"}, ("TLS_OFF", "rdkafka.security.protocol")),
    (
        {"name": "splunk", "host": "s.example.com", "tls": "on", "tls.verify": "No"},
        ("TLS_UNVERIFIED", "tls.verify"),
    ),
    (S3 | {"tls.verify": "off"}, ("TLS_UNVERIFIED", "tls.verify")),
    (
        KAFKA | {"rdkafka.security.protocol": "ssl", "rdkafka.enable.ssl.certificate.verification": "false"},
        ("TLS_UNVERIFIED", "rdkafka.enable.ssl.certificate.verification"),
    ),
]

QUIET: list[dict[str, Any]] = [
    S3,
    S3 | {"static_file_path": "On", "s3_key_format": "/a/%H_$UUID"},
    S3 | {"static_file_path": "Off"},
    S3 | {"s3_key_format": "/a/%H", "use_put_object": "On"},
    S3 | {"s3_key_format": "/a/%H", "total_file_size": "5M"},
    S3 | {"s3_key_format": "/$TAG[0]/%H"},
    S3 | {"s3_key_format": "/$TAG[2]/%H", "s3_key_format_tag_delimiters": "-"},
    S3 | {"s3_key_format": "/${ECS_TASK_ID}/%H"},
    S3 | {"retry_exhausted_action": "delete"},
    S3 | {"retry_exhausted_action": "quarantine", "quarantine_dir_limit_size": "1G"},
    S3 | {"retry_limit": "5"},
    S3 | {"endpoint": "http://minio:9000", "tls.verify": "off"},
    CLOUDWATCH | {"log_stream_prefix": "x/"},
    CLOUDWATCH | {"log_stream_name": "x/${ECS_TASK_ID}"},
    CLOUDWATCH | {"log_stream_name": "x", "log_stream_template": "$container_name"},
    CLOUDWATCH | {"log_retention_days": "3", "auto_create_group": "On"},
    CLOUDWATCH | {"log_retention_days": "0"},
    CLOUDWATCH | {"log_group_template": "/x/$a['b.c/d'].$e,${ECS_CLUSTER}/y"},
    {"name": "forward", "host": "127.0.0.1", "port": "24225"},
    {"name": "forward", "host": "aggregator"},
    {"name": "forward", "unix_path": "/var/run/other.sock"},
    {"name": "forward", "upstream": "/conf/servers"},
    LOKI | {"labels": "job=x, cluster=${ECS_CLUSTER}, level=$level"},
    {"name": "http", "host": "logs.example.com", "tls": "on"},
    {"name": "http", "host": "logs", "tls.verify": "off"},
    {"name": "http", "host": "${HOST}"},
    {"name": "http", "host": "10.1.2.3"},
    {"name": "syslog", "host": "logs.example.com", "mode": "tls"},
    {"name": "syslog", "host": "logs.example.com", "mode": "tcp", "tls": "On"},
    KAFKA | {"rdkafka.security.protocol": "SASL_SSL"},
    KAFKA | {"aws_msk_iam": "true"},
    KAFKA | {"brokers": "b-1.x.y.c2.kafka.eu-central-1.amazonaws.com:9092"},
]


@pytest.mark.parametrize(("options", "finding"), FIRING)
def test_a_trap_is_told_at_its_option(options: dict[str, Any], finding: tuple[str, str]) -> None:
    assert told(options) == [finding]


@pytest.mark.parametrize("options", QUIET)
def test_what_stands_beside_a_trap_is_left_alone(options: dict[str, Any]) -> None:
    assert told(options) == []


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"name": "parser", "key_name": "log", "parser": "x"}, [("PARSER_DROPS_KEYS", "name")]),
        ({"name": "Parser", "reserve_data": "off"}, [("PARSER_DROPS_KEYS", "reserve_data")]),
        ({"name": "parser", "reserve_data": "true"}, []),
        ({"name": "throttle"}, [("THROTTLE_DROPS", "name")]),
        ({"name": "ecs"}, [("ECS_FILTER", "name")]),
        ({"name": "aws"}, []),
        ({"name": "grep", "regex": "log x"}, []),
    ],
)
def test_filters(options: dict[str, Any], codes: list[tuple[str, str]]) -> None:
    assert told(options, "filters") == codes


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"auto_create_group": "On", "log_retention_days": "3"}, ["LOG_RETENTION_NOT_APPLIED"]),
        ({"auto_create_group": "On", "log_retention_days": "3", "log_group_name": "/other"}, []),
        ({"log_retention_days": "3"}, []),
    ],
)
def test_a_kept_group_is_there_before_the_plugin_could_make_it(options: dict[str, str], codes: list[str]) -> None:
    assert [one.code for one in lint_kept_group(CLOUDWATCH | options, {"/g"})] == codes


@pytest.mark.parametrize(
    "host", ["example.com", "logs.example.com.", "1.1.1.1", "[2606:4700::1111]", "https://x.dev/p", "a.b.io:443"]
)
def test_hosts_in_the_open(host: str) -> None:
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    ["", "loki", "loki.prod.svc", "x.internal", "x.local", "127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1",
     "[::1]:80", "169.254.1.1", "999.1.1.1", "${X}.example.com", "internal-a.eu-central-1.elb.amazonaws.com",
     "vpce-1.logs.eu-central-1.vpce.amazonaws.com", "vpc-x-abc.eu-central-1.es.amazonaws.com", "a b.com"],
)  # fmt: skip
def test_hosts_within_the_network_or_not_known(host: str) -> None:
    assert not is_public(host)


def test_loopback_by_any_name() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "0.0.0.0", "LOCALHOST")))  # noqa: S104
    assert not any(map(is_loopback, ("10.0.0.1", "host", "", "localhost.example.com")))
