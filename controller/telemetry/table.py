"""Every metric, once: name, type, labels, help. The names are API: alerts and dashboards hang on them.

A label with its values listed is closed, and each of its series exists, at zero, from the start, so that no
alert is silent for want of a series. OPEN labels hold what comes; app.py may say beforehand what to expect.
The names after `logroute_workqueue_` are those that users of controller-runtime know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from controller.api.conditions import Condition, Reason


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


OPEN: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Metric:
    """`labels`: name → its values, or OPEN. `buckets`: upper bounds of a histogram, in seconds."""

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...]]
    buckets: tuple[float, ...] = ()


def _counter(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name, Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name, Kind.GAUGE, text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], **labels: tuple[str, ...]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, text, labels, buckets)


RECONCILE_RESULTS = ("success", "requeue", "error")
ERROR_REASONS = (
    "AccessDenied",
    "AwsError",
    "Forbidden",
    "LeaseLost",
    "LostForGood",
    "NotFound",
    "PreconditionFailed",
    "SdkTooOld",
    "SourceError",
    "Throttled",
    "Unexpected",
    "Unreachable",
)
"""Class names of the errors that are expected, and `Unexpected` for all others."""
CHANGE_STATES = ("running", "paused", "aborted")
MEMBER_STATES = ("waiting", "running", "done", "failed", "aside")
PASSES = ("source", "resync", "garbage")
STATUSES = ("True", "False", "Unknown")
CONDITIONS = tuple(condition.value for condition in Condition)
SERVICE_STATES = tuple(reason.value for reason in Reason)
DRIFT_KINDS = tuple(
    reason.value
    for reason in (
        Reason.ROUTER_MISSING,
        Reason.ROUTER_CHANGED,
        Reason.LOG_DRIVER_CHANGED,
        Reason.CONFIG_MISSING,
        Reason.CONFIG_ALTERED,
        Reason.LOG_GROUP_MISSING,
        Reason.LOG_GROUP_RETENTION,
    )
)
HINT_KINDS = (Reason.INJECT_IN_CI.value,)
CHECK_RESULTS = ("accepted", "rejected", "unchecked")
GARBAGE_KINDS = ("unused", "due", "superseded")
COLLECTED_KINDS = ("config", "revision")
ROLLOUT_RESULTS = ("succeeded", "failed", "rolled_back")

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_MINUTES = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_WAITS = (0.001, 0.01, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

BUILD_INFO = _gauge("logroute_build_info", "Always 1.", version=OPEN, python=OPEN)

RECONCILES = _counter(
    "logroute_reconcile_total",
    "Reconciliations. requeue: it went well and asked to be looked at again.",
    result=RECONCILE_RESULTS,
)
RECONCILE_SECONDS = _histogram("logroute_reconcile_duration_seconds", "How long one reconciliation took.", _SECONDS)
RECONCILE_ERRORS = _counter(
    "logroute_reconcile_errors_total", "Failed reconciliations, by class of error.", reason=ERROR_REASONS
)

PASS_SECONDS = _histogram(
    "logroute_pass_duration_seconds",
    "How long a pass took, whether it went well or not.",
    _MINUTES,
    kind=PASSES,
)
PASS_LAST_SUCCESS = _gauge(
    "logroute_pass_last_success_timestamp_seconds",
    "When a pass last ended well, in seconds since 1970; 0: not yet.",
    kind=PASSES,
)

QUEUE_DEPTH = _gauge("logroute_workqueue_depth", "Keys that are due and that no worker has yet.")
QUEUE_ADDS = _counter("logroute_workqueue_adds_total", "Keys that entered the queue, without duplicates.")
QUEUE_RETRIES = _counter("logroute_workqueue_retries_total", "Keys that were put back after a failure.")
QUEUE_WAIT_SECONDS = _histogram(
    "logroute_workqueue_queue_duration_seconds", "How long a due key waited for a worker.", _WAITS
)
QUEUE_WORK_SECONDS = _histogram("logroute_workqueue_work_duration_seconds", "How long a worker had a key.", _SECONDS)
QUEUE_LONGEST = _gauge(
    "logroute_workqueue_longest_running_processor_seconds", "For how long the slowest worker has had its key."
)
QUEUE_UNFINISHED = _gauge(
    "logroute_workqueue_unfinished_work_seconds", "For how long workers have had their keys, in sum."
)

SOURCE_INFO = _gauge("logroute_source_info", "Always 1; the revision of the specs in force.", revision=OPEN)
SOURCE_FAILURES = _counter(
    "logroute_source_fetch_failures_total", "Polls of the source that gave nothing.", reason=OPEN
)
INVALID_SPECS = _gauge(
    "logroute_invalid_specs", "Broken specs; of each, the last good version is in force, if there was one."
)

ROUTES = _gauge("logroute_routes", "Routes, by the status of each condition.", condition=CONDITIONS, status=STATUSES)
ROUTE_CONDITION = _gauge(
    "logroute_route_condition",
    "1: True, 0: False, -1: Unknown. Of very many routes, those that are not Ready come first.",
    namespace=OPEN,
    route=OPEN,
    condition=OPEN,
)
SERVICES = _gauge("logroute_services", "Services, by the reason of their state.", state=SERVICE_STATES)
HINTS = _gauge("logroute_services_with_hint", "Services that run as they should, and could with less.", hint=HINT_KINDS)
UNREADABLE_STATE = _gauge(
    "logroute_unreadable_state", "State objects that cannot be read; what they tell of is left as it is."
)
PLACE_UNREAD = _gauge(
    "logroute_place_unread",
    "1: the last pass could not read this account and region, or a cluster in it; its services are left as they are.",
    account=OPEN,
    region=OPEN,
)
READ_ONLY = _gauge("logroute_read_only", "1: the setting readOnly is on: it plans and reports, and writes nothing.")
LEASE_HELD = _gauge(
    "logroute_lease_held",
    "1: this replica looks after this account and region, or the part of it that has a name, 0: another one or none.",
    account=OPEN,
    region=OPEN,
    shard=OPEN,
)
LOST_CONFIGS = _gauge(
    "logroute_lost_configs",
    "Config objects that a live revision names, that are missing, and that nothing gives back: no new task starts.",
)

DRIFT_FOUND = _counter("logroute_drift_found_total", "Differences found in what was applied.", kind=DRIFT_KINDS)
DRIFT_REPAIRED = _counter("logroute_drift_repaired_total", "Differences put right.", kind=DRIFT_KINDS)
PLAN_ACTIONS = _gauge("logroute_plan_actions", "Actions in the last plan.", action=OPEN)
CHANGES = _gauge(
    "logroute_changes", "Changes of specs that go over services in waves and are not over.", state=CHANGE_STATES
)
CHANGE_SERVICES = _gauge("logroute_change_services", "Services of such changes.", state=MEMBER_STATES)
ROLLOUTS = _counter("logroute_rollouts_total", "Rollouts that ended.", result=ROLLOUT_RESULTS)
CONFIG_CHECKS = _counter(
    "logroute_config_checks_total",
    "Configs that an engine was to be started on. unchecked: there is none, or nothing could be said.",
    result=CHECK_RESULTS,
)

HOOK_RESULTS = ("accepted", "duplicate", "refused", "failed")
HOOKS = _counter(
    "logroute_hooks_total",
    "Webhooks that came in. duplicate: heard before; refused: not signed, too large or too slow; failed: the secret "
    "could not be read.",
    forge=("github", "gitlab", "bitbucket", "generic"),
    result=HOOK_RESULTS,
)

EVENT_RESULTS = ("source", "config", "notes", "service", "nothing", "garbage")
EVENTS = _counter(
    "logroute_events_total",
    "Events of AWS that came from a queue, by what they made us look at. nothing: they are about nothing of ours; "
    "garbage: nobody can read them.",
    result=EVENT_RESULTS,
)
EVENTS_HEALTHY = _gauge(
    "logroute_events_healthy",
    "Whether events of a place come through, so that every service is looked at less often.",
    account=OPEN,
    region=OPEN,
    shard=OPEN,
)

NOTIFICATION_RESULTS = ("sent", "retried", "dropped", "suppressed")
NOTIFICATIONS = _counter(
    "logroute_notifications_total",
    "Messages to each sink of the setting notifications. suppressed: the same was told within the hour; dropped: it "
    "was refused, or not taken after six attempts.",
    sink=OPEN,
    result=NOTIFICATION_RESULTS,
)
HISTORY_DROPPED = _gauge(
    "logroute_history_dropped",
    "Events since the start that were never written, for the config store was away too long.",
)

GARBAGE = _gauge(
    "logroute_garbage",
    "What nothing needs any more: config objects in their grace (unused) and past it (due), superseded revisions.",
    kind=GARBAGE_KINDS,
)
GARBAGE_COLLECTED = _counter(
    "logroute_garbage_collected_total", "Config objects deleted, revisions deregistered.", kind=COLLECTED_KINDS
)

AWS_CALLS = _counter("logroute_aws_calls_total", "Requests sent to AWS, with retries.", service=OPEN, operation=OPEN)
AWS_ERRORS = _counter(
    "logroute_aws_errors_total", "Requests that AWS refused.", service=OPEN, operation=OPEN, code=OPEN
)
AWS_THROTTLES = _counter("logroute_aws_throttles_total", "Requests that AWS throttled.", service=OPEN, operation=OPEN)
AWS_LIMITER_SECONDS = _counter(
    "logroute_aws_limiter_wait_seconds_total",
    "Time spent waiting for the call budget of an account (by its name in the settings) and region.",
    account=OPEN,
    region=OPEN,
    family=OPEN,
)

CACHED_REVISIONS = _gauge("logroute_cached_revisions", "Task definition revisions that need not be read again.")

TABLE: tuple[Metric, ...] = tuple(row for row in list(globals().values()) if isinstance(row, Metric))
