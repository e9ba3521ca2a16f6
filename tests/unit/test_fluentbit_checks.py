"""Sections against the catalogue and the rules of a classic config line."""

from __future__ import annotations

from typing import Any

import pytest

from controller.fluentbit.catalogue import ANY, Kind
from controller.fluentbit.checks import check
from controller.fluentbit.engines import ENGINES
from controller.fluentbit.findings import Finding
from controller.fluentbit.variables import Names

S3 = {"name": "s3", "bucket": "b"}
CW = {"name": "cloudwatch_logs", "region": "r", "log_group_name": "g", "log_stream_prefix": "p"}


def outputs(section: dict[str, Any], engine: str = "5.0.9", secrets: tuple[str, ...] = ()) -> list[Finding]:
    return check("outputs", section, engine, Names(secrets))


def codes(section: dict[str, Any], engine: str = "5.0.9", kind: Kind = "outputs", secrets: Any = ()) -> list[str]:
    return [finding.code for finding in check(kind, section, engine, Names(secrets))]


@pytest.mark.parametrize("engine", [*ENGINES, ANY])
@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("outputs", {**CW, "log_key": "log", "auto_create_group": "On", "retry_limit": "no_limits"}),
        ("outputs", {**S3, "total_file_size": "250M", "compression": "gzip", "upload_timeout": "10m"}),
        ("outputs", {**S3, "s3_key_format": "/a/%Y/$UUID.gz", "static_file_path": "On", "workers": "1"}),
        ("outputs", {"name": "kinesis_firehose", "region": "r", "delivery_stream": "d", "time_key": "t"}),
        ("outputs", {"name": "kinesis_streams", "region": "r", "stream": "s"}),
        ("outputs", {"Name": "stdout", "Format": "json_lines", "Match": "app-*"}),
        ("outputs", {"name": "null", "alias": "x.2"}),
        ("outputs", {"name": "http", "host": "h", "port": "443", "tls": "on", "header": ["A b", "C d"]}),
        ("filters", {"name": "grep", "exclude": "log healthcheck", "match_regex": "^app-(a|b)"}),
        ("filters", {"name": "modify", "add": ["a b", "c d"], "condition": "Key_exists x"}),
        ("filters", {"name": "record_modifier", "record": "cluster ${ECS_CLUSTER}", "uuid": "x"} | {}),
        ("inputs", {"name": "tcp", "tag": "emf", "port": "25888", "listen": "127.0.0.1", "format": "none"}),
        ("service", {"flush": "1", "grace": "30", "log_level": "info"}),
    ],
)
def test_good_sections_have_nothing_against_them(engine: str, kind: Kind, section: dict[str, Any]) -> None:
    section.pop("uuid", None)
    assert check(kind, section, engine) == []


def test_an_unknown_plugin_gets_the_nearest_one() -> None:
    (finding,) = outputs({"name": "cloudwatch_log"})
    assert (finding.code, finding.path, finding.hint) == (
        "UNKNOWN_PLUGIN",
        ("name",),
        'did you mean "cloudwatch_logs"?',
    )


def test_a_plugin_of_another_engine_says_which() -> None:
    (finding,) = outputs({"name": "gcs"}, "5.0.9")
    assert finding.hint == "Fluent Bit 5.1 has it"


def test_an_unknown_option_gets_the_nearest_and_the_engine_is_named() -> None:
    (finding,) = outputs({**S3, "buket": "b"})
    assert (finding.code, finding.path, finding.key) == ("UNKNOWN_OPTION", ("buket",), True)
    assert "5.0.9" in finding.message
    assert finding.hint == 'did you mean "bucket"?'


