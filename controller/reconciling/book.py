"""Who starts tasks of a family beside whom the specs mean, as the last pass saw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.api.starters import Starter
from controller.aws.ports import Account, AwsError
from controller.observed.model import ObservedService
from controller.specs.model import Route

MOST_NAMES = 5
FRESH_SECONDS = 3600.0
"""How old what is known of rules and schedules may be: each costs a call of its own."""


@dataclass(slots=True)
class FamilyBook:
    """Filled by each pass, read by the workers until the next one. Empty where no route targets families."""

    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Family → ACTIVE services that run it."""
    starters: tuple[Starter, ...] = ()
    error: str = ""
    """Why rules or schedules could not be read."""
    families: frozenset[tuple[str, ...]] = frozenset()
    """The targets that they were read for; others are reason enough to read them again."""
    read_at: float | None = None

    def moved(self, ids: Iterable[str]) -> None:
        """These are elsewhere now: they are read again in the next pass, and were not moved twice until then."""
        gone = set(ids)
        self.starters = tuple(one for one in self.starters if one.id not in gone)
        self.read_at = None


def refresh(book: FamilyBook, account: Account, families: Iterable[tuple[str, ...]]) -> None:
    """Read what starts jobs, where a route targets families and it was not read within the hour. What cannot be read
    is told, and what was known of it before is dropped.
    """
    wanted = frozenset(families)
    if not wanted:
        book.starters, book.error, book.read_at = (), "", None
        return
    now = account.ecs.now()
    if book.read_at is not None and book.families == wanted and 0 <= now - book.read_at < FRESH_SECONDS:
        return
    found: list[Starter] = []
    errors: list[str] = []
    for read in (account.schedules.rules, account.schedules.schedules):
        try:
            found += read()
        except AwsError as error:
            errors.append(str(error))
    book.starters, book.error = tuple(found), "; ".join(errors)
    book.families, book.read_at = wanted, now


def shared(book: FamilyBook, service: ObservedService, routes: Iterable[Route]) -> str:
    """Why a new revision is refused; "" where it harms nobody, or every route allows it."""
    refusing = sorted(one.key for one in routes if one.document.spec.target.shared_families == "refuse")
    if not refusing:
        return ""
    if service.key.is_family:
        users = book.users.get(service.family, ())
        how = f"give {refusing[0]} the services as its target"
    else:
        family = service.task_definition.rsplit(":", 1)[0]
        users = tuple(str(one) for one in book.starters if not one.pinned and one.family == family)
        how = "let them name a revision"
    if not users:
        return ""
    return f"family {service.family} is run by {named(users)} too: {how}, or set target.sharedFamilies: allow"


def named(some: Iterable[str]) -> str:
    names = sorted(set(some))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
