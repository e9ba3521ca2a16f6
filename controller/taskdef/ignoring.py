"""`spec.ignore`: what LogRoute does not repair, as JSON pointers (RFC 6901) into the owned part.

`/container/…` is the router, `/containers/<name>/…` a routed container, `/volumes/<name>` a volume that the class adds.
Lists of named things are addressed by name: `/container/environment/FLB_LOG_LEVEL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from controller.taskdef.body import Body
from controller.taskdef.mark import unmarked
from controller.taskdef.original import FIRELENS
from controller.taskdef.overlay import Overlay, put

Steps = tuple[str, ...]
NAMED = {
    "environment": "name",
    "secrets": "name",
    "secretOptions": "name",
    "ulimits": "name",
    "mountPoints": "sourceVolume",
    "volumesFrom": "sourceContainer",
    "systemControls": "namespace",
    "resourceRequirements": "type",
}
"""Lists of named things, by the member that names them. Their order means nothing."""
MAPS = frozenset({"dockerLabels", "options"})
"""Maps whose keys are anybody's: an empty one is none."""
ROUTER, ROUTED, VOLUMES = "container", "containers", "volumes"
ABSENT: Final = object()


def steps_of(pointer: str) -> Steps:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def put_but(app: Body, overlay: Overlay, pointers: Iterable[str], live: Body, router: Body | None) -> Body:
    """`put`, but for what `live` has at the pointers: that stays, whether there, changed or gone.

    `live` is the definition that `app` was stripped from, `router` the router in it. Without one there is nothing to
    keep: a new router is as the specs say.
    """
    some = [steps_of(pointer) for pointer in pointers]
    if not some or router is None:
        return put(app, overlay)
    containers = {one.get("name", ""): one for one in live["containerDefinitions"] if _is_routed(one)}
    mine = _below(some, ROUTER)
    kept = _kept_volumes(_kept_options(_kept_router(overlay, mine, router), some, containers), some, live)
    waiting = [name for name in kept.log_configurations if name in containers and (ROUTED, name, "dependsOn") in some]
    body = put(app, kept)
    for container in body["containerDefinitions"]:
        if (name := container.get("name")) in waiting:
            _keep_waiting(container, kept, containers[name], router["name"])
    return body


def _below(some: Iterable[Steps], *start: str) -> list[Steps]:
    return [steps[len(start) :] for steps in some if steps[: len(start)] == start]


def _is_routed(container: Body) -> bool:
    return bool((container.get("logConfiguration") or {}).get("logDriver") == FIRELENS)


def _kept_router(overlay: Overlay, some: Iterable[Steps], live: Body) -> Overlay:
    """HEALTHY needs a health check: where theirs has none, the containers wait for START."""
    wanted, there = dict(overlay.router), unmarked(live)
    for steps in some:
        if steps[0] == "logConfiguration" and not _same_driver(wanted, there):
            continue  # options of one driver mean nothing to another
        wanted = taken_over(wanted, there, steps)
    return replace(overlay, router=wanted, wait_for=overlay.wait_for if "healthCheck" in wanted else "START")


def _same_driver(*containers: Body) -> bool:
    return len({(one.get("logConfiguration") or {}).get("logDriver") for one in containers}) == 1


def _kept_options(overlay: Overlay, some: Sequence[Steps], live: dict[str, Body]) -> Overlay:
    configs = dict(overlay.log_configurations)
    for name in configs.keys() & live.keys():
        for steps in _below(some, ROUTED, name, "logConfiguration"):
            configs[name] = taken_over(configs[name], live[name]["logConfiguration"], steps)
    return replace(overlay, log_configurations=configs)


def _kept_volumes(overlay: Overlay, some: Sequence[Steps], live: Body) -> Overlay:
    """One that is gone stays gone, unless the router mounts it."""
    mounted = {one.get("sourceVolume") for one in overlay.router.get("mountPoints") or ()}
    there = {one.get("name"): one for one in live.get("volumes") or ()}
    kept: list[Body] = []
    for volume in overlay.volumes:
        name, found = volume["name"], volume
        for steps in _below(some, VOLUMES, volume["name"]):
            found = taken_over(found, there.get(name, found if steps or name in mounted else ABSENT), steps)
        kept += [found] if found is not ABSENT else []
    return replace(overlay, volumes=tuple(kept))


def _keep_waiting(container: Body, overlay: Overlay, live: Body, live_router: str) -> None:
    router = overlay.router["name"]
    rest = [one for one in container["dependsOn"] if one.get("containerName") != router]
    theirs = [one for one in live.get("dependsOn") or () if one.get("containerName") == live_router]
    allowed = "healthCheck" in overlay.router
    kept = [{**one, "containerName": router, **({} if allowed else {"condition": "START"})} for one in theirs]
    container["dependsOn"] = [*rest, *kept]
    if not container["dependsOn"]:
        del container["dependsOn"]


def taken_over(wanted: Any, live: Any, steps: Steps, name: str = "") -> Any:
    """`wanted` with what `live` has at `steps`; `name` is what both are called. ABSENT stands for nothing.

    A part of something that only one side has is no answer: half a health check is none.
    """
    if not steps:
        return live
    step, rest = steps[0], steps[1:]
    if name in NAMED:
        return _named(wanted, live, steps, NAMED[name]) or ABSENT
    if name in MAPS:
        wanted, live = wanted if isinstance(wanted, dict) else {}, live if isinstance(live, dict) else {}
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        return wanted
    found = taken_over(wanted.get(step, ABSENT), live.get(step, ABSENT), rest, step)
    others = {key: value for key, value in wanted.items() if key != step}
    result = others if found is ABSENT else {**others, step: found}
    return ABSENT if name in MAPS and not result else result


def _named(wanted: Any, live: Any, steps: Steps, key: str) -> list[Any]:
    some = [list(one) if isinstance(one, list | tuple) else [] for one in (wanted, live)]
    mine, theirs = ([one for one in side if str(one.get(key)) == steps[0]] for side in some)
    others = [one for one in some[0] if str(one.get(key)) != steps[0]]
    if not steps[1:]:
        return [*others, *theirs]
    if len(mine) == len(theirs) == 1:
        return [*others, taken_over(mine[0], theirs[0], steps[1:])]
    return some[0]
