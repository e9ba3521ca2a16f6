"""LogRoute, LogOutput and LogRouterClass, as `logroute.dev/v1alpha1` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from controller.api.container import RouterContainer
from controller.api.values import (
    Bool,
    Cron,
    Duration,
    EnvName,
    Glob,
    Globs,
    Int,
    Label,
    LogGroupName,
    Model,
    Region,
    Scalar,
    SecretArn,
    Share,
    Text,
    TimeZone,
)

API_VERSION: Literal["logroute.dev/v1alpha1"] = "logroute.dev/v1alpha1"
ALLOW_ANNOTATION = "logroute.dev/allow"
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The retentions that CloudWatch Logs takes (Amazon CloudWatch Logs API reference, PutRetentionPolicy)."""


class Kind(StrEnum):
    ROUTE = "LogRoute"
    OUTPUT = "LogOutput"
    CLASS = "LogRouterClass"


class Metadata(Model):
    name: Label
    namespace: Label = "default"
    labels: dict[str, Scalar] = Field(default_factory=dict)
    annotations: dict[str, Scalar] = Field(default_factory=dict)

    @property
    def allowed_lints(self) -> frozenset[str]:
        return _allowed(self.annotations)


class ClassMetadata(Model):
    """A class is not in a namespace."""

    name: Label
    labels: dict[str, Scalar] = Field(default_factory=dict)
    annotations: dict[str, Scalar] = Field(default_factory=dict)

    @property
    def allowed_lints(self) -> frozenset[str]:
        return _allowed(self.annotations)


def _allowed(annotations: Mapping[str, str]) -> frozenset[str]:
    said = annotations.get(ALLOW_ANNOTATION)
    return frozenset(code for one in said.split(",") if (code := one.strip())) if said else frozenset()


class ServiceSelector(Model):
    match_tags: dict[str, Scalar] = Field(min_length=1)


class Target(Model):
    account: Label | None = None
    region: Region | None = None
    cluster: Glob | None = None
    services: Globs = ()
    service_selector: ServiceSelector | None = None
    task_families: Globs = ()
    shared_families: Literal["refuse", "allow"] = "refuse"
    repoint_schedules: Bool = False
    containers: Globs = ()

    @model_validator(mode="after")
    def _targets_something(self) -> Self:
        by_service = bool(self.services or self.service_selector)
        if not by_service and not self.task_families:
            raise PydanticCustomError(
                "no_target", "nothing is targeted: give services, serviceSelector or taskFamilies"
            )
        if by_service and self.cluster is None:
            raise PydanticCustomError(
                "no_cluster", "services are found in a cluster: give target.cluster (a name or glob)"
            )
        return self


Section = dict[str, Any]
"""One plugin: option name → source text, or a list of texts. The fluentbit room checks what is inside."""


class Pipeline(Model):
    """A Fluent Bit YAML file, flattened. Names are Fluent Bit's own, hence the snake_case keys."""

    model_config = ConfigDict(alias_generator=None)

    service: Section = Field(default_factory=dict)
    parsers: tuple[Section, ...] = ()
    multiline_parsers: tuple[Section, ...] = ()
    inputs: tuple[Section, ...] = ()
    filters: tuple[Section, ...] = ()
    outputs: tuple[Section, ...] = Field((), min_length=1)


class LogGroupSpec(Model):
    """A log group that the controller keeps: made if missing, never deleted."""

    model_config = ConfigDict(defer_build=False)  # see RouterContainer

    name: LogGroupName
    retention_days: Int | None = None
    class_: Literal["STANDARD", "INFREQUENT_ACCESS"] = Field("STANDARD", alias="class")

    @model_validator(mode="after")
    def _retention_is_one_of_aws_own(self) -> Self:
        if self.retention_days is not None and self.retention_days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, RETENTION_DAYS))
            raise PydanticCustomError(
                "retention_days", "CloudWatch Logs keeps logs for {allowed} days", {"allowed": allowed}
            )
        return self


class Buffer(Model):
    type: Literal["memory", "filesystem"] = "memory"
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]+$")] | None = None
    max_chunks_up: Int | None = Field(None, ge=1)
    total_limit_size: Annotated[str, StringConstraints(pattern=r"^[0-9]+[kKmMgG]?$")] | None = None


class Health(Model):
    mode: Literal["off", "uptime", "deep"] = "uptime"
    port: Int = Field(2020, ge=1, le=65535)


