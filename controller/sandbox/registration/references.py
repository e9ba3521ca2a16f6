"""Names within a definition that must lead somewhere: volumes, volumesFrom, links, the proxy's container."""

from __future__ import annotations

from collections.abc import Iterator

from controller.sandbox.model import Json


def problems(body: Json) -> Iterator[str]:
    volumes = [volume.get("name", "") for volume in body.get("volumes", [])]
    containers = {container.get("name") for container in body["containerDefinitions"]}
    yield from _volume_names(volumes)
    for container in body["containerDefinitions"]:
        yield from _mounts(container, set(volumes))
        for source in container.get("volumesFrom", []):
            if source.get("sourceContainer") not in containers - {container.get("name")}:
                yield f"Invalid 'volumesFrom' setting. Unknown container: '{source.get('sourceContainer')}'."
        yield from _links(container, containers, body.get("networkMode", "bridge"))
    proxy = body.get("proxyConfiguration", {}).get("containerName")
    if proxy is not None and proxy not in containers:
        yield f"Invalid 'proxyConfiguration' setting. Unknown container: '{proxy}'."


def _volume_names(volumes: list[str]) -> Iterator[str]:
    for name in sorted({name for name in volumes if volumes.count(name) > 1}):
        yield f"Volume names must be unique within a task definition: '{name}' is used more than once."
    if "" in volumes:
        yield "Volume.name should not be null or empty."


def _mounts(container: Json, volumes: set[str]) -> Iterator[str]:
    paths: list[str] = []
    for mount in container.get("mountPoints", []):
        if mount.get("sourceVolume") not in volumes:
            yield f"Unknown volume '{mount.get('sourceVolume')}'."
        if not mount.get("containerPath"):
            yield f"A mount point of container '{container.get('name')}' has no containerPath."
        paths.append(mount.get("containerPath", ""))
    if len(paths) != len(set(paths)):
        yield f"Container '{container.get('name')}' mounts two volumes at the same path."


def _links(container: Json, containers: set[str | None], network_mode: str) -> Iterator[str]:
    links: list[str] = container.get("links", [])
    if links and network_mode != "bridge":
        yield f"Links are not supported when networkMode={network_mode}."
    for link in links:
        if link.split(":", 1)[0] not in containers:
            yield f"Invalid 'links' setting. Unknown container: '{link.split(':', 1)[0]}'."
