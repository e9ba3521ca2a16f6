"""What ECS asks of a definition once the router is in it, and did not ask before: said here, not by a failed register.

Amazon ECS API reference, RegisterTaskDefinition and ContainerDefinition; developer guide, "Amazon ECS task definition
differences for Fargate". Sizes and places are size.py's and router.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.api.conditions import Reason
from controller.desired.model import Note
from controller.desired.subject import Refusal, Subject
from controller.specs.model import Route
from controller.taskdef.body import Body, container_names

FARGATE_DRIVERS = ("awsfirelens", "awslogs", "splunk")
NOT_ON_FARGATE = (
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "extraHosts",
    "links",
    "privileged",
)
"""Fields of a container."""


def check(subject: Subject, router: Body, volumes: Iterable[Body]) -> None:
    """Raises Refusal."""
    for why in _asked(subject.app, router, volumes):
        raise Refusal(Reason.UNSUPPORTED, why)
    if _is_registered(subject):
        for why in _without_execution_role(subject.app, router):
            raise Refusal(Reason.UNSUPPORTED, why)


def notes(subject: Subject, first: Route, router: Body) -> list[Note]:
    """A definition that is yet to be registered may get its execution role later."""
    missing = () if _is_registered(subject) else _without_execution_role(subject.app, router)
    return [Note(first.key, Reason.UNSUPPORTED, why) for why in missing]


def _is_registered(subject: Subject) -> bool:
    return subject.account is not None


def _asked(app: Body, router: Body, volumes: Iterable[Body]) -> Iterator[str]:
    yield from _memory(app, router)
    yield from _names(app, router, volumes)
    if _on_fargate(app):
        yield from _of_fargate(router, volumes)


def _on_fargate(app: Body) -> bool:
    return "FARGATE" in (app.get("requiresCompatibilities") or ())


def _memory(app: Body, router: Body) -> Iterator[str]:
    limit, reserved = router.get("memory"), router.get("memoryReservation")
    if limit and reserved and limit < reserved:
        yield (
            f"the router's memory of {limit} MiB is less than its memoryReservation of {reserved}: in the container of "
            "the LogRouterClass lower the one or raise the other"
        )
    if not (limit or reserved or app.get("memory")):
        yield (
            "neither the task nor the router has a memory: give the container of the LogRouterClass a memoryReservation"
        )


def _names(app: Body, router: Body, volumes: Iterable[Body]) -> Iterator[str]:
    """What the router names must be in the task; and one name is either a variable or a secret."""
    there = {one.get("name") for one in (*(app.get("volumes") or ()), *volumes)}
    containers = set(container_names(app))
    for mount in router.get("mountPoints") or ():
        if mount.get("sourceVolume") not in there:
            yield f"the router mounts the volume {mount.get('sourceVolume')!r}, which is neither the task's nor its own"
    named = [one.get("sourceContainer") for one in router.get("volumesFrom") or ()]
    links = [one.split(":", 1)[0] for one in router.get("links") or ()]
    if lost := [one for one in (*named, *links) if one not in containers]:
        yield f"the router names the container {lost[0]!r} in volumesFrom or links, and the task has none of that name"
    if links and (app.get("networkMode") or "bridge") != "bridge":
        yield "the router has links, and containers are linked in networkMode bridge only"
    variables = {one.get("name") for one in router.get("environment") or ()}
    for secret in router.get("secrets") or ():
        if secret["name"] in variables:
            yield (
                f"the router gets {secret['name']} as a secret, and its LogRouterClass has a variable of that name in "
                "environment: rename one"
            )


def _without_execution_role(app: Body, router: Body) -> Iterator[str]:
    if app.get("executionRoleArn"):
        return
    own_log = router.get("logConfiguration") or {}
    if names := [one["name"] for one in (*(router.get("secrets") or ()), *(own_log.get("secretOptions") or ()))]:
        yield (
            f"the router gets the secret {names[0]}, which ECS reads with the task's execution role, and the task has "
            "none: give the task definition an executionRoleArn"
        )
    if _on_fargate(app) and _driver(router) == "awslogs":
        yield (
            "the router's own log goes to CloudWatch by awslogs, for which Fargate needs the task's execution role, "
            "and the task has none: give the task definition an executionRoleArn, or the container of the "
            "LogRouterClass another logConfiguration"
        )


def _of_fargate(router: Body, volumes: Iterable[Body]) -> Iterator[str]:
    for field in NOT_ON_FARGATE:
        if router.get(field):
            yield f"Fargate has no {field}: take it out of the container of the LogRouterClass"
    driver = _driver(router)
    if driver and driver not in FARGATE_DRIVERS:
        yield (
            f"Fargate has no log driver {driver}: in the container of the LogRouterClass choose one of "
            f"{', '.join(FARGATE_DRIVERS[1:])}"
        )
    for volume in volumes:
        if "dockerVolumeConfiguration" in volume or (volume.get("host") or {}).get("sourcePath"):
            yield (
                f"Fargate has no host to take the volume {volume.get('name')!r} from: in volumes of the LogRouterClass "
                "leave out host.sourcePath and dockerVolumeConfiguration"
            )


def _driver(router: Body) -> str:
    return str((router.get("logConfiguration") or {}).get("logDriver") or "")
