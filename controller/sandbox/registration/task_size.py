"""The cpu and memory of a task (Amazon ECS API reference, RegisterTaskDefinition)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from controller.sandbox.model import Json

_UNITS_OF_VCPU = 1024
_MIB_OF_GB = 1024
_CPU = re.compile(r"(?P<number>\d*\.?\d+)\s*(?P<unit>vcpu)?", re.IGNORECASE)
_MEMORY = re.compile(r"(?P<number>\d*\.?\d+)\s*(?P<unit>gb)?", re.IGNORECASE)


def cpu_units(text: str) -> int | None:
    """`"256"`, `".25 vCPU"` → 256; None for what ECS does not read."""
    return _amount(_CPU.fullmatch(text.strip()), _UNITS_OF_VCPU)


def memory_mib(text: str) -> int | None:
    """`"512"`, `"0.5 GB"` → 512; None for what ECS does not read."""
    return _amount(_MEMORY.fullmatch(text.strip()), _MIB_OF_GB)


def _amount(match: re.Match[str] | None, factor: int) -> int | None:
    if match is None:
        return None
    number = float(match["number"]) * (factor if match["unit"] else 1)
    return int(number) if number > 0 and number.is_integer() else None


def problems(body: Json) -> Iterator[str]:
    containers: list[Json] = body["containerDefinitions"]
    if "cpu" in body:
        yield from _cpu(cpu_units(body["cpu"]), containers)
    if "memory" in body:
        yield from _memory(memory_mib(body["memory"]), containers)


def _cpu(task: int | None, containers: list[Json]) -> Iterator[str]:
    if task is None:
        yield "Invalid 'cpu' setting for task."
    elif sum(container.get("cpu", 0) for container in containers) > task:
        yield "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."


def _memory(task: int | None, containers: list[Json]) -> Iterator[str]:
    if task is None:
        yield "Invalid 'memory' setting for task."
        return
    for container in containers:
        for key in ("memory", "memoryReservation"):
            if container.get(key, 0) > task:
                name = container.get("name")
                yield f"The '{key}' setting for container '{name}' is greater than for the task."
    if sum(_reserved(container) for container in containers) > task:
        yield (
            "The sum of the memory that all containers reserve cannot be greater than the value of the task 'memory'."
        )


def _reserved(container: Json) -> int:
    reserved: int = container.get("memoryReservation") or container.get("memory") or 0
    return reserved
