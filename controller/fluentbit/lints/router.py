"""Lints of a LogRouterClass: the router container, its service and its health check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controller.api.container import RouterContainer
from controller.api.kinds import DEFAULT_SERVICE, ClassSpec
from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints.lint import Lint, number, text
from controller.fluentbit.words import lowered

ROUTER_NOT_ESSENTIAL = Lint(
    "ROUTER_NOT_ESSENTIAL",
    Severity.WARNING,
    "`container.essential: false`.",
    "A router that dies leaves the application running without anybody to take its logs: they are lost in silence.",
    "leave essential out, or watch the router",
)
STOP_TIMEOUT = Lint(
    "STOP_TIMEOUT",
    Severity.ERROR,
    "`service.grace` above `container.stopTimeout`, in the class, or in the `router` or `pipeline` of a route; or a "
    "stopTimeout below the 30 s of grace that hold where nothing is said.",
    "ECS kills the router after stopTimeout, in the middle of the time that Fluent Bit takes to send what is left.",
    "raise container.stopTimeout (120 at most), or lower service.grace",
)
GRACE_SHORT = Lint(
    "GRACE_SHORT",
    Severity.WARNING,
    "`service.grace` of 5 seconds or less.",
    "At the end of a task Fluent Bit drops what it could not send in this time. One slow answer takes longer.",
    "use 30 or more",
)
READONLY_ROOT = Lint(
    "READONLY_ROOT",
    Severity.ERROR,
    "`readonlyRootFilesystem` without a writable mount at `/tmp` or `/init`.",
    "The init process writes the config that it starts Fluent Bit with to /init, else to /tmp/init. Without either it "
    "ends, and an essential router takes the task with it (aws-for-fluent-bit#824).",
    "mount a volume at /tmp (images from 2.33.0 on), or leave readonlyRootFilesystem out",
)
MEMORY_LOW = Lint(
    "MEMORY_LOW",
    Severity.WARNING,
    "Less than 50 MiB of memory for the router.",
    "The agent gives FireLens's input half of it. A burst fills that, the input pauses, and Docker drops lines.",
    "give memoryReservation 50 MiB at least; 100 and more is usual",
)
BUFFER_MEMORY = Lint(
    "BUFFER_MEMORY",
    Severity.WARNING,
    "`buffer.maxChunksUp` that takes more memory than the container has: about 4 MB for each chunk that is up.",
    "Filesystem buffering keeps that many chunks of 2 MB in memory, and as much again while they are sent. Beyond its "
    "memory the router is killed.",
    "lower buffer.maxChunksUp, or raise memoryReservation",
)
AWSLOGS_CREATE_GROUP = Lint(
    "AWSLOGS_CREATE_GROUP",
    Severity.WARNING,
    "`awslogs-create-group` in the router's own logConfiguration.",
    "The execution role then needs logs:CreateLogGroup, which AWS's managed policy does not give. Without it no task "
    "starts.",
    "leave it out, and keep the group by logGroups of a route",
)
ROUTER_LOGS_BLOCKING = Lint(
    "ROUTER_LOGS_BLOCKING",
    Severity.HINT,
    "The router's own logs by `awslogs` without `mode: non-blocking`.",
    "Where blocking is the account's default, a CloudWatch Logs that is slow stops the router in the middle of a line, "
    "and every application's logs with it.",
    "add mode: non-blocking and max-buffer-size: 25m",
)
HEALTH_DEEP_ESSENTIAL = Lint(
    "HEALTH_DEEP_ESSENTIAL",
    Severity.WARNING,
    "`health.mode: deep` on an essential router.",
    "The deep check fails while a destination does. An outage of one destination makes every router unhealthy, and ECS "
    "stops every task.",
    "use health.mode: uptime",
)
HEALTH_CHECK_8877 = Lint(
    "HEALTH_CHECK_8877",
    Severity.WARNING,
    "A health check that sends to port 8877.",
    "That input answers nothing, and any open port looks healthy to nc. AWS advises against it; on the host network "
    "there is no such port.",
    "leave healthCheck out, and use health.mode: uptime",
)
RESTART_POLICY = Lint(
    "RESTART_POLICY",
    Severity.HINT,
    "A `restartPolicy` of the router that is enabled.",
    "In bridge mode a restarted router has a new address, and applications that use FLUENT_HOST send to the old one "
    "(containers-roadmap#2429). With awsvpc it works.",
    "use it for awsvpc tasks only",
)
DRIVER_BUFFER_SMALL = Lint(
    "DRIVER_BUFFER_SMALL",
    Severity.HINT,
    "`driverBufferLimit` under 1 MiB, which is Docker's own default.",
    "While the router is busy, Docker keeps lines in this buffer and drops what does not fit. It should hold five "
    "seconds of output.",
    "leave driverBufferLimit out (8 MiB)",
)

_DEFAULT_GRACE = int(DEFAULT_SERVICE["grace"])
_SHORT_GRACE = 5
_LOW_MEMORY = 50
"""MiB. What AWS's smallest examples give (amazon-ecs-firelens-examples)."""
_CHUNK = 4_000_000
"""Bytes: 2 MB, and as much again while it is sent (oomkill-prevention of the same)."""
_MIB = 1024 * 1024
_WRITTEN_TO = ("/tmp", "/init")  # noqa: S108 - paths in the router's image