def test_an_option_of_another_engine_says_which() -> None:
    (finding,) = outputs({**CW, "log_group_class": "STANDARD"}, "1.9.10")
    assert finding.hint == "it is there in 5.0.9, 5.1"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("total_file_size", "banana"),
        ("total_file_size", "1k"),
        ("total_file_size", "51G"),
        ("upload_timeout", "soon"),
        ("use_put_object", "1"),
        ("store_dir_limit_size", "10T"),
        ("retry_limit", "0"),
        ("workers", "-1"),
        ("compression", "GZIP"),
        ("s3_key_format", "logs/$UUID"),
        ("tls", "maybe"),
        ("port", "70000"),
    ],
)
def test_values_must_be_what_the_option_takes(option: str, value: str) -> None:
    (finding,) = outputs({**S3, option: value})
    assert (finding.code, finding.path) == ("INVALID_VALUE", (option,))
    assert finding.hint


def test_allowed_values_depend_on_the_engine() -> None:
    assert codes({**S3, "compression": "zstd"}, "1.9.10") == ["INVALID_VALUE"]
    assert codes({**S3, "compression": "zstd"}, "5.0.9") == []
    assert codes({**S3, "compression": "none"}, "5.0.9") == ["INVALID_VALUE"]
    assert codes({**S3, "compression": "none"}, "5.1") == []


def test_a_value_with_a_variable_may_become_anything() -> None:
    assert codes({**S3, "total_file_size": "${ECS_SIZE}"}) == []


@pytest.mark.parametrize("missing", ["region", "log_group_name", "log_stream_prefix"])
def test_required_options_are_missed(missing: str) -> None:
    section = {key: value for key, value in CW.items() if key != missing}
    (finding,) = outputs(section)
    assert finding.code == "MISSING_OPTION"
    assert missing in finding.message


def test_options_that_exclude_each_other() -> None:
    assert codes({**CW, "log_stream_name": "n"}) == ["EXCLUSIVE_OPTIONS"]
    assert codes({**S3, "match": "a*", "match_regex": "^a"}) == ["EXCLUSIVE_OPTIONS"]


def test_names_ignore_case_so_the_same_option_twice_is_told() -> None:
    assert codes({**S3, "Bucket": "c"}) == ["DUPLICATE_OPTION"]
    assert codes({"NAME": "S3", "BUCKET": "b"}) == []


def test_only_repeatable_options_take_lists() -> None:
    assert codes({**S3, "region": ["a", "b"]}) == ["NOT_REPEATABLE"]
    assert codes({"name": "grep", "regex": ["log a", "log b"]}, kind="filters") == []
    assert codes({"name": "grep", "regex": []}, kind="filters") == ["INVALID_VALUE"]
    (finding,) = check("filters", {"name": "grep", "regex": ["log a", "log\nb"]}, "5.1")
    assert (finding.code, finding.path) == ("UNSAFE_VALUE", ("regex", 1))


def test_words_are_counted_where_an_option_needs_several() -> None:
    assert codes({"name": "grep", "regex": "log"}, kind="filters") == ["INVALID_VALUE"]
    assert codes({"name": "rewrite_tag", "rule": "$log ^x new"}, kind="filters") == ["INVALID_VALUE"]


@pytest.mark.parametrize("value", [{"a": "b"}, None, 5, [["x"]]])
def test_values_are_text(value: Any) -> None:
    assert codes({"name": "grep", "regex": value}, kind="filters") == ["WRONG_TYPE"]


@pytest.mark.parametrize("name", ["exec", "EXEC", "exec_wasi"])
def test_inputs_that_run_programs_are_refused(name: str) -> None:
    for engine in ENGINES:
        assert codes({"name": name, "command": "id"}, engine, kind="inputs") == ["REFUSED_PLUGIN"]


@pytest.mark.parametrize("value", ["hunter2", "x${DD}", "${AWS_REGION}", "${OTHER}", "Bearer ${DD}"])
def test_a_secret_in_clear_is_refused_and_not_repeated(value: str) -> None:
    (finding,) = outputs({"name": "datadog", "apikey": value}, secrets=("DD",))
    assert finding.code == "SECRET_IN_CLEAR"
    assert value not in f"{finding.message} {finding.hint}".replace("write ${DD}", "")
    assert codes({"name": "datadog", "apikey": "${DD}"}, secrets=("DD",)) == []


