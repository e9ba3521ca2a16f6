"""Lints of the cloudwatch_logs output (out_cloudwatch_logs/cloudwatch_api.c)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.lint import Lint, Options, number, text
from controller.fluentbit.types import is_true
from controller.fluentbit.words import shown

FIXED_LOG_STREAM = Lint(
    "FIXED_LOG_STREAM",
    Severity.HINT,
    "A `log_stream_name` that is the same in every task.",
    "All tasks write into one stream: nobody can tell afterwards which task said what, and lines are in no order.",
    "use log_stream_prefix, or put ${ECS_TASK_ID} into log_stream_name",
)
LOG_RETENTION_NOT_APPLIED = Lint(
    "LOG_RETENTION_NOT_APPLIED",
    Severity.WARNING,
    "`log_retention_days` where the plugin never sets it: without `auto_create_group`, or for a group that "
    "`logGroups` keeps.",
    "Fluent Bit sets the retention of groups that it makes itself, at that moment only. The retention of a group that "
    "is there already stays as it is, by default for ever.",
    "say retentionDays of the group under logGroups, and leave log_retention_days out",
)
LOG_GROUP_CLASS_NOT_APPLIED = Lint(
    "LOG_GROUP_CLASS_NOT_APPLIED",
    Severity.WARNING,
    "`log_group_class` where the plugin never sets it: without `auto_create_group`, or for a group that `logGroups` "
    "keeps.",
    "A group's class is set when it is made, and cannot be changed. Fluent Bit sets it only of groups that it makes.",
    "say class of the group under logGroups, and leave log_group_class out",
)
LOG_TEMPLATE = Lint(
    "LOG_TEMPLATE",
    Severity.WARNING,
    "In `log_group_template` or `log_stream_template`, a variable with something else behind it than `.`, `,` or "
    "the end.",
    "All up to the next `.` or `,` is taken for the variable's name. No record has such a key, so every record goes "
    "where `log_group_name` and the stream options say.",
    "put . or , behind each variable, such as $container_name.$level",
)

_APPLIED_WHEN_MADE = (
    ("log_retention_days", LOG_RETENTION_NOT_APPLIED),
    ("log_group_class", LOG_GROUP_CLASS_NOT_APPLIED),
)
_TEMPLATES = ("log_group_template", "log_stream_template")
_TASK_OWN = re.compile(r"\$\{(?:ECS_TASK_ID|ECS_TASK_ARN|HOSTNAME)\}|\$\(ecs_task_(?:id|arn)\)|\$\(uuid\)")
_VARIABLE = re.compile(r"\$([^{$.,'\"]*(?:['\"][^'\"]*['\"][^$.,'\"]*)*)(.?)", re.DOTALL)
_ACCESSOR = re.compile(r"[A-Za-z0-9_-]+(?:\[(?:'[^']*'|\"[^\"]*\"|\d+)\])*")


def lint_cloudwatch(options: Options) -> Iterator[Finding]:
    stream = text(options, "log_stream_name")
    if stream and not _TASK_OWN.search(stream) and "log_stream_template" not in options:
        yield FIXED_LOG_STREAM.at(("log_stream_name",), f"all tasks write into the log stream {shown(stream)}")
    if not is_true(text(options, "auto_create_group")):
        for key, lint in _stated(options):
            message = f"{key} has no effect without auto_create_group: Fluent Bit sets it of groups that it makes"
            yield lint.at((key,), message)
    for key in _TEMPLATES:
        if key in options and (variable := _bad_variable(text(options, key))):
            yield LOG_TEMPLATE.at((key,), f"{key}: {shown(variable)} is taken for one variable, which no record has")


def lint_kept_group(options: Options, groups: Collection[str]) -> Iterator[Finding]:
    """For an output that may make groups, though `groups` are kept already."""
    group = text(options, "log_group_name")
    if group in groups and is_true(text(options, "auto_create_group")):
        for key, lint in _stated(options):
            yield lint.at(
                (key,), f"{key} has no effect: the group {shown(group)} is kept by logGroups, and there first"
            )


def _stated(options: Options) -> Iterator[tuple[str, Lint]]:
    for key, lint in _APPLIED_WHEN_MADE:
        if (said := text(options, key)) and number(said) != 0:
            yield key, lint


def _bad_variable(template: str) -> str | None:
    """flb_ra_create: from `$` to the next `.` or `,` outside quotes. `${…}` is the environment's."""
    for match in _VARIABLE.finditer(template):
        name, after = match.groups()
        if template[match.start() + 1 : match.start() + 2] == "{":
            continue
        if after == "$" or not _ACCESSOR.fullmatch(name):
            return f"${name}{after if after == '$' else ''}"
    return None
