"""The closed sets of conditions and reasons. Each reason says when it is set; nothing else may be said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    READY = "Ready"
    """True: what the route asks for runs, on every service it matches."""
    RECONCILING = "Reconciling"
    """True: LogRoute is at work on it: registering, rolling out, waiting its turn."""
    STALLED = "Stalled"
    """True: nothing will happen until a person or the specs change something."""
    DRIFTED = "Drifted"
    """True: the world differs from the specs, and it is not (yet) put right."""
    SUSPENDED = "Suspended"
    """True: the route says `suspend`, or a person said so."""
    PERMISSIONS_READY = "PermissionsReady"
    """False: a role lacks a right that the route needs."""


class Reason(StrEnum):
    """Why a service or a route is as it is."""

    IN_SYNC = "InSync"
    """The service runs what the specs ask for."""
    NEW_ROUTE = "NewRoute"
    """A plain service gets its router."""
    SPEC_CHANGED = "SpecChanged"
    """The specs ask for something else than what was applied last."""
    ROUTER_MISSING = "RouterMissing"
    """Somebody deployed a revision without the router."""
    ROUTER_CHANGED = "RouterChanged"
    """The router container differs from what was applied."""
    LOG_DRIVER_CHANGED = "LogDriverChanged"
    """A routed container's logConfiguration or dependency differs from what was applied."""
    CONFIG_MISSING = "ConfigMissing"
    """A config object that a live revision names is not in the config store."""
    CONFIG_ALTERED = "ConfigAltered"
    """A config object's bytes are not those of its digest."""
    LOG_GROUP_MISSING = "LogGroupMissing"
    """A log group of the specs does not exist."""
    LOG_GROUP_RETENTION = "LogGroupRetention"
    """A log group keeps its events for another time than the specs say."""
    ROUTE_GONE = "RouteGone"
    """No route selects the service any more: the originals go back."""
    ROLLING_OUT = "RollingOut"
    """Our revision is being rolled out."""
    WAITING_FOR_DEPLOYMENT = "WaitingForDeployment"
    """Somebody else's deployment, or a roll-back, is running."""
    ROLLED_BACK = "RolledBack"
    """ECS rolled this digest back: held until the specs or the app's part change."""
    FOREIGN_ROUTER = "ForeignRouter"
    """The task has a FireLens router that is not ours."""
    UNSUPPORTED = "Unsupported"
    """The service or its definition cannot take a router; the message says why."""
    CONFIG_REJECTED = "ConfigRejected"
    """The engine, started on the config for a moment, refused it: it is not rolled out."""
    PORT_TAKEN = "PortTaken"
    """A port that the router needs is used in the task."""
    SUSPENDED = "Suspended"
    """A route of the service is suspended: it is observed, not written."""
    WARN_ONLY = "WarnOnly"
    """A route of the service has `mode: warn`."""
    UNKNOWN = "Unknown"
    """The service carries our mark, but what was applied is not remembered: left alone."""
    ORPHANED = "Orphaned"
    """No route selects the service any more, and its policy is `orphan`: the router stays."""
    CLUSTER_MISSING = "ClusterMissing"
    """The route's cluster does not exist."""
    UNKNOWN_PLACE = "UnknownPlace"
    """The route's account or region is not in the settings."""
    NO_SERVICE = "NoService"
    """Nothing matches the route's target."""
    SERVICE_INACTIVE = "ServiceInactive"
    """The service is draining or gone."""
    DEPLOYMENT_CONTROLLER = "DeploymentController"
    """CODE_DEPLOY and EXTERNAL services are not rolled out by UpdateService."""
    INVALID_SPEC = "InvalidSpec"
    """The route's spec is broken; its last good version is in force."""
    SELF = "Self"
    """The controller's own service: refused unless `guards.self` allows it."""
    PLAN_BLOCKED = "PlanBlocked"
    """A guard stopped the pass: too many services would be restored or touched without a changed spec."""
    AWS_ERROR = "AwsError"
    """An AWS call failed; the message says which."""
    UNREACHABLE = "Unreachable"
    """The account, region or cluster could not be read."""


@dataclass(frozen=True, slots=True)
class Status:
    """One condition of one route or service. `status` is True, False or None (unknown)."""

    condition: Condition
    status: bool | None
    reason: Reason
    message: str = ""