def test_secrets_hide_in_headers_and_urls_too() -> None:
    http = {"name": "http", "host": "h"}
    assert codes({**http, "header": "Authorization Bearer hunter2"}) == ["SECRET_IN_CLEAR"]
    assert codes({**http, "header": ["X-Team web", "x-api-key hunter2"]}) == ["SECRET_IN_CLEAR"]
    assert codes({**http, "header": "Authorization Bearer ${DD}"}, secrets=("DD",)) == []
    assert codes({**http, "proxy": "http://me:hunter2@proxy:3128"}) == ["SECRET_IN_CLEAR"]


def test_secrets_are_known_without_a_catalogue_too() -> None:
    assert codes({"name": "own_plugin", "api_key": "hunter2"}, "unchecked") == ["SECRET_IN_CLEAR"]
    assert codes({"name": "kafka", "brokers": "b:9092", "rdkafka.sasl.password": "hunter2"}) == ["SECRET_IN_CLEAR"]


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\r",
        "a\x00",
        "a\x7f",
        "a\x85b",
        "a\u2028b",
        " a",
        "a ",
        "a\u00a0",
        "",
        "x [PARSER]",
        "[multiline_Parser]",
    ],
)
@pytest.mark.parametrize("engine", ["5.0.9", "unchecked"])
def test_values_that_a_config_line_cannot_hold_are_refused(value: str, engine: str) -> None:
    assert codes({**S3, "region": value}, engine) == ["UNSAFE_VALUE"]


@pytest.mark.parametrize(
    "value", ["${HOME}", "${AWS_SECRET_ACCESS_KEY}", "${ECS_CLUSTER", "${}", "${aws_region}", "${A${B}}"]
)
def test_only_declared_variables_are_expanded(value: str) -> None:
    assert set(codes({**S3, "region": value})) == {"UNKNOWN_VARIABLE"}


@pytest.mark.parametrize("value", ["${AWS_REGION}", "${ECS_TASK_ID}-x", "a/${HOSTNAME}/${ECS_CLUSTER}", "${MINE}"])
def test_the_images_own_variables_and_secrets_are_known(value: str) -> None:
    assert codes({**S3, "region": value}, secrets=("MINE",)) == []


def test_a_brace_before_a_variable_is_a_trap() -> None:
    assert codes({**S3, "region": "a}b${ECS_CLUSTER}"}) == ["VARIABLE_NOT_EXPANDED"]
    assert codes({**S3, "region": "${ECS_CLUSTER}}${ECS_TASK_ID}"}) == ["VARIABLE_NOT_EXPANDED"]
    assert codes({**S3, "region": "${ECS_CLUSTER}}"}) == []


@pytest.mark.parametrize("value", ["$${ECS_NOTHING}{HOME}", "${MINE}{HOME}", "$${MINE}", "x$${AWS_REGION}"])
def test_no_variable_is_made_up_of_others(value: str) -> None:
    assert codes({**S3, "region": value}, secrets=("MINE",)) == ["UNKNOWN_VARIABLE"]


@pytest.mark.parametrize("key", ["plugins_file", "streams_file", "log_file", "Plugins_File"])
@pytest.mark.parametrize("engine", ENGINES)
def test_services_load_no_code_and_hide_no_log(key: str, engine: str) -> None:
    (finding,) = check("service", {key: "/x"}, engine)
    assert (finding.code, finding.path, finding.key) == ("REFUSED_KEY", (key,), True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("retry_limit", "2147483648"),
        ("workers", "99999999999"),
        ("upload_timeout", "1000000d"),
        ("store_dir_limit_size", "999999999999999G"),
    ],
)
def test_numbers_fit_into_what_the_engine_counts_with(option: str, value: str) -> None:
    assert codes({**S3, option: value}) == ["INVALID_VALUE"]


