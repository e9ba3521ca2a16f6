"""One place, looked through for what names configs: all its ACTIVE revisions, and what it runs or ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from controller.aws.ports import AwsError
from controller.observed.usage import InUse, in_use
from controller.planning.known import Known, digests_in, is_ours, parsed
from controller.reconciling.world import STATE, Site
from controller.state.ledger import Ledger

GARBAGE = "garbage"
MOST_LEARNED = 5000
"""Bodies that one sweep reads in a place: eight minutes of what AWS allows, before the share. The next goes on."""
KEEP_EVERY = 500
GONE = "Unable to describe task definition"
"""What ECS answers of a revision that was deleted for good."""


@dataclass(slots=True)
class PlaceSweep:
    """What is learned of bodies is kept across restarts; `named` and `used` are of this sweep."""

    site: Site
    go_on: Callable[[], None]
    """Called between calls; raises to end the sweep."""
    known: Ledger[Known] = field(init=False)
    named: set[str] = field(default_factory=set)
    """Digests of configs."""
    ours: dict[str, list[int]] = field(default_factory=dict)
    """Family → its ACTIVE revisions that we registered."""
    used: dict[str, set[int]] = field(default_factory=dict)
    """Family → revisions that something runs, ran, or may start."""
    unread: int = 0
    learned: int = 0
    _fresh: dict[str, Known] = field(default_factory=dict)
    _wanted: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._wanted, self.site.shelf.wanted = self.site.shelf.wanted, set()
        store, place = self.site.install.store, self.site.place
        objects = self.site.account.bucket(store.bucket)
        prefix = store.key(STATE, GARBAGE, "known", place.account, place.region)
        self.known = Ledger(objects, prefix, Known.from_plain)

    def read_active(self) -> Iterator[str]:
        """What ACTIVE revisions and memories name. Yields why that is not all of it."""
        self.known.ensure_loaded()
        self.site.memories.ensure_loaded()
        yield from (f"{why}; delete it" for why in self.known.unreadable().values())
        yield from self.site.memories.unreadable().values()
        self.ours = {}
        self._remembered()
        try:
            for arn in self.site.account.usage.active_revisions():
                self.go_on()
                family, number = parsed(arn)
                known = self._body(arn, family, number)
                if known and number in known.ours:
                    self.ours.setdefault(family, []).append(number)
        finally:
            self._keep()
        if self.unread:
            yield f"{self.unread} task definitions of {self.site.place} are not read yet; the next sweep goes on"

    def read_use(self) -> None:
        """What runs, and what ran within 90 days. Raises AwsError."""
        found: InUse = in_use(self.site.account, self.go_on)
        try:
            for arn in sorted(found.now):
                self._use(arn)
            for arn in sorted(found.before - found.now):
                with suppress(_Deleted):
                    self._use(arn)
        finally:
            self._keep()

    def read_starters(self) -> None:
        """What rules and schedules start. Raises AwsError."""
        schedules = self.site.account.schedules
        for one in (*schedules.rules(), *schedules.schedules()):
            self._start(one.task_definition)

    def _start(self, arn: str) -> None:
        """A family without a revision means its latest, which is kept anyway."""
        family, number = parsed(arn) if arn.rsplit(":", 1)[-1].isdigit() else ("", 0)
        self.used.setdefault(family, set()).add(number)

    def _remembered(self) -> None:
        self.named |= self._wanted | self.site.shelf.wanted
        for memory in [memory for _, memory in self.site.memories.items()]:
            self.named |= {path.partition("/")[0] for path in memory.configs}
            moved = [arn for both in memory.moved.values() for arn in both]
            for arn in (memory.revision, memory.base, *moved):
                self._start(arn)

    def _use(self, arn: str) -> None:
        self.go_on()
        family, number = parsed(arn)
        self.used.setdefault(family, set()).add(number)
        self._body(arn, family, number)

    def _body(self, arn: str, family: str, number: int) -> Known | None:
        """None where this sweep has read enough. Raises AwsError; _Deleted where there is no such revision any more."""
        known = self._fresh.get(family) or self.known.get(family) or Known()
        if number not in known.seen:
            if self.learned >= MOST_LEARNED:
                self.unread += 1
                return None
            known = self._learn(known, arn, number)
            self._fresh[family] = known
            if self.learned % KEEP_EVERY == 0:
                self._keep()
        self.named |= set(known.digests(number))
        return known

    def _learn(self, known: Known, arn: str, number: int) -> Known:
        try:
            answer = self.site.account.ecs.describe_task_definition(arn)
        except AwsError as error:
            if error.code == "ClientException" and GONE in error.detail:
                raise _Deleted(error.operation, error.resource, error.code, error.detail) from error
            raise
        self.learned += 1
        return known.learn(number, digests_in(answer), ours=is_ours(answer, self.site.install.owner))

    def _keep(self) -> None:
        """Raises AwsError."""
        self.known.update(self._fresh)
        self._fresh = {}


class _Deleted(AwsError):
    """Nothing runs it, and nothing can be told to."""
