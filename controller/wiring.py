"""From a wired App to what hears and tells: history, chronicle, and the listeners of queues."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from controller.api.events import Event
from controller.api.keys import Place, ServiceKey
from controller.app import App
from controller.aws.ports import ObjectStore
from controller.chronicle import Chronicle
from controller.planning.guards import line
from controller.planning.model import ServicePlan
from controller.queues import queue_of
from controller.reconciling.listening import Asks, Listener
from controller.reconciling.notes import Kind as NoteKind
from controller.reconciling.telling import Telling
from controller.reconciling.world import STATE
from controller.sourcing import source_objects
from controller.state.history import History


def history(app: App) -> History:
    """What is kept for people of what happened to each service."""

    def store_of(place: Place) -> tuple[ObjectStore, str]:
        found = app.world.sites[place]
        return found.shelf.objects, found.install.store.key(STATE) + "/"

    def place_of(about: str) -> Place | None:
        try:
            return app.world.shard_of(ServiceKey.parse(about))
        except (ValueError, StopIteration):
            places = (place for place in app.world.sites if f"{about}/".startswith(f"{place}/"))
            return max(places, key=lambda one: len(str(one)), default=None)

    return History(store_of, app.world.home_place, place_of, app.world.without_secrets)


def chronicle(app: App, tell: Callable[[Event], None], now: Callable[[], float], by: str = "") -> Chronicle:
    world, notes = app.world, app.world.notes

    def approver(plan: ServicePlan) -> str:
        found = (note for note in notes.all(NoteKind.APPROVED).values() if line(plan) in note.lines)
        return next((note.who for note in found), "")

    speaks = partial(app.shards.holds, world.home_place)
    return Chronicle(tell, now, world.home_place, by=by, speaks=speaks, approver=approver)


def listener(app: App, place: Place, asks: Asks, telling: Telling, count: Callable[[str], None]) -> Listener | None:
    """Of the queue of a place; None where it has none of its own, and is polled. Raises AwsError."""
    if app.settings.events.queue is None or app.settings.read_only:
        return None
    account = app.accounts[place]
    home_first = sorted(app.accounts, key=lambda one: (one != app.world.home_place, one))
    url = queue_of(app.settings.events.queue, place, home_first, lambda: account.account_id)
    if url is None:
        return None
    return Listener(
        place,
        account.queue(url),
        app.world,
        app.shards,
        asks,
        telling,
        count,
        lambda: app.keeper.specs,
        time.monotonic,
        source_objects(app.settings),
        lambda: account.account_id,
    )