def test_long_lines_stop_the_oldest_engine_alone() -> None:
    assert codes({**S3, "region": "x" * 4000}, "1.9.10") == ["LINE_TOO_LONG"]
    assert codes({**S3, "region": "x" * 4000}, "5.0.9") == []


@pytest.mark.parametrize("alias", ["Upper", "-x", "a b", "ä", "x" * 64, "a/b"])
def test_aliases_are_plain(alias: str) -> None:
    assert "INVALID_ALIAS" in codes({**S3, "alias": alias})


@pytest.mark.parametrize("match", ["a b", "a?", "a/b", "^a", "ä*"])
def test_match_is_a_tag_pattern(match: str) -> None:
    assert codes({**S3, "match": match}) == ["INVALID_MATCH"]


@pytest.mark.parametrize(
    "regex",
    ["app", "^a|b", "^a)|(b", "^(a", "^a\\", "^[a", "^[]a]", "^(?#x)a", "^(?x)a", "^(?ix:a)", "^a(b)|c", "^[[a]|b"],
)
def test_match_regex_cannot_reach_beyond_its_prefix(regex: str) -> None:
    assert codes({**S3, "match_regex": regex}) == ["INVALID_MATCH"]


@pytest.mark.parametrize(
    "regex", ["^app", "^(a|b)$", "^a\\|b", "^[|)]x", "^[^|]+$", "^(?i)app-(?:x|(y|z))", "^[[:alpha:]|]$", "^a\\)"]
)
def test_match_regex_may_have_alternatives_in_brackets(regex: str) -> None:
    assert codes({**S3, "match_regex": regex}) == []


@pytest.mark.parametrize("tag", ["app-firelens-1", "firelens-healthcheck", "a b", "a*", "${ECS_CLUSTER}"])
def test_an_inputs_tag_is_its_own(tag: str) -> None:
    assert codes({"name": "tcp", "tag": tag}, kind="inputs") == ["INVALID_TAG"]


def test_unchecked_engines_have_any_plugin_and_option_but_no_unsafe_name() -> None:
    assert codes({"name": "mine", "whatever": "1", "more": ["a", "b"]}, "unchecked") == []
    assert codes({"name": "mine", "alias": ["a", "b"]}, "unchecked") == ["NOT_REPEATABLE"]
    assert codes({"name": "mine", "a b": "1"}, "unchecked") == ["UNKNOWN_OPTION"]
    assert codes({"name": "mine\n[INPUT]"}, "unchecked") == ["UNKNOWN_PLUGIN"]


def test_processors_are_refused_within_a_section() -> None:
    assert codes({**S3, "processors": {"logs": "x"}}) == ["REFUSED_KEY"]


def test_a_section_needs_a_plugin() -> None:
    assert codes({"bucket": "b"}) == ["MISSING_KEY"]
    assert codes({"name": ["s3"]}) == ["WRONG_TYPE"]


def test_hostile_values_are_shown_short_and_on_one_line() -> None:
    (finding,) = outputs({"name": "s3" + "\x1b[31m" * 1000, "bucket": "b"})
    assert len(finding.message) < 400
    assert finding.message.isprintable()


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("filters", {"name": "kubernetes", "kube_token_command": "id"}),
        ("outputs", {"name": "kafka", "brokers": "b:9092", "rdkafka.plugin.library.paths": "/x.so"}),
        ("outputs", {"name": "kafka", "brokers": "b:9092", "RDKAFKA.sasl.kerberos.kinit.cmd": "id"}),
        ("service", {"plugins_file": "/x.conf"}),
    ],
)
@pytest.mark.parametrize("engine", ["5.0.9", "5.1", "unchecked"])
def test_options_that_run_programs_are_refused_whatever_the_engine(
    kind: Kind, section: dict[str, str], engine: str
) -> None:
    assert "REFUSED_KEY" in codes(section, engine=engine, kind=kind)
