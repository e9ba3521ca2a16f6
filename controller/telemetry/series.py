"""Gauges whose series come and go: a whole set is replaced at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import product

from prometheus_client import Metric as Family
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controller.telemetry.table import Metric

Labels = tuple[str, ...]
"""Label values, in the order of the table; () for a metric without labels."""
Series = Mapping[Labels, float]


def closed_series(metric: Metric) -> list[Labels]:
    """Every combination of label values; none where a label is open."""
    return list(product(*metric.labels.values()))


class Gauge(Collector):
    """A scrape sees all of the old series or all of the new, and none of a route that is gone."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._lock = threading.Lock()
        self._zero: Series = {}
        self._series: Series = {}
        self._read: Callable[[], Series] = lambda: self._series

    def expect(self, series: Iterable[Labels]) -> None:
        """These exist from now on, at zero where nothing else is said."""
        with self._lock:
            self._zero = {**self._zero, **dict.fromkeys(series, 0.0)}

    def replace(self, series: Series) -> None:
        """These, and no others but the expected."""
        with self._lock:
            self._series = dict(series)

    def update(self, series: Series) -> None:
        """These, and the others as they are."""
        with self._lock:
            self._series = {**self._series, **series}

    def follow(self, read: Callable[[], float]) -> None:
        """Ask at each scrape, instead of being told. For a metric without labels."""
        self._read = lambda: {(): read()}

    def collect(self) -> Iterable[Family]:
        family = GaugeMetricFamily(self._metric.name, self._metric.help, labels=list(self._metric.labels))
        for labels, value in {**self._zero, **self._read()}.items():
            family.add_metric(labels, value)
        yield family
