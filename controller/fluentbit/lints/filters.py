"""Lints of one filter by itself."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.lint import Lint, Options, text
from controller.fluentbit.types import is_true

PARSER_DROPS_KEYS = Lint(
    "PARSER_DROPS_KEYS",
    Severity.WARNING,
    "A `parser` filter without `reserve_data: On`.",
    "Where the parser fits, the record is replaced with what it found: container name and id, the ECS fields and "
    "whatever earlier filters added are gone.",
    "add reserve_data: On",
)
THROTTLE_DROPS = Lint(
    "THROTTLE_DROPS",
    Severity.HINT,
    "A `throttle` filter.",
    "What is beyond the rate is dropped, not delayed. The rate holds for all records that the filter sees together, "
    "not for each container.",
    "keep it where losing logs is meant",
)
ECS_FILTER = Lint(
    "ECS_FILTER",
    Severity.WARNING,
    "The filter `ecs`.",
    "It asks the ECS agent's introspection port, which only EC2 instances have. On Fargate it adds nothing and "
    "complains without end. FireLens adds cluster, task and definition by itself.",
    "leave it out; use ecsMetadata of the class, or ${ECS_CLUSTER} and the like",
)


def lint_filter(name: str, options: Options) -> Iterator[Finding]:
    """`name`: its plugin in lower case."""
    if name == "parser":
        if not is_true(text(options, "reserve_data")):
            at = "reserve_data" if "reserve_data" in options else "name"
            message = "without reserve_data this filter takes every other key from the records that it parses"
            yield PARSER_DROPS_KEYS.at((at,), message)
    elif name == "throttle":
        yield THROTTLE_DROPS.at(("name",), "throttle drops what is beyond its rate")
    elif name == "ecs":
        yield ECS_FILTER.at(
            ("name",), "the filter ecs works on EC2 instances only: on Fargate there is no agent to ask"
        )
