"""The rows of a table as live prometheus_client metrics; knows types and labels, not what they mean."""

from __future__ import annotations

from collections.abc import Iterable

import prometheus_client as prometheus
from prometheus_client.exposition import choose_encoder

from controller.telemetry.series import Gauge, Labels, closed_series
from controller.telemetry.table import Kind, Metric


class Board:
    """It has a registry of its own, so that two controllers in one process do not share their numbers."""

    def __init__(self, rows: Iterable[Metric]) -> None:
        # `_created` series would double the number of series, and nobody asks for them.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = prometheus.CollectorRegistry(auto_describe=False)
        self._counters: dict[Metric, prometheus.Counter] = {}
        self._histograms: dict[Metric, prometheus.Histogram] = {}
        self._gauges: dict[Metric, Gauge] = {}
        for row in rows:
            self._add(row)
            self.expect(row, closed_series(row))

    def expect(self, metric: Metric, series: Iterable[Labels]) -> None:
        """Make series exist, at zero."""
        if metric.kind is Kind.GAUGE:
            self.gauge(metric).expect(series)
            return
        family = self._counters.get(metric) or self._histograms[metric]
        for labels in series:
            if labels:  # one without labels exists already
                family.labels(*labels)

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        counter = self._counters[metric]
        (counter.labels(*labels) if labels else counter).inc(by)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        histogram = self._histograms[metric]
        (histogram.labels(*labels) if labels else histogram).observe(seconds)

    def gauge(self, metric: Metric) -> Gauge:
        return self._gauges[metric]

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its content type: OpenMetrics where an Accept header asks for it."""
        try:
            encode, content_type = choose_encoder(accept)
        except (ValueError, TypeError):  # a version in it is no number
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def _add(self, row: Metric) -> None:
        labels = tuple(row.labels)
        match row.kind:
            case Kind.COUNTER:
                self._counters[row] = prometheus.Counter(row.name, row.help, labels, registry=self._registry)
            case Kind.HISTOGRAM:
                self._histograms[row] = prometheus.Histogram(
                    row.name, row.help, labels, registry=self._registry, buckets=row.buckets
                )
            case Kind.GAUGE:
                self._gauges[row] = Gauge(row)
                self._registry.register(self._gauges[row])
