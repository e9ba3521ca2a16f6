"""Strip, then put: take our parts out and put the originals back; put our parts in.

`put` always works on what `strip` gave, so nothing ratchets: injecting twice is injecting once, and
`strip(put(app)) == app`, canonical form for canonical form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from controller.taskdef import canonical, foreign, mark
from controller.taskdef.body import Body
from controller.taskdef.foreign import Foreign
from controller.taskdef.mark import Mark, Originals
from controller.taskdef.original import FIRELENS, give_back

INIT_ENV = "aws_fluent_bit_init_"
AGENTS_CONFIG = "config-file-value"


class ForeignRouter(Exception):
    """A FireLens container that must not be touched: of another installation, or one of two. The text says which."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What makes a router ours: the owner in its mark, or a config of our store in its environment.

    `owner` None takes any LogRoute mark; `store_arn` is the ARN prefix of the config store.
    """

    owner: str | None = None
    store_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """The owned part of a task definition: what `put` puts in."""

    router: Body
    """The router container, unmarked."""
    log_configurations: dict[str, Body]
    """Routed container → its logConfiguration."""
    wait_for: Literal["START", "HEALTHY"]
    volumes: tuple[Body, ...]
    owner: str
    digest: str
    routes: tuple[str, ...]
    size: Mapping[str, str] = field(default_factory=dict)
    """`cpu` and `memory` of the task where the router does not fit into its own; no part of the digest."""


@dataclass(frozen=True, slots=True)
class Stripped:
    app: Body
    """The application's own definition, in register form."""
    router: Body | None
    mark: Mark | None
    originals: Originals | None
    """What was put back; None where a router was taken out whose originals nobody knows."""

    @property
    def adopted(self) -> bool:
        """Ours stood in the place of another router."""
        return self.originals is not None and self.originals.router is not None


def strip(body: Body, ownership: Ownership, remembered: Originals | None = None) -> Stripped:
    """Our parts out, the originals back. Raises ForeignRouter.

    Where the labels are lost, `remembered` (from state) serves. A container whose driver somebody changed
    since is left as it is now: the application's newer word counts.
    """
    router = find_router(body, ownership)
    if router is None:
        return Stripped(body, None, None, Originals())
    found = mark.read(router)
    originals = (found.originals if found else None) or remembered
    return Stripped(give_back(body, router["name"], originals or Originals()), router, found, originals)


def find_router(body: Body, ownership: Ownership) -> Body | None:
    """Ours. A router that nobody's mark is on is the application's own part. Raises ForeignRouter."""
    found = foreign.routers(body)
    if len(found) > 1:
        names = " and ".join(repr(one.get("name", "?")) for one in found)
        raise ForeignRouter(f"containers {names} are both FireLens routers, and ECS takes one in a task; take one out")
    for container in found:
        if _is_ours(container, ownership):
            return dict(container)
        if whose := mark.read(container):
            raise ForeignRouter(
                f"container {container.get('name', '?')!r} is a FireLens router of the LogRoute installation "
                f"{whose.owner!r}, which is never taken over; take the service out of that one's routes first"
            )
    return None


def put(app: Body, overlay: Overlay) -> Body:
    """`app` with the overlay in it, marked with what was there before. A router in it gives ours its place."""
    theirs = foreign.find(app)
    originals = Originals(
        {
            one["name"]: _original(one, theirs)
            for one in app["containerDefinitions"]
            if one.get("name") in overlay.log_configurations
        },
        tuple(volume["name"] for volume in overlay.volumes),
        theirs,
        tuple(_empty(app, overlay)),
        {name: (str(app[name]), ours) for name, ours in overlay.size.items()},
    )
    own_labels = overlay.router.get("dockerLabels") or {}
    marks = mark.labels(Mark(overlay.owner, overlay.digest, originals))
    router = {**overlay.router, "dockerLabels": {**own_labels, **marks}}
    others = foreign.routers(app)
    body = {
        **app,
        "containerDefinitions": [
            router if one in others else _routed(one, overlay, theirs) for one in app["containerDefinitions"]
        ],
    }
    body |= overlay.size
    if not others:
        body["containerDefinitions"].append(router)
    if overlay.volumes:
        body["volumes"] = _with_volumes(app, overlay, theirs)
    body["tags"] = [*(app.get("tags") or ()), *_tags(overlay)]
    return body


def put_away(body: Body) -> Originals | None:
    """What the mark in `body` says was there before."""
    return next((found.originals for one in body["containerDefinitions"] if (found := mark.read(one))), None)


