"""`dependsOn` (Amazon ECS API reference, ContainerDependency)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from controller.sandbox.model import Json


def problems(body: Json) -> Iterator[str]:
    containers = {container.get("name", ""): container for container in body["containerDefinitions"]}
    for name, container in containers.items():
        for dependency in container.get("dependsOn", []):
            yield from _one(name, dependency, containers)
    if _has_cycle(containers):
        yield "Container dependencies should not have a cycle."


def _one(name: str, dependency: Json, containers: Mapping[str, Json]) -> Iterator[str]:
    target, condition = dependency["containerName"], dependency["condition"]
    if target not in containers:
        yield f"Container '{name}' depends on container '{target}', which is not in the task definition."
        return
    if condition == "HEALTHY" and "healthCheck" not in containers[target]:
        yield (
            f"Container '{name}' depends on container '{target}' with condition HEALTHY, "
            f"but container '{target}' has no health check."
        )
    if condition in {"COMPLETE", "SUCCESS"} and containers[target].get("essential", True):
        yield "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"


def _has_cycle(containers: Mapping[str, Json]) -> bool:
    graph = {
        name: {dependency["containerName"] for dependency in container.get("dependsOn", [])}
        for name, container in containers.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False
