"""What /metrics says: the table and nothing but the table, zero from the start, and what happened since."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from controller.api.conditions import Condition, Reason, Status
from controller.api.keys import Place
from controller.aws import ports
from controller.runtime.backoff import Exponential
from controller.runtime.clock import ManualClock
from controller.runtime.observers import QueueObserver, TaskObserver, WorkerObserver
from controller.runtime.queue import WorkQueue
from controller.telemetry import conditions, table
from controller.telemetry.metrics import Metrics, reason_of
from controller.telemetry.observer import Observer

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("0.1.0", "3.12.0")


def _samples(metrics: Metrics) -> Samples:
    families = parse(metrics.render()[0].decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def _value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """None where there is no such series."""
    return _samples(metrics).get((name, frozenset(labels.items())))


def test_the_table_is_what_is_exposed_in_names_types_and_help(metrics: Metrics) -> None:
    exposed = {
        (family.name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
        for family in parse(metrics.render()[0].decode())
    }
    assert exposed == {(row.name, row.kind.value, row.help) for row in table.TABLE}


def test_the_table_is_what_is_exposed_in_labels(metrics: Metrics) -> None:
    for row in table.TABLE:
        metrics.expect(row, [tuple(f"any-{label}" for label in row.labels)] if row.labels else [])
    labels: dict[str, set[str]] = {}
    for name, each in _samples(metrics):
        base = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        labels.setdefault(base, set()).update(label for label, _ in each if label != "le")
    assert labels == {row.name: set(row.labels) for row in table.TABLE}


def test_names_follow_the_conventions_of_prometheus() -> None:
    assert len({row.name for row in table.TABLE}) == len(table.TABLE)
    for row in table.TABLE:
        assert row.name.startswith("logroute_")
        assert row.name.endswith("_total") == (row.kind is table.Kind.COUNTER)
        assert row.help.endswith(".") or ";" in row.help
        assert bool(row.buckets) == (row.kind is table.Kind.HISTOGRAM)


def test_every_closed_series_exists_at_zero_from_the_start(metrics: Metrics) -> None:
    for result in table.RECONCILE_RESULTS:
        assert _value(metrics, "logroute_reconcile_total", result=result) == 0
    for kind in table.PASSES:
        assert _value(metrics, "logroute_pass_last_success_timestamp_seconds", kind=kind) == 0
        assert _value(metrics, "logroute_pass_duration_seconds_count", kind=kind) == 0
    for condition in Condition:
        assert _value(metrics, "logroute_routes", condition=condition.value, status="False") == 0
    assert _value(metrics, "logroute_workqueue_depth") == 0
    assert _value(metrics, "logroute_invalid_specs") == 0
    assert _value(metrics, "logroute_drift_found_total", kind="ConfigMissing") == 0
    assert _value(metrics, "logroute_build_info", version="0.1.0", python="3.12.0") == 1


def test_series_of_open_labels_can_be_expected_at_zero(metrics: Metrics) -> None:
    metrics.expect(table.SOURCE_FAILURES, [("TimedOut",), ("Unreachable",)])
    metrics.expect(table.PLAN_ACTIONS, [("Register",)])
    metrics.planned({"Upload": 2})
    assert _value(metrics, "logroute_source_fetch_failures_total", reason="TimedOut") == 0
    assert _value(metrics, "logroute_plan_actions", action="Register") == 0
    assert _value(metrics, "logroute_plan_actions", action="Upload") == 2


def test_two_controllers_in_one_process_do_not_share_their_numbers(metrics: Metrics) -> None:
    metrics.invalid_specs(3)
    assert _value(Metrics("0.1.0"), "logroute_invalid_specs") == 0


def test_only_one_revision_is_in_force(metrics: Metrics) -> None:
    metrics.source_revision("old")
    metrics.source_revision("new")
    assert _value(metrics, "logroute_source_info", revision="new") == 1
    assert _value(metrics, "logroute_source_info", revision="old") is None


def test_a_pass_that_fails_keeps_the_time_of_the_last_success(metrics: Metrics) -> None:
    metrics.pass_ended("source", 2, NOON)
    metrics.pass_ended("source", 1, None)
    metrics.pass_ended("resync", 9, NOON)
    assert _value(metrics, "logroute_pass_last_success_timestamp_seconds", kind="source") == NOON.timestamp()
    assert _value(metrics, "logroute_pass_duration_seconds_count", kind="source") == 2
    assert _value(metrics, "logroute_pass_duration_seconds_sum", kind="source") == 3


def _ready(status: bool | None) -> list[Status]:
    return [Status(Condition.READY, status, Reason.IN_SYNC)]


def test_routes_are_counted_by_condition_and_status(metrics: Metrics) -> None:
    metrics.routes({("a", "x"): _ready(True), ("a", "y"): _ready(False), ("b", "x"): []})
    assert _value(metrics, "logroute_routes", condition="Ready", status="True") == 1
    assert _value(metrics, "logroute_routes", condition="Ready", status="False") == 1
    assert _value(metrics, "logroute_routes", condition="Ready", status="Unknown") == 1
    assert _value(metrics, "logroute_routes", condition="Stalled", status="Unknown") == 3
    series = {"namespace": "a", "condition": "Ready"}
    assert _value(metrics, "logroute_route_condition", route="x", **series) == 1
    assert _value(metrics, "logroute_route_condition", route="y", **series) == 0


def test_a_route_that_is_gone_has_no_series_and_no_count(metrics: Metrics) -> None:
    metrics.routes({("a", "x"): _ready(True)})
    metrics.routes({})
    assert _value(metrics, "logroute_route_condition", namespace="a", route="x", condition="Ready") is None
    assert _value(metrics, "logroute_routes", condition="Ready", status="True") == 0


def test_of_too_many_routes_those_in_trouble_keep_their_series() -> None:
    routes = {("a", f"{number:05}"): _ready(number not in (7_000, 9_000)) for number in range(10_000)}
    shown = {(namespace, route) for namespace, route, _ in conditions.details(routes)}
    assert len(shown) == conditions.MAX_ROUTES
    assert {("a", "07000"), ("a", "09000")} <= shown
    assert conditions.totals(routes)[("Ready", "False")] == 2


def test_services_and_drift_and_rollouts_are_counted(metrics: Metrics) -> None:
    metrics.services({"InSync": 5, "RolledBack": 1})
    metrics.services({"InSync": 6})
    metrics.drift_found("ConfigMissing")
    metrics.drift_repaired("ConfigMissing")
    metrics.rollout_ended("rolled_back")
    assert _value(metrics, "logroute_services", state="InSync") == 6
    assert _value(metrics, "logroute_services", state="RolledBack") == 0
    assert _value(metrics, "logroute_drift_found_total", kind="ConfigMissing") == 1
    assert _value(metrics, "logroute_drift_repaired_total", kind="ConfigMissing") == 1
    assert _value(metrics, "logroute_rollouts_total", result="rolled_back") == 1


def test_aws_calls_are_counted_by_operation(metrics: Metrics) -> None:
    operation = {"service": "ecs", "operation": "DescribeServices"}
    metrics.aws_called("ecs", "DescribeServices")
    metrics.aws_failed("ecs", "DescribeServices", "ThrottlingException")
    metrics.aws_throttled("ecs", "DescribeServices")
    metrics.aws_limiter_waited(Place("data", "eu-central-1"), "ecs:read", 0.5)
    assert _value(metrics, "logroute_aws_calls_total", **operation) == 1
    assert _value(metrics, "logroute_aws_errors_total", **operation, code="ThrottlingException") == 1
    assert _value(metrics, "logroute_aws_throttles_total", **operation) == 1
    waited = {"account": "data", "region": "eu-central-1", "family": "ecs:read"}
    assert _value(metrics, "logroute_aws_limiter_wait_seconds_total", **waited) == 0.5


def test_every_class_of_aws_error_has_its_reason_and_the_rest_is_unexpected() -> None:
    for error in vars(ports).values():
        if isinstance(error, type) and issubclass(error, ports.AwsError):
            assert reason_of(error("ecs:X", "r", "c", "d")) == error.__name__

    class Special(ports.Throttled):
        pass

    assert reason_of(Special("ecs:X", "r", "c", "d")) == "Throttled"
    assert reason_of(KeyError("x")) == "Unexpected"


def test_the_queue_s_own_numbers_are_read_when_scraped(metrics: Metrics) -> None:
    clock = ManualClock()
    observer = Observer(metrics, clock.now)
    queue = WorkQueue[str](clock, Exponential(random=lambda: 0.0), observer)
    metrics.watch_queues([queue])
    for key in ("a", "b", "c"):
        queue.add(key)
    clock.advance(3)
    queue.get()
    clock.advance(4)
    queue.get()
    clock.advance(1)
    assert _value(metrics, "logroute_workqueue_depth") == 1
    assert _value(metrics, "logroute_workqueue_longest_running_processor_seconds") == 5
    assert _value(metrics, "logroute_workqueue_unfinished_work_seconds") == 6
    assert _value(metrics, "logroute_workqueue_adds_total") == 3
    assert _value(metrics, "logroute_workqueue_queue_duration_seconds_sum") == 3 + 7
    queue.retry("a")
    queue.done("a")
    assert _value(metrics, "logroute_workqueue_retries_total") == 1
    assert _value(metrics, "logroute_workqueue_work_duration_seconds_sum") == 5


def test_reconciliations_and_passes_are_counted_as_runtime_tells_them(metrics: Metrics) -> None:
    observer = Observer(metrics, lambda: NOON)
    observer.reconciled("a", 1, None)
    observer.reconciled("a", 1, 30)
    observer.reconcile_failed("a", 2, ports.Throttled("ecs:X", "r", "c", "d"), 1)
    observer.task_ran("source", 1)
    observer.task_failed("resync", 1, OSError("down"), 1)
    observer.task_ran("something else", 1)
    for result in ("success", "requeue", "error"):
        assert _value(metrics, "logroute_reconcile_total", result=result) == 1
    assert _value(metrics, "logroute_reconcile_errors_total", reason="Throttled") == 1
    assert _value(metrics, "logroute_reconcile_duration_seconds_sum") == 4
    assert _value(metrics, "logroute_pass_last_success_timestamp_seconds", kind="source") == NOON.timestamp()
    assert _value(metrics, "logroute_pass_last_success_timestamp_seconds", kind="resync") == 0
    assert _value(metrics, "logroute_pass_duration_seconds_count", kind="something else") is None


def test_the_observer_fits_every_protocol_of_runtime(metrics: Metrics) -> None:
    observer = Observer(metrics)
    fits: tuple[QueueObserver, WorkerObserver, TaskObserver] = (observer, observer, observer)
    assert fits


def test_openmetrics_is_given_to_who_asks_for_it(metrics: Metrics) -> None:
    metrics.source_revision("abc")
    body, content_type = metrics.render("application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in parse_openmetrics(body.decode())}  # type: ignore[no-untyped-call]
    assert names == {row.name.removesuffix("_total") for row in table.TABLE}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/plain;version=0.0.4", "application/openmetrics-text;version=x", ";;,"]
)
def test_everybody_else_gets_plain_text(metrics: Metrics, accept: str) -> None:
    _, content_type = metrics.render(accept)
    assert content_type.startswith("text/plain; version=0.0.4")