def interchangeable(one: Body, other: Body) -> bool:
    """Whether either may be rolled out for the other: equal as drift is judged, the same originals put away, and
    the same tags of other people.
    """
    return comparable(one) == comparable(other) and _kept(one) == _kept(other)


def _kept(body: Body) -> tuple[object, ...]:
    marks = [found for one in body["containerDefinitions"] if (found := mark.read(one))]
    tags = sorted((str(tag.get("key")), str(tag.get("value"))) for tag in body.get("tags") or ())
    return [found.originals for found in marks], [tag for tag in tags if not tag[0].startswith(mark.PREFIX)]


def comparable(body: Body) -> Body:
    """The canonical form that drift is judged by: without tags, and of the mark only the digest.

    What the mark says of routes and originals redeploys nothing.
    """
    slim = canonical.canonical({key: value for key, value in body.items() if key != "tags"})
    slim["containerDefinitions"] = [_digest_only(one) for one in slim["containerDefinitions"]]
    return slim


def _digest_only(container: Body) -> Body:
    found = container.get("dockerLabels") or {}
    if not any(key.startswith(mark.PREFIX) for key in found):
        return container
    bare = mark.unmarked(container)
    return {**bare, "dockerLabels": {**bare.get("dockerLabels", {}), mark.DIGEST: found.get(mark.DIGEST, "")}}


def _is_ours(container: Body, ownership: Ownership) -> bool:
    found = mark.read(container)
    if found is not None:
        return ownership.owner in (None, found.owner)
    return bool(ownership.store_arn and configs_named(container, ownership.store_arn))


def configs_named(router: Body, store_arn: str) -> tuple[str, ...]:
    """The config objects that a router is started with, by path below the store; whoever brings them."""
    options = (router.get("firelensConfiguration") or {}).get("options") or {}
    pairs = router.get("environment") or ()
    named = [str(pair.get("value", "")) for pair in pairs if INIT_ENV in str(pair.get("name", "")).lower()]
    arns = [*named, str(options.get(AGENTS_CONFIG, ""))]
    return tuple(arn.removeprefix(store_arn) for arn in arns if arn.startswith(store_arn))


def _routed(container: Body, overlay: Overlay, theirs: Foreign | None) -> Body:
    name = container.get("name", "")
    ours = overlay.router["name"]
    kept = foreign.pointed(container, theirs.name, ours) if theirs else container
    config = overlay.log_configurations.get(name)
    if config is not None:
        kept = {**kept, "logConfiguration": config}
    waits = theirs.conditions.get(name, ()) if theirs else ()
    if config is None and not waits:
        return kept
    healthy = overlay.wait_for == "HEALTHY" and config is not None
    healthy = healthy or ("HEALTHY" in waits and "healthCheck" in overlay.router)  # ECS takes it of no other
    wait = {"containerName": ours, "condition": "HEALTHY" if healthy else "START"}
    return {**kept, "dependsOn": foreign.exchanged(container, theirs.name if theirs else "", [wait])}


def _with_volumes(app: Body, overlay: Overlay, theirs: Foreign | None) -> list[Body]:
    """Ours in the place of what was the other router's alone, else at the end."""
    ours = {volume["name"]: volume for volume in overlay.volumes}
    free = {volume["name"] for volume in theirs.volumes} if theirs else set()
    there = [
        ours.pop(volume["name"]) if volume.get("name") in free & ours.keys() else volume
        for volume in app.get("volumes") or ()
    ]
    return [*there, *ours.values()]


def _empty(app: Body, overlay: Overlay) -> Iterator[str]:
    for one in app["containerDefinitions"]:
        if one.get("name") in overlay.log_configurations and one.get("dependsOn") == []:
            yield f"/{one['name']}/dependsOn"
    if overlay.volumes and app.get("volumes") == []:
        yield "/volumes"


def _original(container: Body, theirs: Foreign | None) -> Any:
    """A container that was copied from a routed one has our driver, and nothing of its own to go back to. Beside
    another router the same driver is its own.
    """
    spelled = {"logConfiguration": container.get("logConfiguration")}
    found = canonical.container(spelled, "").get("logConfiguration", mark.ABSENT)
    if theirs is None and found != mark.ABSENT and found.get("logDriver") == FIRELENS:
        return mark.ABSENT
    return found


def _tags(overlay: Overlay) -> list[dict[str, str]]:
    said = {
        mark.OWNER: overlay.owner,
        mark.DIGEST: overlay.digest,
        mark.ROUTES: " ".join(overlay.routes)[:256],
    }
    return [{"key": key, "value": value} for key, value in said.items()]
