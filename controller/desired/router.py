"""The router container, from the class and the routes on the task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from controller.api.conditions import Reason
from controller.api.container import RouterContainer
from controller.api.kinds import ClassSpec
from controller.desired.delivery import delivery_of, firelens_options
from controller.desired.delivery import environment as init_environment
from controller.desired.model import ConfigObject, ConfigStore
from controller.desired.ports import AGENTS_OWN
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.ports import Port
from controller.taskdef import canonical
from controller.taskdef.body import Body, container_names, used_ports

MAX_CONTAINERS = 10
"""Containers in one task definition (Amazon ECS service quotas)."""
WINDOWS_ONLY = re.compile(r"ecs\.os-(type|family)\s*(==|=~|in)\W*windows", re.IGNORECASE)
"""A placement constraint in the cluster query language (Amazon ECS developer guide)."""


def check_fits(subject: Subject, router: ClassSpec, engine: str, selection: Mapping[str, Sequence[str]]) -> None:
    """Raises Refusal where the definition cannot take this router."""
    app, name = subject.app, router.container.name
    names = container_names(app)
    if windows := _windows(app):
        raise Refusal(
            Reason.UNSUPPORTED,
            f"FireLens runs on Linux only; the task is {windows}: leave it out of the route's target, and give its "
            "containers another log driver",
        )
    if subject.network_mode == "none":
        raise Refusal(
            Reason.UNSUPPORTED,
            "the task's networkMode is none: a router could send nothing; give it another, or leave the task out of "
            "the route's target",
        )
    if name in names:
        raise Refusal(
            Reason.UNSUPPORTED,
            f"the task has a container {name!r} of its own; set container.name in the LogRouterClass",
        )
    own = {volume.get("name") for volume in app.get("volumes") or ()}
    if taken := sorted(volume.name for volume in router.volumes if volume.name in own):
        raise Refusal(
            Reason.UNSUPPORTED,
            f"the task has a volume {taken[0]!r} of its own; rename it in volumes of the LogRouterClass",
        )
    if len(names) >= MAX_CONTAINERS:
        raise Refusal(
            Reason.UNSUPPORTED,
            f"the task has {len(names)} containers; ECS allows {MAX_CONTAINERS} with the router: take one out, or "
            "leave the task out of the route's target",
        )
    if router.buffer.type == "filesystem" and engine == "1.9.10":
        raise Refusal(
            Reason.UNSUPPORTED,
            "buffer.type: filesystem needs storage.inherit, which Fluent Bit 1.9.10 lacks; use an image from 3.4.9 on",
        )
    if not any(selection.values()):
        raise Refusal(Reason.UNSUPPORTED, f"no container matches target.containers; the task has {', '.join(names)}")
    _check_port(subject, router)


def _windows(app: Body) -> str:
    """The platform by name, "" for Linux. On EC2 it need not be said; then tasks are often held to instances of it."""
    platform = str((app.get("runtimePlatform") or {}).get("operatingSystemFamily") or "")
    if platform.upper().startswith("WINDOWS"):
        return platform
    constraints = [str(one.get("expression") or "") for one in app.get("placementConstraints") or ()]
    return next((f"held to {one!r}" for one in constraints if not platform and WINDOWS_ONLY.search(one)), "")


def _check_port(subject: Subject, router: ClassSpec) -> None:
    if not health_on(subject, router):
        return
    port = router.health.port
    own = port in used_ports(subject.app["containerDefinitions"])
    if whose := "a container of the task" if own else AGENTS_OWN.get(Port(port)):
        raise Refusal(
            Reason.PORT_TAKEN,
            f"port {port} is {whose}'s; set health.port in the LogRouterClass",
        )


def health_on(subject: Subject, router: ClassSpec) -> bool:
    """On the host network all tasks of an instance share ports, so the check stays off there; inline nothing can
    turn the HTTP server on.
    """
    return router.health.mode != "off" and subject.network_mode != "host" and router.delivery != "inline"


def container(
    subject: Subject,
    router: ClassSpec,
    secrets: Mapping[str, str],
    configs: Sequence[ConfigObject],
    store: ConfigStore,
    *,
    metadata: bool,
) -> Body:
    """The router container in ECS's own shape, unmarked. `metadata`: the agent adds the ECS fields."""
    stated = router.container
    body: Body = {"name": stated.name, "image": router.image, **_stated(stated)}
    delivery = delivery_of(router)
    if environment := [*body.get("environment", ()), *init_environment(delivery, configs, store)]:
        body["environment"] = environment
    if secrets:
        own = {one["name"] for one in body.get("secrets", ())}
        routed = [{"name": name, "valueFrom": arn} for name, arn in sorted(secrets.items()) if name not in own]
        body["secrets"] = [*body.get("secrets", ()), *routed]
    if stated.log_configuration is None:
        body["logConfiguration"] = own_logs(subject)
    body["firelensConfiguration"] = {
        "type": "fluentbit",
        "options": {
            "enable-ecs-log-metadata": "true" if metadata else "false",
            **firelens_options(delivery, configs, store),
        },
    }
    if stated.health_check is None and health_on(subject, router):
        body["healthCheck"] = _health_check(router)
    return body


def canonical_of(router: ClassSpec, body: Body) -> Body:
    """`canonical.container(body, "")`: what the class states is the same for all its services, and worked out once;
    of what comes to it only the lists have another form.
    """
    stated, form = _both(router.container)
    own = {key: value for key, value in body.items() if stated.get(key, stated) is not value}
    for key in ("environment", "secrets"):
        if key in own:
            own[key] = sorted(own[key], key=canonical.SETS[key])
    if check := own.get("healthCheck"):
        own["healthCheck"] = canonical.health_check(check)
    return {**form, **own}


def _stated(stated: RouterContainer) -> Body:
    return _both(stated)[0]


_KEPT: dict[int, tuple[RouterContainer, Body, Body]] = {}
"""By identity: the models hold maps, so they have no hash."""
MOST_KEPT = 1024


def _both(stated: RouterContainer) -> tuple[Body, Body]:
    """In ECS's own shape, and that in canonical form."""
    found = _KEPT.get(id(stated))
    if found is None or found[0] is not stated:
        plain: dict[str, Any] = stated.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"name"})
        body = {key: value for key, value in plain.items() if value not in ([], {})}
        form = canonical.container({**body, "firelensConfiguration": {"type": "fluentbit"}}, "")
        del form["firelensConfiguration"]
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[id(stated)] = found = (stated, body, form)
    return found[1], found[2]


def own_log_group(subject: Subject) -> str:
    return f"/logroute/{subject.family}"


def own_logs(subject: Subject) -> Body:
    """Where the router's own words go when the class does not say: never through itself."""
    if subject.region is None:
        raise Refusal(Reason.UNSUPPORTED, "the region is not known: give --region, or target.region in the route")
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": own_log_group(subject),
            "awslogs-region": subject.region,
            "awslogs-stream-prefix": "firelens",
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def _health_check(router: ClassSpec) -> Body:
    """The check that AWS recommends (amazon-ecs-firelens-examples, health-check)."""
    path = "health" if router.health.mode == "deep" else "uptime"
    command = f"curl -f http://127.0.0.1:{router.health.port}/api/v1/{path} || exit 1"
    return {"command": ["CMD-SHELL", command], "interval": 10, "timeout": 5, "retries": 2, "startPeriod": 30}