def lint_router(spec: ClassSpec) -> Iterator[Finding]:
    """Paths start at the spec of the class."""
    container = spec.container
    if not container.essential:
        yield ROUTER_NOT_ESSENTIAL.at(("container", "essential"), "the router is not essential: its end goes unnoticed")
    yield from lint_grace(spec.service, spec)
    if "grace" not in lowered(spec.service) and container.stop_timeout < _DEFAULT_GRACE:
        yield _killed(_DEFAULT_GRACE, container).below("container", "stopTimeout")
    yield from lint_memory(spec)
    yield from lint_buffer(spec)
    yield from lint_health(spec)
    yield from _container(container)
    if spec.driver_buffer_limit < _MIB:
        message = f"driverBufferLimit is {spec.driver_buffer_limit:,} bytes, under Docker's own 1 MiB"
        yield DRIVER_BUFFER_SMALL.at(("driverBufferLimit",), message)


def lint_grace(service: Mapping[str, Any], spec: ClassSpec) -> Iterator[Finding]:
    """For what `service` says, in the class or beside it. Paths start above the service."""
    grace = number(text(lowered(service), "grace"))
    if grace is None or grace < 0:  # -1 waits for ever
        return
    if grace > spec.container.stop_timeout:
        yield _killed(grace, spec.container).below("service", "grace")
    if grace <= _SHORT_GRACE:
        yield GRACE_SHORT.at(("service", "grace"), f"grace is {grace} s: what is not sent by then is lost")


def lint_memory(spec: ClassSpec) -> Iterator[Finding]:
    memory, name = _memory(spec.container)
    if memory is not None and memory < _LOW_MEMORY:
        yield MEMORY_LOW.at(("container", name), f"{name} is {memory} MiB: bursts do not fit")


def lint_buffer(spec: ClassSpec) -> Iterator[Finding]:
    chunks, memory = spec.buffer.max_chunks_up, spec.container.memory or spec.container.memory_reservation
    if spec.buffer.type != "filesystem" or chunks is None or memory is None or chunks * _CHUNK <= memory * _MIB:
        return
    fitting = max(1, memory * _MIB // _CHUNK)
    message = f"{chunks} chunks take about {chunks * _CHUNK // 1_000_000:,} MB, and the router has {memory} MiB"
    hint = f"lower maxChunksUp to {fitting}, or raise the memory to {-(-chunks * _CHUNK // _MIB)} MiB"
    yield BUFFER_MEMORY.at(("buffer", "maxChunksUp"), message, hint)


def lint_health(spec: ClassSpec) -> Iterator[Finding]:
    if spec.health.mode == "deep" and spec.container.essential and spec.container.health_check is None:
        message = "an outage of one destination makes the essential router unhealthy, and ends every task"
        yield HEALTH_DEEP_ESSENTIAL.at(("health", "mode"), message)


def _killed(grace: int, container: RouterContainer) -> Finding:
    message = f"grace is {grace} s, but ECS kills the router after a stopTimeout of {container.stop_timeout} s"
    return STOP_TIMEOUT.at((), message)


def _memory(container: RouterContainer) -> tuple[int | None, str]:
    if container.memory_reservation is not None:
        return container.memory_reservation, "memoryReservation"
    return container.memory, "memory"


def _container(container: RouterContainer) -> Iterator[Finding]:
    yield from _own_logs(container)
    if container.health_check and any("8877" in word for word in container.health_check.command):
        message = "a check by port 8877 calls a router healthy that is not"
        yield HEALTH_CHECK_8877.at(("container", "healthCheck", "command"), message)
    if container.readonly_root_filesystem and not _writable(container):
        message = "the init process can write neither to /init nor to /tmp: the router cannot start"
        yield READONLY_ROOT.at(("container", "readonlyRootFilesystem"), message)
    if container.restart_policy and container.restart_policy.enabled:
        message = "a restarted router has a new address in bridge mode"
        yield RESTART_POLICY.at(("container", "restartPolicy"), message)


def _own_logs(container: RouterContainer) -> Iterator[Finding]:
    logs = container.log_configuration
    if logs is None or logs.log_driver != "awslogs":
        return
    path = ("container", "logConfiguration")
    if logs.options.get("awslogs-create-group", "").lower() == "true":
        message = "no task starts unless the execution role may create log groups"
        yield AWSLOGS_CREATE_GROUP.at((*path, "options", "awslogs-create-group"), message)
    if logs.options.get("mode") != "non-blocking":
        at = (*path, "options", "mode") if "mode" in logs.options else (*path, "options")
        yield ROUTER_LOGS_BLOCKING.at(at, "the router may wait for its own log lines to be taken")


def _writable(container: RouterContainer) -> bool:
    mounts = {point.container_path.rstrip("/") for point in container.mount_points if not point.read_only}
    for one in (container.linux_parameters or {}).get("tmpfs") or ():
        mounts |= (
            {str(one["containerPath"]).rstrip("/")} if isinstance(one, Mapping) and "containerPath" in one else set()
        )
    return not mounts.isdisjoint(_WRITTEN_TO)
