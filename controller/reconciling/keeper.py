"""The specs in force: the newest snapshot, and the last good version of what broke in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from controller.api.conditions import Reason
from controller.api.problems import Problem
from controller.desired.matching import Home, RouteIndex
from controller.planning.model import Hold
from controller.sources.errors import SourceError
from controller.sources.snapshot import Snapshot, Source
from controller.specs.carry import InForce, RouteMemory, changes, in_force
from controller.specs.load import Loader, reread
from controller.specs.model import Route
from controller.specs.slimming import slim
from controller.specs.tenancy import EVERYBODY, Tenancy
from controller.state.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Specs:
    """What the passes work with. `index` answers which routes select a service."""

    revision: str
    empty: bool
    """The source holds no file at all, which is what a wrong folder looks like."""
    force: InForce
    accounted: frozenset[str]
    """Routes in force, and those deleted for sure: of these it is known whether they select a service."""
    frozen: Mapping[str, Hold]
    """Routes in force that their own spec keeps from being written: suspended, or in `mode: warn`."""
    index: RouteIndex
    problems: tuple[Problem, ...]
    policies: Mapping[str, str] = field(default_factory=dict)
    """Routes in force → their deletionPolicy: one that moves on to other services says it still."""
    by: str = ""
    """Who made the revision, and `why`, as its source tells: a commit's author and subject."""
    why: str = ""


def frozen(routes: Iterable[Route]) -> dict[str, Hold]:
    """A frozen route freezes the services that it shares."""
    found: dict[str, Hold] = {}
    for route in routes:
        if route.document.spec.suspend:
            found[route.key] = Hold(Reason.SUSPENDED, f"{route.key} is suspended")
        elif route.document.spec.mode == "warn":
            found[route.key] = Hold(Reason.WARN_ONLY, f"{route.key} has mode: warn")
    return found


def _routes(specs: Specs) -> tuple[frozenset[str], dict[str, str]]:
    return specs.force.gone, {route.key: route.digest for route in specs.force.routes}


class SpecKeeper:
    """Polls one source. A failing source leaves the specs as they are."""

    def __init__(
        self,
        source: Source,
        home: Home,
        ledger: Ledger[RouteMemory],
        *,
        remembers: Callable[[], bool],
        adds: Callable[[], bool] = lambda: False,
        lua: bool = False,
        tenancy: Tenancy = EVERYBODY,
    ) -> None:
        """`remembers`: whether it is ours, among several replicas, to write down what is in force; `adds`: whether to
        write down those of which nothing is. Who carries a route out must have seen to it that it will be missed.
        """
        self._source, self._home, self._ledger = source, home, ledger
        self._remembers, self._adds = remembers, adds
        self._loader = Loader(lua=lua, tenancy=tenancy)
        self._lua, self._tenancy = lua, tenancy
        self._snapshot: Snapshot | None = None
        self._known: tuple[bool, int] | None = None
        """Whether it was ours to remember, and if not, which state of the memory the specs were made by."""
        self.specs: Specs | None = None

    def poll(self) -> bool:
        """Whether the specs changed. Raises SourceError, AwsError; where nothing was in force, what a source offers in
        the place of what it refuses is by then.
        """
        try:
            snapshot = self._source.poll(self._snapshot)
        except SourceError as error:
            if self._snapshot is None and error.instead is not None:
                self._take(error.instead)
            raise
        return self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> bool:
        ours = self._remembers()
        if not ours or (self._known and not self._known[0]):
            self._ledger.load()  # another replica writes it, or did until now
        known = (ours, 0 if ours else self._ledger.version)
        if snapshot is self._snapshot and self.specs is not None and known == self._known:
            return False
        made = self._made(snapshot, ours)
        changed = self.specs is None or snapshot is not self._snapshot or _routes(made) != _routes(self.specs)
        self._snapshot, self._known = snapshot, known
        if changed:
            self.specs = made
        return changed

    def _made(self, snapshot: Snapshot, ours: bool) -> Specs:
        read = self._loader.load(snapshot)
        before = {id(route) for route in self.specs.force.routes} if self.specs else set()
        for route in read.routes:
            if id(route) not in before:
                slim(route.document)
        remembered = dict(self._ledger.items())
        force = in_force(read, remembered, self._from_memory, self._tenancy.may_hide)
        if ours:
            self._ledger.update(dict(changes(read, remembered)))
        elif self._adds():
            new = {key: memory for key, memory in changes(read, remembered).items() if key not in remembered}
            self._ledger.update(dict(new), over=dict.fromkeys(new))
        accounted = force.gone | {route.key for route in force.routes}
        index = RouteIndex(force.routes, self._home)
        policies = {route.key: route.document.spec.deletion_policy for route in force.routes}
        return Specs(
            read.revision,
            not snapshot.files,
            force,
            accounted,
            frozen(force.routes),
            index,
            read.problems,
            policies,
            snapshot.by,
            snapshot.why,
        )

    def forget(self, specs: Specs, in_use: Callable[[], set[str] | None]) -> None:
        """Drop what is gone and no service names any more, where nobody works by other `specs` any more."""
        if specs is not self.specs or not self._remembers() or not specs.force.gone:
            return
        used = in_use()
        done = specs.force.gone - used if used is not None else ()
        self._ledger.update(dict.fromkeys(done))

    def _from_memory(self, memory: RouteMemory) -> Route | None:
        return reread(memory.made_from, memory.file, lua=self._lua, tenancy=self._tenancy)
