"""The guards' word on what the passes found: what was counted, what is approved, what waits.

An approval is used up line by line: what was done, or is not asked for any more, is no longer approved, so that a
later mishap that looks the same waits again. What cannot be seen just now stays approved until the approval ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from controller.api.conditions import Reason
from controller.api.keys import Place, ServiceKey
from controller.planning.guards import Counted, Guard, Permit, count, line, permit
from controller.planning.model import ServicePlan
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import Kind, Note, NoteError, Notes
from controller.reconciling.survey import Survey
from controller.reconciling.world import World

VALID_SECONDS = 24 * 3600
"""An approval is for what is blocked now: it must not open the door to the same restores next month."""
OURSELVES = "the controller"
WAITS, OVER = "waits for approval", "over"


def guarded(
    world: World,
    specs: Specs,
    seen: Survey,
    *,
    record: bool,
    counted: dict[Place, Counted] | None = None,
    ours: Callable[[Place], bool] = lambda _place: True,
) -> Permit:
    """With `record` it is written down what waits, so that it can be approved, and what of an approval is left.
    `counted` holds what the last pass over each place counted, and takes what this one does. Of places that are not
    `ours`, their replicas tell.

    A pass over the only place in which nothing is blocked and nothing was approved makes no call here. Raises AwsError.
    """
    notes, by_place = world.notes, {} if counted is None else counted
    approved = _approved(notes)
    guard = replace(world.guard, everything=world.guard.everything and _is_first_run(world))
    lines = frozenset(one for note in approved.values() for one in note.lines)
    for place in seen.seen:
        found_here = count((plan for plan in seen.plans.values() if world.shard_of(plan.key) == place), guard)
        before = by_place.get(place) or world.counted.get(str(place))
        by_place[place] = replace(_with_unseen(found_here, before, seen), revision=specs.revision)
    _exchange(world, seen, by_place, ours, record=record)
    everywhere = all(place in by_place and by_place[place].revision == specs.revision for place in world.sites)
    found = permit(by_place.values(), guard, lines, empty_source=specs.empty, everywhere=everywhere)
    if record:
        notes.keep(Kind.BLOCKED, _blocked(notes, found))
        notes.keep(Kind.APPROVED, _left(notes, approved, seen))
        if world.guard.everything:
            notes.keep(Kind.FIRST_RUN, _first_run(world, guard, found))
    return found


def count_in(
    world: World, specs: Specs, place: Place, plan: ServicePlan, before: Permit, counted: dict[Place, Counted]
) -> Permit:
    """One more, that came to light between two passes. What they counted still counts, whether it is done by now or
    not; where that is too much, the next pass tells. Raises AwsError.
    """
    here = counted.get(place)
    if here is None or here.revision != specs.revision or before.guard.everything:
        return before
    lines = frozenset(one for one in here.lines if not one.startswith(f"{plan.key} ")) | {line(plan)}
    more = {**counted, place: replace(here, lines=lines)}
    approved = frozenset(one for note in _approved(world.notes).values() for one in note.lines)
    everywhere = all(one in more and more[one].revision == specs.revision for one in world.sites)
    found = permit(more.values(), before.guard, approved, empty_source=specs.empty, everywhere=everywhere)
    if found.digest or line(plan) not in found.licensed:
        return before
    counted[place] = more[place]
    if len(world.sites) > 1:
        world.counted.update({str(place): counted[place]})
    return found


def _exchange(
    world: World, seen: Survey, counted: dict[Place, Counted], ours: Callable[[Place], bool], *, record: bool
) -> None:
    """Told before the others are heard: of two that count at the same moment, one at least hears of the other. Of
    places that are ours and not looked at yet, it counts what was found by who looked last.
    """
    if record and len(world.sites) > 1:
        world.counted.update({str(place): counted[place] for place in seen.seen})
    others = [place for place in world.sites if place not in seen.seen and not ours(place)]
    if others:
        world.counted.load()
    not_yet = [place for place in world.sites if place not in counted]
    counted |= {place: found for place in (*others, *not_yet) if (found := world.counted.get(str(place)))}


def _with_unseen(found: Counted, before: Counted | None, seen: Survey) -> Counted:
    """What was counted and cannot be seen just now still counts: a place that is away must not open the guard."""
    unseen = frozenset(one for one in before.lines if not _was_seen(seen, one)) if before else frozenset[str]()
    if before is None or not unseen:
        return found
    return Counted(found.lines | unseen, max(found.managed, before.managed))


def approve(notes: Notes, digest: str, who: str) -> Note:
    """Approve the blocked plan whose digest starts so. Raises NoteError, AwsError."""
    found = {key: note for key, note in notes.all(Kind.BLOCKED).items() if key.startswith(digest)}
    if len(found) != 1:
        what = "no blocked plan has" if not found else f"{len(found)} blocked plans have"
        broken = "".join(f"; {why}" for why in notes.ledger.unreadable().values())
        raise NoteError(
            f"{what} a digest that starts with {digest}; `logroute status` shows what is blocked now{broken}"
        )
    ((whole, blocked),) = found.items()
    approved = replace(blocked, who=who, at=notes.now())
    notes.write(Kind.APPROVED, whole, approved)
    return approved


def _approved(notes: Notes) -> dict[str, Note]:
    """All that still counts."""
    now = notes.now()
    return {key: one for key, one in notes.all(Kind.APPROVED).items() if abs(now - one.at) < VALID_SECONDS}


def _blocked(notes: Notes, found: Permit) -> Mapping[str, Note | None]:
    """The one plan that is blocked now; what was blocked before can no longer be approved."""
    before = notes.all(Kind.BLOCKED)
    changes: dict[str, Note | None] = {digest: None for digest in before if digest != found.digest}
    if found.digest and found.digest not in before:
        changes[found.digest] = Note(OURSELVES, notes.now(), found.why, tuple(sorted(found.blocked)))
    return changes


def _left(notes: Notes, approved: Mapping[str, Note], seen: Survey) -> Mapping[str, Note | None]:
    open_lines = {line(plan) for plan in seen.plans.values() if plan.changes}
    changes: dict[str, Note | None] = dict.fromkeys(notes.all(Kind.APPROVED).keys() - approved.keys())
    for digest, note in approved.items():
        left = tuple(one for one in note.lines if one in open_lines or not _was_seen(seen, one))
        changes[digest] = replace(note, lines=left) if left else None
    return changes


def _was_seen(seen: Survey, approved: str) -> bool:
    key = ServiceKey.parse(approved.rsplit(" ", 2)[0])
    read, plan = seen.inventory_of(key), seen.plans.get(key)
    if read is None or read.errors.keys() & {"", key.cluster}:
        return False
    return plan is None or plan.hold is None or plan.hold.reason is not Reason.AWS_ERROR


def _is_first_run(world: World) -> bool:
    """What began as a first run stays one until it is over; so does one of which it cannot be read."""
    note = world.notes.get(Kind.FIRST_RUN, "")
    if note is not None:
        return note.why != OVER
    return bool(world.notes.unknown(Kind.FIRST_RUN, "")) or world.remembers_nothing()


def _first_run(world: World, guard: Guard, found: Permit) -> Mapping[str, Note | None]:
    """It is over once something was applied and nothing waits: approving a part of it opens no other door."""
    over = not guard.everything or (not found.digest and not world.remembers_nothing())
    why, before = OVER if over else WAITS, world.notes.get(Kind.FIRST_RUN, "")
    return {} if before and before.why == why else {"": Note(OURSELVES, world.notes.now(), why)}
