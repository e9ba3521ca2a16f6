"""Whether a pipeline calls for a closer look. Ten thousand routes are linted in one go, and hardly any does: what
is plainly harmless is told here at the cost of a few look-ups. A test holds this against the lints themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.fluentbit.lints.lint import Options

_HARMLESS_OUTPUTS = frozenset({"cloudwatch_logs", "kinesis_firehose", "kinesis_streams", "null", "s3", "stdout"})
_HARMLESS_FILTERS = frozenset({"grep", "lua", "stdout", "type_converter"})
_CHANGING = frozenset({"modify", "record_modifier"})
_LOOKED_AT = frozenset(
    {
        "log_group_class",
        "log_group_template",
        "log_retention_days",
        "log_stream_name",
        "log_stream_template",
        "match",
        "match_regex",
        "quarantine_dir_limit_size",
        "retry_exhausted_action",
        "store_dir",
        "tls.verify",
    }
)
_BY_PATTERN = frozenset({"allowlist_key", "match", "match_regex", "remove_wildcard", "whitelist_key"})


def calls_for_a_look(filters: Iterable[Options], outputs: Sequence[Options]) -> bool:
    """Option names in lower case."""
    if not all(map(_harmless, outputs)):
        return True
    for one in filters:
        name = str(one.get("name"))
        if name in _CHANGING:
            if not one.keys().isdisjoint(_BY_PATTERN) or _names_a_log_key(one, outputs):
                return True
        elif name not in _HARMLESS_FILTERS or not one.keys().isdisjoint(_BY_PATTERN):
            return True
    return False


def _harmless(options: Options) -> bool:
    if str(options.get("name")) not in _HARMLESS_OUTPUTS or not options.keys().isdisjoint(_LOOKED_AT):
        return False
    retries = str(options.get("retry_limit", "5"))
    if retries == "1" or not retries.isdigit():
        return False
    if "s3_key_format" in options:
        return "$UUID" in str(options["s3_key_format"])
    return "static_file_path" not in options


def _names_a_log_key(options: Options, outputs: Iterable[Options]) -> bool:
    """Whether an output's `log_key` stands anywhere in the filter's values."""
    for one in outputs:
        if "log_key" in one:
            key = str(one["log_key"]).lower()
            if any(key in str(value).lower() for value in options.values()):
                return True
    return False
