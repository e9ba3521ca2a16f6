"""docs/metrics.md from the table of metrics: `python -m tests.support.metrics_page` writes it anew."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path

from controller.api import conditions
from controller.telemetry.table import TABLE, Kind, Metric

PAGE = Path(__file__).parent.parent.parent / "docs" / "metrics.md"
MANY = 8
"""More values of a label than these are described, not listed."""

HEAD = """\
# Metrics

`logroute run` answers `GET /metrics` on the address of the setting `listen`, in Prometheus's text format, or in
OpenMetrics' where a scraper asks for that. Names, types and labels are API: they change with a major version only.

A label whose values are listed has all of its series from the start, at zero, so that no alert is silent for want of
one. Numbers are of what one replica looks after, all accounts and regions together where no label tells them apart: add
up the replicas. Names after `logroute_workqueue_` mean what users of controller-runtime know by them. The alerts in
[deploy/prometheus](../deploy/prometheus/alerts.yaml) use them, with a [runbook](runbooks/README.md) each, and so does
the dashboard in [deploy/grafana](../deploy/grafana/logroute.json).

| metric | type | labels | tells |
|---|---|---|---|
"""


REASONS = """
## Reasons

The values of `state` in `logroute_services`, and the reasons of all conditions in `logroute status`:

| reason | when |
|---|---|
"""


def page() -> str:
    metrics = "".join(f"{_row(one)}\n" for one in TABLE)
    return HEAD + metrics + REASONS + "".join(f"| `{name}` | {when} |\n" for name, when in reasons())


def reasons() -> Iterator[tuple[str, str]]:
    return told(conditions.Reason)


def told(words: type[Enum]) -> Iterator[tuple[str, str]]:
    """Each value with the sentence that stands below it in the code."""
    tree = ast.parse(inspect.getsource(words))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    for one, below in pairwise(found.body):
        if isinstance(one, ast.Assign):
            assert isinstance(below, ast.Expr)
            yield ast.literal_eval(one.value), " ".join(str(ast.literal_eval(below.value)).split())


def _row(metric: Metric) -> str:
    labels = "; ".join(_label(name, values) for name, values in metric.labels.items()) or "–"
    unit = " In seconds." if metric.kind is Kind.HISTOGRAM else ""
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help}{unit} |"


def _label(name: str, values: tuple[str, ...]) -> str:
    if not values:
        return f"`{name}`"
    if len(values) > MANY:
        return f"`{name}`: one of the [reasons](#reasons)" if name == "state" else f"`{name}`: one of {len(values)}"
    return f"`{name}`: {', '.join(values)}"


if __name__ == "__main__":
    PAGE.write_text(page())
