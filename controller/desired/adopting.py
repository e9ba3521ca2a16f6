"""A router that somebody else put there: whether ours may take its place, and whether all of it can be kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import orjson

from controller.api.conditions import Reason
from controller.desired.model import Note
from controller.desired.subject import Refusal, Subject
from controller.specs.model import Route
from controller.taskdef import canonical, foreign
from controller.taskdef.body import Body
from controller.taskdef.original import FIRELENS
from controller.taskdef.overlay import Overlay, put, put_away

LARGEST_BYTES = 65536
"""Of a task definition (Amazon ECS service quotas). How AWS counts is not said: here, compact JSON without tags."""

ESCAPED = 7
ROUTED_BYTES = 1_000
"""More than what a routed container, or the mark, has beside its log configuration and its originals."""


def without_router(subject: Subject) -> Subject:
    """What a router of ours has to get along with."""
    return replace(subject, app=foreign.without(subject.app)) if foreign.routers(subject.app) else subject


def check_may_adopt(subject: Subject, first: Route) -> None:
    """Of a service that was adopted before, the class has been asked. Raises Refusal."""
    there = foreign.find(subject.app)
    if there is not None and not (subject.adopted or first.router.adopt):
        raise Refusal(
            Reason.FOREIGN_ROUTER,
            f"container {there.name!r} is a FireLens router that LogRoute did not put there; set adopt: true in the "
            f"LogRouterClass {first.document.spec.router_class} to have ours in its place, or take it out",
        )


def check_keeps_all(subject: Subject, overlay: Overlay) -> None:
    """Raises Refusal where a container's logs would be lost, or where the definition grows too large."""
    if foreign.routers(subject.app):
        _check_routed(subject.app, overlay.log_configurations)
    if no_larger_than(subject.app, overlay) <= LARGEST_BYTES:
        return
    after = put(subject.app, overlay)
    size = len(canonical.text({key: value for key, value in after.items() if key != "tags"}))
    if size > LARGEST_BYTES:
        kept = put_away(after)
        originals = len(canonical.text(kept.as_plain())) if kept else 0
        raise Refusal(
            Reason.UNSUPPORTED,
            f"with the router the task definition has {size:,} bytes, of which {originals:,} are what restore gives "
            f"back; ECS takes {LARGEST_BYTES:,}: make the application's part or the router's smaller",
        )


def no_larger_than(app: Body, overlay: Overlay) -> int:
    """Bytes that `put` gives at most: what is kept of the application is written once more, with what is not ASCII
    escaped. Cheap, so that only what may be too large is made and weighed.
    """
    routed = list(overlay.log_configurations.values())
    parts = len(orjson.dumps([app, overlay.router, overlay.volumes, routed]))
    return ESCAPED * parts + ROUTED_BYTES * (len(routed) + 1)


def _check_routed(app: Body, routed: Collection[str]) -> None:
    """Their records would come to our router, where no output matches them."""
    lost = [
        one.get("name", "")
        for one in app["containerDefinitions"]
        if (one.get("logConfiguration") or {}).get("logDriver") == FIRELENS and one.get("name") not in routed
    ]
    if lost:
        raise Refusal(
            Reason.FOREIGN_ROUTER,
            f"container {lost[0]!r} logs through the router that is to be taken over, and no route selects it: its "
            "logs would be lost; add it to target.containers, or give it another log driver",
        )


def notes(subject: Subject, first: Route) -> list[Note]:
    """What the place of another router means."""
    there = foreign.find(subject.app)
    if there is None:
        return []
    ports = [str(one.get("containerPort")) for one in there.container.get("portMappings") or ()]
    gone = f"; its ports {', '.join(ports)} are mapped no more" if ports else ""
    message = f"it takes the place of the router {there.name!r}, which restore gives back{gone}"
    return [Note(first.key, Reason.IN_SYNC, message)]
