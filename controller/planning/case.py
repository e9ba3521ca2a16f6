"""Everything that is known about one service, brought together before anything is decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controller import __version__
from controller.api.conditions import Reason
from controller.api.globs import selected
from controller.api.kinds import Order
from controller.desired.compose import Installation, compose
from controller.desired.model import Desired
from controller.desired.subject import Refusal, Subject
from controller.observed.model import ObservedService
from controller.planning.evidence import Evidence
from controller.planning.memory import ServiceMemory
from controller.planning.model import Hold, Running
from controller.planning.rollout import TIMEOUT, Watched
from controller.specs.model import Route
from controller.taskdef import canonical
from controller.taskdef.body import Body, register_form
from controller.taskdef.mark import Originals
from controller.taskdef.overlay import ForeignRouter, Ownership, Stripped, configs_named, strip

NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Known:
    """What the pass knows beside the service itself."""

    install: Installation
    accounted: frozenset[str] = frozenset()
    """Routes of which it is sure whether they select a service: those in force, and those deleted for sure."""
    unknown: str = ""
    """Why the memory of this service cannot be read."""
    frozen: Mapping[str, Hold] = field(default_factory=dict)
    """What of this service may not be written, the first first: itself, routes that select it or that it carries."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Routes in force → their deletionPolicy."""
    own: tuple[str, ...] = ()
    """ARNs of the controller's own service and family."""
    shared: str = ""
    """Why a new revision of the family would reach others than those that are meant; "" where it may, or would not."""
    now: float = 0.0
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Case:
    service: ObservedService
    routes: tuple[Route, ...]
    memory: ServiceMemory | None
    known: Known
    current: Body = field(repr=False)
    stripped: Stripped | None = field(default=None, repr=False)
    desired: Desired | None = field(default=None, repr=False)
    refusal: Hold | None = None
    evidence: Evidence = NO_EVIDENCE
    registered_by: str = ""
    """ARN of who registered the definition that the service runs."""

    @property
    def watched(self) -> Watched:
        router = self.stripped.router if self.stripped else None
        timeout = self.routes[0].router.rollout.timeout if self.routes else TIMEOUT
        name = str(router["name"]) if router else ""
        return Watched(self.service, self.memory, self.evidence, name, self.known.now, timeout)

    @property
    def running(self) -> Running:
        router = self.stripped.router if self.stripped else None
        if router is None:
            return Running()
        mark = self.stripped.mark if self.stripped else None
        return Running(mark.digest if mark else "", configs_named(router, self.known.install.store.arn))

    @property
    def stage(self) -> int:
        """Which entry of `rollout.order` the service belongs to."""
        order = self.routes[0].router.rollout.order if self.routes else ()
        return stage_of(order, self.service.key.service, self.routes) if order else 0

    @property
    def app(self) -> str:
        """Digest of the application's own part."""
        body = self.stripped.app if self.stripped else self.current
        return hashlib.sha256(canonical.text(canonical.canonical(body))).hexdigest()


def fingerprint(routes: Sequence[Route], install: Installation) -> str:
    """Of what a service's overlay is made from, its definition aside. Equal: nothing to render again."""
    parts = [
        __version__,
        install.owner,
        install.store.arn,
        *(f"{route.key} {route.digest}" for route in routes),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def asked(routes: Sequence[Route]) -> str:
    """What the specs ask of a service, in short: whichever version of LogRoute, or deploy of theirs, it meets."""
    return hashlib.sha256("\n".join(f"{route.key} {route.digest}" for route in routes).encode()).hexdigest()[:12]


def examine(
    service: ObservedService,
    described: dict[str, Any],
    routes: Sequence[Route],
    memory: ServiceMemory | None,
    known: Known,
    evidence: Evidence = NO_EVIDENCE,
) -> Case:
    """Strip what is ours, then work out what should be there."""
    current = register_form(described)
    registered_by = str(described["taskDefinition"].get("registeredBy") or "")
    case = Case(service, tuple(routes), memory, known, current, evidence=evidence, registered_by=registered_by)
    ownership = Ownership(known.install.owner, known.install.store.arn)
    remembered = _remembered(memory)
    try:
        stripped = strip(current, ownership, remembered)
    except ForeignRouter as error:
        return _refused(case, None, Hold(Reason.FOREIGN_ROUTER, str(error)))
    subject = Subject(
        service.key.place.account,
        service.key.place.region,
        None if service.key.is_family else service.key.cluster,
        None if service.key.is_family else service.key.service,
        service.family,
        stripped.app,
        service.tags,
        stripped.adopted,
    )
    try:
        desired = compose(routes, subject, known.install)
    except Refusal as refusal:
        return _refused(case, stripped, Hold(Reason(refusal.reason), refusal.message))
    return replace(case, stripped=stripped, desired=desired)


def stage_of(orders: Iterable[Order], service: str, routes: Iterable[Route]) -> int:
    """Which entry of `order` puts a service first; those that none names come last."""
    labels = [route.document.metadata.labels for route in routes]
    some = list(orders)
    for number, one in enumerate(some):
        named = not one.services or selected(one.services, service)
        labelled = not one.labels or any(one.labels.items() <= found.items() for found in labels)
        if named and labelled:
            return number
    return len(some)


def _remembered(memory: ServiceMemory | None) -> Originals | None:
    try:
        return Originals.from_plain(memory.originals) if memory and memory.originals else None
    except ValueError:
        return None


def _refused(case: Case, stripped: Stripped | None, hold: Hold) -> Case:
    return replace(case, stripped=stripped, refusal=hold)