class Window(Model):
    cron: Cron
    duration: Annotated[Duration, Field(gt=0)]
    time_zone: TimeZone = "UTC"


class Order(Model):
    """Who goes first: services by glob, or routes by label."""

    services: Globs = ()
    labels: dict[str, Scalar] = Field(default_factory=dict)


class Rollout(Model):
    batch: Share = "10%"
    max_parallel: Int = Field(5, ge=0)
    order: tuple[Order, ...] = ()
    pause_on_failure: Bool = True
    timeout: Duration = 900.0
    when_deploying: Literal["wait", "skip"] = "wait"
    windows: tuple[Window, ...] = ()


class RouterOverrides(Model):
    """What a route may override of its class."""

    cpu: Int | None = Field(None, ge=0)
    memory_reservation: Int | None = Field(None, ge=6)
    buffer: Buffer | None = None
    service: Section = Field(default_factory=dict)
    health: Health | None = None


NO_OVERRIDES = RouterOverrides.model_construct()
"""One for all routes: they are frozen, and pydantic would copy a default that holds a dict for each."""


class RouteSpec(Model):
    suspend: Bool = False
    priority: Int = 0
    mode: Literal["enforce", "warn"] = "enforce"
    deletion_policy: Literal["restore", "orphan"] = "restore"
    ignore: tuple[Annotated[str, StringConstraints(pattern=r"^(/([^~/]|~[01])*)+$")], ...] = ()
    target: Target
    router_class: Label = "default"
    router: RouterOverrides = Field(default_factory=lambda: NO_OVERRIDES)
    pipeline: Pipeline
    secrets: dict[EnvName, SecretArn] = Field(default_factory=dict)
    log_groups: tuple[LogGroupSpec, ...] = ()
    rollout: Rollout = Rollout.model_construct()


class LogRoute(Model):
    api_version: Literal["logroute.dev/v1alpha1"]
    kind: Literal["LogRoute"]
    metadata: Metadata
    spec: RouteSpec


class OutputSpec(Model):
    """One output: `name` and its options (kept in `model_extra`), and what comes with it."""

    model_config = ConfigDict(extra="allow")

    name: Text
    secrets: dict[EnvName, SecretArn] = Field(default_factory=dict)
    log_groups: tuple[LogGroupSpec, ...] = ()
    allowed_namespaces: tuple[Glob, ...] = ("*",)

    @property
    def section(self) -> Section:
        return {"name": self.name, **(self.model_extra or {})}


class LogOutput(Model):
    api_version: Literal["logroute.dev/v1alpha1"]
    kind: Literal["LogOutput"]
    metadata: Metadata
    spec: OutputSpec


class Volume(Model):
    """A task volume; everything but the name is ECS's own and passes through."""

    model_config = ConfigDict(extra="allow", defer_build=False)  # see RouterContainer

    name: Text


DEFAULT_SERVICE: Section = {"flush": "1", "grace": "30", "log_level": "info"}
"""What [SERVICE] says where neither class nor route does."""


class ClassSpec(Model):
    image: Text = "public.ecr.aws/aws-observability/aws-for-fluent-bit:init-3.4.15"
    engine: Literal["1.9.10", "5.0.9", "5.1", "unchecked"] | None = None
    delivery: Literal["auto", "init-s3", "firelens-s3", "inline"] = "auto"
    adopt: Bool = False
    grow_task: Bool = False
    container: RouterContainer = RouterContainer.model_construct()
    volumes: tuple[Volume, ...] = ()
    health: Health = Health.model_construct()
    wait_for_router: Literal["START", "HEALTHY"] = "START"
    ecs_metadata: Bool = True
    driver_buffer_limit: Int = Field(8388608, ge=1, le=536870912)
    buffer: Buffer = Buffer.model_construct()
    service: Section = Field(default_factory=dict)
    rollout: Rollout = Rollout.model_construct()


class LogRouterClass(Model):
    api_version: Literal["logroute.dev/v1alpha1"]
    kind: Literal["LogRouterClass"]
    metadata: ClassMetadata
    spec: ClassSpec = ClassSpec.model_construct()


MODELS: dict[Kind, type[LogRoute | LogOutput | LogRouterClass]] = {
    Kind.ROUTE: LogRoute,
    Kind.OUTPUT: LogOutput,
    Kind.CLASS: LogRouterClass,
}
