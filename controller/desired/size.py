"""Whether the router fits into a task, and the next size into which it does.

What the containers of a task reserve may not exceed the task's own cpu and memory (Amazon ECS API reference,
RegisterTaskDefinition); Fargate takes certain pairs only (developer guide, "Fargate task sizes").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from controller.api.conditions import Reason
from controller.desired.subject import Refusal
from controller.taskdef.body import Body

GB = 1024
FARGATE: dict[int, Sequence[int]] = {
    256: (512, GB, 2 * GB),
    512: range(GB, 4 * GB + 1, GB),
    1024: range(2 * GB, 8 * GB + 1, GB),
    2048: range(4 * GB, 16 * GB + 1, GB),
    4096: range(8 * GB, 30 * GB + 1, GB),
    8192: range(16 * GB, 60 * GB + 1, 4 * GB),
    16384: range(32 * GB, 120 * GB + 1, 8 * GB),
    32768: (60 * GB, 120 * GB, 244 * GB),
}
"""CPU units → MiB."""
UNITS = {"memory": "MiB of memory", "cpu": "CPU units"}
_AMOUNT = re.compile(r"(\d*\.?\d+)\s*(vcpu|gb)?", re.IGNORECASE)


def grown(app: Body, router: Body, *, may_grow: bool) -> dict[str, str]:
    """`cpu` and `memory` of the task as they have to be; empty where they may stay. Both, as far as the task has them:
    they are given back together, for one alone may be no size of Fargate's. Raises Refusal.
    """
    has_cpu, has_memory = app.get("cpu"), app.get("memory")
    if not has_cpu and not has_memory:
        return {}
    containers = [*app["containerDefinitions"], router]
    cpu, memory = _needed(containers)
    if (not has_cpu or cpu <= _number(has_cpu)) and (not has_memory or memory <= _number(has_memory)):
        return {}
    task = {name: _number(app[name]) for name in ("cpu", "memory") if app.get(name)}
    needed = {"cpu": cpu, "memory": memory}
    size = _next(app, task, needed)
    if size is None or not may_grow:
        raise Refusal(Reason.UNSUPPORTED, _why(router, task, needed, size))
    return {name: str(size[name]) for name in task}


def _next(app: Body, task: dict[str, int], needed: dict[str, int]) -> dict[str, int] | None:
    """The smallest that holds what is needed and is not less than now. None: there is none."""
    least = {name: max(needed[name], task.get(name, 0)) for name in needed}
    if not _on_fargate(app, task):
        return least
    pairs = ({"cpu": cpu, "memory": memory} for cpu, memory in _pairs() if cpu >= least["cpu"])
    return next((pair for pair in pairs if pair["memory"] >= least["memory"]), None)


def _on_fargate(app: Body, task: dict[str, int]) -> bool:
    """A definition that asks for nothing may run there as well as elsewhere."""
    asked = app.get("requiresCompatibilities") or ()
    may = not asked and app.get("networkMode") == "awsvpc" and (task.get("cpu"), task.get("memory")) in set(_pairs())
    return "FARGATE" in asked or may


def _pairs() -> Iterator[tuple[int, int]]:
    for cpu, memories in FARGATE.items():
        yield from ((cpu, memory) for memory in memories)


def _needed(containers: Sequence[Body]) -> tuple[int, int]:
    """CPU units; and MiB: all reservations together, and no less than any single limit."""
    cpu = reserved = largest = 0
    for one in containers:
        limit, soft = one.get("memory") or 0, one.get("memoryReservation") or 0
        cpu += one.get("cpu") or 0
        reserved += soft or limit
        largest = max(largest, limit, soft)
    return cpu, max(reserved, largest)


def _why(router: Body, task: dict[str, int], needed: dict[str, int], size: dict[str, int] | None) -> str:
    own = dict(zip(("cpu", "memory"), _needed([router]), strict=True))
    short = [
        f"the task has {task[name]:,} {unit}, its containers and the router (which takes {own[name]:,}) need "
        f"{needed[name]:,}"
        for name, unit in UNITS.items()
        if needed[name] > task.get(name, needed[name])
    ]
    text = f"the router does not fit: {'; '.join(short)}"
    if size is None:
        return f"{text}; no Fargate size is large enough: reserve less in the application's containers"
    larger = ", ".join(f"{name} {size[name]}" for name in task)
    return f"{text}; set growTask: true in the LogRouterClass to have the task at {larger}, or reserve less"


@lru_cache(maxsize=1024)
def _number(value: Any) -> int:
    """`"512"`, `"0.5 GB"`, `".25 vCPU"`; what is none of these ECS refuses by itself."""
    found = _AMOUNT.fullmatch(str(value).strip())
    return int(float(found[1]) * (GB if found[2] else 1)) if found else 0
