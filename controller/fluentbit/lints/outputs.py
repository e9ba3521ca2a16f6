"""Lints of one output by itself, other than those of s3, cloudwatch_logs and TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.endpoints import is_loopback
from controller.fluentbit.lints.lint import Lint, Options, text, texts
from controller.fluentbit.words import shown

RETRY_LIMIT = Lint(
    "RETRY_LIMIT",
    Severity.WARNING,
    "`retry_limit: 1` or `no_retries`.",
    "A chunk that fails twice, or once, is dropped with all its records. Throttling and deployments of the "
    "destination last longer than one retry.",
    "leave retry_limit out (LogRoute sets 5), or say 2 to 10",
)
RETRY_UNLIMITED = Lint(
    "RETRY_UNLIMITED",
    Severity.HINT,
    "`retry_limit: no_limits`, `false` or `off`.",
    "Chunks that the destination will never take are kept and sent for ever: they fill memory or disk, and then the "
    "inputs pause and new records are lost instead.",
    "leave retry_limit out (LogRoute sets 5), or say 2 to 10",
)
FORWARD_TO_SELF = Lint(
    "FORWARD_TO_SELF",
    Severity.ERROR,
    "A `forward` output to the router's own input: loopback and port 24224 (the defaults), or FireLens's socket.",
    "Each record comes back in with its tag and is sent again, without end (amazon-ecs-firelens-examples#35).",
    "set host and port of another collector",
)
HIGH_CARDINALITY_LABELS = Lint(
    "HIGH_CARDINALITY_LABELS",
    Severity.WARNING,
    "In `labels` or `label_keys` of loki, what differs in each task or record: task ids and ARNs, container ids, "
    "`${HOSTNAME}`, `$TAG`, request and trace ids.",
    "Each combination of labels is a stream of its own in Loki. Thousands of short streams slow it down, and it "
    "refuses more: logs are then rejected.",
    "leave it in the record, or put it under structured_metadata",
)
GO_PLUGIN = Lint(
    "GO_PLUGIN",
    Severity.HINT,
    "The outputs `cloudwatch`, `firehose` and `kinesis`: AWS's older plugins, in Go.",
    "They have one thread, no workers and no net options, and AWS recommends the plugins in C. Option names differ.",
    "use the plugin in C, and look through its options",
)

IN_C = {"cloudwatch": "cloudwatch_logs", "firehose": "kinesis_firehose", "kinesis": "kinesis_streams"}
_OWN_PORT, _OWN_SOCKET = "24224", "fluent.sock"
_ONCE = frozenset({"1", "no_retries"})
_FOR_EVER = frozenset({"no_limits", "false", "off"})
_MANY_VALUES = re.compile(
    r"\$\{(?:ECS_TASK_ID|ECS_TASK_ARN|HOSTNAME)\}"
    r"|\$(?:TAG|(?:ecs_)?task_(?:id|arn)|ecs_task_arn|container_id|(?:request|trace|span|session|correlation)_?id)\b",
    re.IGNORECASE,
)


def lint_retries(options: Options) -> Iterator[Finding]:
    said = text(options, "retry_limit").lower()
    if said in _ONCE:
        yield RETRY_LIMIT.at(("retry_limit",), f"retry_limit {said}: records are dropped after {_attempts(said)}")
    elif said in _FOR_EVER:
        yield RETRY_UNLIMITED.at(("retry_limit",), f"retry_limit {said}: what is never taken is kept for ever")


def lint_forward(options: Options) -> Iterator[Finding]:
    if socket := text(options, "unix_path"):
        if socket.endswith(_OWN_SOCKET):
            yield FORWARD_TO_SELF.at(("unix_path",), "this is the router's own socket: records come back without end")
        return
    if "upstream" in options:
        return
    host, port = text(options, "host") or "127.0.0.1", text(options, "port") or _OWN_PORT
    if is_loopback(host) and port == _OWN_PORT:
        at = next((key for key in ("host", "port") if key in options), "name")
        yield FORWARD_TO_SELF.at((at,), "this is the router's own input, on port 24224: records come back without end")


def lint_loki(options: Options) -> Iterator[Finding]:
    for key in ("labels", "label_keys"):
        for said in texts(options, key):
            if found := _MANY_VALUES.search(said):
                message = f"{key}: {shown(found[0])} makes a stream of each task or record"
                yield HIGH_CARDINALITY_LABELS.at((key,), message)
                break


def lint_go(name: str) -> Finding:
    better = IN_C[name]
    return GO_PLUGIN.at(
        ("name",), f"{name} is AWS's older plugin, in Go", f"use {better}, and look through its options"
    )


def _attempts(said: str) -> str:
    return "one retry" if said == "1" else "the first failure"
