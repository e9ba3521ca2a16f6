"""Strip, then put: take our parts out and put the originals back; put our parts in.

`put` always works on what `strip` gave, so nothing ratchets: injecting twice is injecting once, and
`strip(put(app)) == app`, canonical form for canonical form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from controller.taskdef import canonical, mark
from controller.taskdef.body import Body
from controller.taskdef.mark import Mark, Originals

INIT_ENV = "aws_fluent_bit_init_"
AGENTS_CONFIG = "config-file-value"
FIRELENS, BUFFER_LIMIT = "awsfirelens", "log-driver-buffer-limit"


class ForeignRouter(Exception):
    """The task has a FireLens container that this installation did not put there."""

    def __init__(self, container: str, whose: str) -> None:
        super().__init__(container, whose)
        self.container, self.whose = container, whose

    def __str__(self) -> str:
        return f"container {self.container!r} is a FireLens router {self.whose}"


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


@dataclass(frozen=True, slots=True)
class Stripped:
    app: Body
    """The application's own definition, in register form."""
    router: Body | None
    mark: Mark | None
    originals: Originals | None
    """What was put back; None where a router was taken out whose originals nobody knows."""


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
    name = router["name"]
    others = [one for one in body["containerDefinitions"] if one.get("name") != name]
    app = {**body, "containerDefinitions": [_restored(one, name, originals) for one in others]}
    _drop_volumes(app, originals)
    _drop_tags(app)
    return Stripped(app, router, found, originals)


def find_router(body: Body, ownership: Ownership) -> Body | None:
    for container in body["containerDefinitions"]:
        if container.get("firelensConfiguration") is None:
            continue
        if not _is_ours(container, ownership):
            raise ForeignRouter(container.get("name", "?"), _whose(container))
        return dict(container)
    return None


def put(app: Body, overlay: Overlay) -> Body:
    """`app` with the overlay in it, marked with what was there before."""
    name = overlay.router["name"]
    originals = Originals(
        {
            one["name"]: _original(one)
            for one in app["containerDefinitions"]
            if one.get("name") in overlay.log_configurations
        },
        tuple(volume["name"] for volume in overlay.volumes),
    )
    own_labels = overlay.router.get("dockerLabels") or {}
    marks = mark.labels(Mark(overlay.owner, overlay.digest, originals))
    router = {**overlay.router, "dockerLabels": {**own_labels, **marks}}
    routed = [_routed(one, name, overlay) for one in app["containerDefinitions"]]
    body = {**app, "containerDefinitions": [*routed, router]}
    if overlay.volumes:
        body["volumes"] = [*(app.get("volumes") or ()), *overlay.volumes]
    body["tags"] = [*(app.get("tags") or ()), *_tags(overlay)]
    return body


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

    Renaming a route or an installation redeploys nothing.
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


def _whose(container: Body) -> str:
    found = mark.read(container)
    return f"of the LogRoute installation {found.owner!r}" if found else "that LogRoute did not put there"


def _routed(container: Body, router: str, overlay: Overlay) -> Body:
    config = overlay.log_configurations.get(container.get("name", ""))
    if config is None:
        return container
    waits = {"containerName": router, "condition": overlay.wait_for}
    return {
        **container,
        "logConfiguration": config,
        "dependsOn": [*(container.get("dependsOn") or ()), waits],
    }


def _original(container: Body) -> Any:
    """A container that was copied from a routed one has our driver, and nothing of its own to go back to."""
    found = canonical.container(container, "").get("logConfiguration", mark.ABSENT)
    return mark.ABSENT if found != mark.ABSENT and found.get("logDriver") == FIRELENS else found


def _restored(container: Body, router: str, originals: Originals | None) -> Body:
    kept = dict(container)
    if any(one.get("containerName") == router for one in kept.get("dependsOn") or ()):
        rest = [one for one in kept["dependsOn"] if one.get("containerName") != router]
        kept = {**kept, "dependsOn": rest} if rest else {k: v for k, v in kept.items() if k != "dependsOn"}
    ours = set((kept.get("logConfiguration") or {}).get("options") or ()) <= {BUFFER_LIMIT}
    before: Any = originals.log_configurations.get(kept.get("name", "")) if originals else None
    driver = (kept.get("logConfiguration") or {}).get("logDriver")
    if driver != FIRELENS or (before is None and not ours):
        return kept
    if before is None or before == mark.ABSENT:
        del kept["logConfiguration"]
        return kept
    return {**kept, "logConfiguration": before}


def _drop_volumes(app: Body, originals: Originals | None) -> None:
    ours = set(originals.volumes) if originals else set()
    if ours and app.get("volumes"):
        app["volumes"] = [volume for volume in app["volumes"] if volume.get("name") not in ours]


def _drop_tags(app: Body) -> None:
    if "tags" in app:
        app["tags"] = [tag for tag in app["tags"] if not str(tag.get("key", "")).startswith(mark.PREFIX)]
        if not app["tags"]:
            del app["tags"]  # ECS refuses an empty list: "Tags can not be empty"


def _tags(overlay: Overlay) -> list[dict[str, str]]:
    said = {
        mark.OWNER: overlay.owner,
        mark.DIGEST: overlay.digest,
        mark.ROUTES: " ".join(overlay.routes)[:256],
    }
    return [{"key": key, "value": value} for key, value in said.items()]
