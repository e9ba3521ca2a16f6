"""The lints of one section by itself, by its plugin: nearly all sections have none, and pay one look-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.cloudwatch import lint_cloudwatch
from controller.fluentbit.lints.filters import lint_filter
from controller.fluentbit.lints.lint import Options, plugin
from controller.fluentbit.lints.outputs import IN_C, lint_forward, lint_go, lint_loki, lint_retries
from controller.fluentbit.lints.s3 import lint_s3
from controller.fluentbit.lints.tls import OPT_IN, lint_tls

_FILTERS = frozenset({"parser", "throttle", "ecs"})
_OUTPUTS: dict[str, Callable[[Options], Iterable[Finding]]] = {
    "s3": lint_s3,
    "cloudwatch_logs": lint_cloudwatch,
    "cloudwatch": lint_cloudwatch,
    "forward": lint_forward,
    "loki": lint_loki,
}
_WITH_HOSTS = OPT_IN | {"kafka", "udp"}


def lint_section(kind: Literal["filters", "outputs"], options: Options) -> Iterable[Finding]:
    """Paths start at the section."""
    name = plugin(options)
    if kind == "outputs":
        return _output(name, options)
    return lint_filter(name, options) if name in _FILTERS else ()


def _output(name: str, options: Options) -> Iterator[Finding]:
    if own := _OUTPUTS.get(name):
        yield from own(options)
    if "retry_limit" in options:
        yield from lint_retries(options)
    if name in _WITH_HOSTS or "tls.verify" in options:
        yield from lint_tls(name, options)
    if name in IN_C:
        yield lint_go(name)
