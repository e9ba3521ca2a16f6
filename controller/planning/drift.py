"""Why a service differs from what it should be, in the closed set of reasons."""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.conditions import Reason
from controller.planning.case import Case
from controller.planning.memory import Stage
from controller.planning.model import Because
from controller.taskdef import canonical
from controller.taskdef.body import Body
from controller.taskdef.mark import unmarked


def differences(case: Case, after: Body) -> tuple[Because, ...]:
    """At least one reason; the specs' own change is named first and alone."""
    stripped, memory, desired = case.stripped, case.memory, case.desired
    assert stripped is not None and desired is not None  # noqa: S101, PT018
    routes = ", ".join(desired.routes)
    asked = memory is not None and memory.stage is Stage.ASKED and memory.digest == desired.digest
    if memory and asked and memory.why and case.service.task_definition == memory.base:
        return (Because(Reason(memory.why), "asked for, and not made yet"),)
    if stripped.router is None and (memory is None or not memory.digest):
        return (Because(Reason.NEW_ROUTE, f"{routes} selects the service"),)
    if memory is not None and dict(memory.routes) != dict(desired.route_digests):
        return (Because(Reason.SPEC_CHANGED, f"{routes} asks for something else now"),)
    if stripped.router is None:
        return (_without_router(case),)
    if memory is not None and memory.digest != desired.digest:
        return (
            Because(Reason.ROUTER_CHANGED, "the same routes give another config: the application or LogRoute changed"),
        )
    return _drift(case, after) or (Because(Reason.ROUTER_CHANGED, "the definition differs from what was applied"),)


def _without_router(case: Case) -> Because:
    """The same application as before is somebody going back; another one is a deploy that leaves the router out."""
    name = case.service.task_definition.rsplit("/", 1)[-1]
    if case.memory is not None and case.app == case.memory.app:
        return Because(Reason.REVERTED, f"somebody set the service back to {name}, which has no router")
    return Because(Reason.ROUTER_MISSING, f"{name} came without the router")


def _drift(case: Case, after: Body) -> tuple[Because, ...]:
    wanted, there = _by_name(after), _by_name(case.current)
    found: list[Because] = []
    assert case.desired is not None and case.desired.overlay is not None and case.stripped is not None  # noqa: S101, PT018
    router = case.desired.overlay.router["name"]
    actual = case.stripped.router or {}
    fields = _changed(wanted.get(router, {}), unmarked(actual))
    if fields:
        found.append(
            Because(
                Reason.ROUTER_CHANGED,
                f"of the router {', '.join(fields)} differ{'s' if len(fields) == 1 else ''}",
            )
        )
    found += _lost_with_it(case, after)
    for name in case.desired.overlay.log_configurations:
        changed = [
            field
            for field in _changed(wanted.get(name, {}), there.get(name, {}))
            if field in ("logConfiguration", "dependsOn")
        ]
        if changed:
            found.append(Because(Reason.LOG_DRIVER_CHANGED, f"{' and '.join(changed)} of container {name} was changed"))
    return tuple(found)


def _lost_with_it(case: Case, after: Body) -> Iterator[Because]:
    """What came with the router: its mark, and volumes."""
    assert case.desired is not None and case.desired.overlay is not None and case.stripped is not None  # noqa: S101, PT018
    mark = case.stripped.mark
    if mark is None:
        yield Because(Reason.ROUTER_CHANGED, "the labels of LogRoute on the router are lost")
    elif mark.digest != case.desired.digest:
        yield Because(Reason.ROUTER_CHANGED, "the labels of LogRoute on the router were changed")
    wanted, there = _volumes(after), _volumes(case.current)
    for volume in case.desired.overlay.volumes:
        name = volume["name"]
        if wanted.get(name) != there.get(name):
            how = "changed" if name in there else "taken out"
            yield Because(Reason.ROUTER_CHANGED, f"the volume {name} was {how}")


def _volumes(body: Body) -> dict[str, Body]:
    return {volume["name"]: volume for volume in canonical.canonical(body).get("volumes", ())}


def _changed(wanted: Body, there: Body) -> list[str]:
    one, other = canonical.container(unmarked(wanted), ""), canonical.container(unmarked(there), "")
    return sorted(field for field in one.keys() | other.keys() if one.get(field) != other.get(field))


def _by_name(body: Body) -> dict[str, Body]:
    return {container.get("name", ""): container for container in body["containerDefinitions"]}
