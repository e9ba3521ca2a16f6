"""The originals back in their places: what `strip` leaves of a definition that our router was in."""

from __future__ import annotations

from typing import Any

from controller.taskdef import foreign, mark
from controller.taskdef.body import Body
from controller.taskdef.mark import Originals

FIRELENS, BUFFER_LIMIT = "awsfirelens", "log-driver-buffer-limit"


def give_back(body: Body, router: str, originals: Originals) -> Body:
    """`body` without the container `router`, nor volumes and tags of ours, and with what was there before."""
    app = {**body, "containerDefinitions": _containers(body, router, originals)}
    if all(str(body.get(name)) == ours for name, (_, ours) in originals.size.items()):
        app |= {name: was for name, (was, _) in originals.size.items()}
    _drop_volumes(app, originals)
    _drop_tags(app)
    return app


def _containers(body: Body, router: str, originals: Originals) -> list[Body]:
    """Those of the application; a router that ours took the place of is back in it, if its name is still free."""
    theirs = originals.router
    free = theirs is not None and all(
        one.get("name") in (router, None) or one["name"] != theirs.name for one in body["containerDefinitions"]
    )
    restored = []
    for one in body["containerDefinitions"]:
        if one.get("name") != router:
            restored.append(_restored(one, router, originals))
        elif theirs is not None and free:
            restored.append(theirs.container)
    return restored


def _restored(container: Body, router: str, originals: Originals) -> Body:
    theirs, name = originals.router, container.get("name", "")
    kept = dict(foreign.pointed(container, router, theirs.name) if theirs else container)
    waits = any(one.get("containerName") == router for one in container.get("dependsOn") or ())
    if waits or (theirs and name in originals.log_configurations):
        kept["dependsOn"] = foreign.exchanged(container, router, theirs.waits_of(container) if theirs else [])
        if not kept["dependsOn"] and f"/{name}/dependsOn" not in originals.empty:
            del kept["dependsOn"]
    return _with_driver(kept, originals.log_configurations.get(name))


def _with_driver(container: Body, before: Any) -> Body:
    """`before` None: it is not known that the container was routed."""
    config = container.get("logConfiguration") or {}
    ours = set(config.get("options") or ()) <= {BUFFER_LIMIT}
    if config.get("logDriver") != FIRELENS or (before is None and not ours):
        return container
    if before is None or before == mark.ABSENT:
        return {key: value for key, value in container.items() if key != "logConfiguration"}
    return {**container, "logConfiguration": before}


def _drop_volumes(app: Body, originals: Originals) -> None:
    """Ours go; what the other router had to itself comes back, whoever took it out."""
    ours = set(originals.volumes)
    theirs = {volume["name"]: volume for volume in originals.router.volumes} if originals.router else {}
    if not ours and not theirs:
        return
    kept = []
    for volume in app.get("volumes") or ():
        name = volume.get("name")
        if name in theirs:
            was = theirs.pop(name)
            kept.append(was if name in ours else volume)
        elif name not in ours:
            kept.append(volume)
    app["volumes"] = [*kept, *theirs.values()]
    if not app["volumes"] and "/volumes" not in originals.empty:
        del app["volumes"]


def _drop_tags(app: Body) -> None:
    if "tags" in app:
        app["tags"] = [tag for tag in app["tags"] if not str(tag.get("key", "")).startswith(mark.PREFIX)]
        if not app["tags"]:
            del app["tags"]  # ECS refuses an empty list: "Tags can not be empty"
