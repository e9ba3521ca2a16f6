"""Events of AWS from a queue: each says where to look now. None decides anything, and polling goes on without them.

A message is deleted once what it says was taken up; one that nobody can read is left to the queue's redrive policy. One
that comes twice, or late, makes us look once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from controller.api.keys import Place, ServiceKey
from controller.applying.configs import COPIES, Found, LostForGood, copy_of
from controller.aws.ports import EventQueue, LeaseLost, Message, Urgency, at
from controller.observed.hints import FamilyHint, Hint, NotAnEvent, ObjectHint, ServiceHint, read
from controller.reconciling.keeper import Specs
from controller.reconciling.notes import FOLDER as NOTES
from controller.reconciling.shards import Shards
from controller.reconciling.telling import Telling
from controller.reconciling.world import STATE, Site, World

WAIT_SECONDS = 4
"""How long a request waits for a message; a stop waits for it too."""
CANARY = "canary"
SILENT_SECONDS = 900.0
"""After so long without our own canary the queue is no reason to look less often."""
ECS_SILENT_SECONDS = 12 * 3600.0
"""The same of ECS, which tells of every service that is steady four times a day."""


@dataclass(slots=True)
class Asks:
    """What is done with what was heard; each returns at once."""

    source: Callable[[], None]
    notes: Callable[[], None]
    resync: Callable[[Place], None]
    look: Callable[[ServiceKey], None]


@dataclass(slots=True)
class Listener:
    """Of one place and its queue. `listen` is a periodic task."""

    place: Place
    queue: EventQueue
    world: World
    shards: Shards
    asks: Asks
    telling: Telling
    count: Callable[[str], None]
    """What became of each: source, config, notes, service, nothing, garbage."""
    specs: Callable[[], Specs | None]
    monotonic: Callable[[], float]
    sources: tuple[tuple[str, str], ...] = ()
    """Bucket and prefix (with its slash) of the specs, where they come from S3."""
    account: Callable[[], str] = lambda: ""
    """The account's id; "" where it is not known."""
    failing: bool = False
    """The last request failed."""
    heard: dict[str, float] = field(default_factory=dict)
    """When the canary, and ECS, were heard last."""

    def healthy(self) -> bool:
        """Whether events come through: our own canary did lately, and something of ECS today."""
        now = self.monotonic()
        canary, ecs = self.heard.get(CANARY), self.heard.get("ecs")
        if self.failing or canary is None or ecs is None:
            return False
        return now - canary < SILENT_SECONDS and now - ecs < ECS_SILENT_SECONDS

    def listen(self) -> bool:
        """One request. False where the place is another replica's, or nothing came. Raises AwsError."""
        if not self.shards.holds(self.place):
            self.heard.clear()
            return False
        self.failing = True
        messages = self.queue.receive(WAIT_SECONDS)
        if messages:
            self.queue.delete(self._take_up(messages))
        self.failing = False
        return bool(messages)

    def sing(self) -> bool:
        """Write the canary: its event must come back. Raises AwsError."""
        with self.shards.work(self.place) as ours:
            if not ours or self.world.read_only:
                return False
            body = f'{{"at": {self.monotonic():.3f}}}'.encode()
            self.site.shelf.objects.put(self._canary, body, content_type="application/json")
            return True

    @property
    def site(self) -> Site:
        return self.world.sites[self.place]

    @property
    def _canary(self) -> str:
        return self.site.install.store.key(STATE, CANARY, f"{self.place}.json")

    def _take_up(self, messages: Iterable[Message]) -> list[Message]:
        done, hints = list[Message](), dict[Hint, None]()
        for message in messages:
            try:
                found = read(message.body)
            except NotAnEvent:
                self.count("garbage")
                continue
            hints |= dict.fromkeys(found)
            done.append(message)
        paths = dict.fromkeys(path for hint in hints if (path := self._heard(hint)))
        if paths:
            self._put_back(paths)
        return done

    def _heard(self, hint: Hint) -> str:
        """Take it up; a path in the config store that is to be looked at, or ""."""
        if isinstance(hint, ObjectHint):
            return self._object(hint)
        self.heard["ecs"] = self.monotonic()
        key = self._key(hint)
        if key is None or not self._concerns_us(key):
            self.count("nothing")
        else:
            self.count("service")
            self.asks.look(key)
        return ""

    def _object(self, hint: ObjectHint) -> str:
        for bucket, prefix in self.sources:
            if hint.bucket == bucket and hint.key.startswith(prefix):
                self.count("source")
                self.asks.source()
        store = self.site.install.store
        start = f"{store.prefix}/" if store.prefix else ""
        if hint.bucket != store.bucket or not hint.key.startswith(start):
            return ""
        path = hint.key.removeprefix(start)
        if hint.key == self._canary:
            self.heard[CANARY] = self.monotonic()
        elif path.startswith(f"{STATE}/{NOTES}/"):
            self.count("notes")
            self.asks.notes()
        elif path.startswith(f"{COPIES}/") or not path.startswith(f"{STATE}/"):
            return path
        return ""

    def _key(self, hint: ServiceHint | FamilyHint) -> ServiceKey | None:
        place, account = self.place.whole, self.account()
        if hint.region != place.region or (account and hint.account != account):
            return None
        if isinstance(hint, FamilyHint):
            return ServiceKey.family(place, hint.family)
        return ServiceKey(place, hint.cluster, hint.service)

    def _concerns_us(self, key: ServiceKey) -> bool:
        """Whether something of ours is there, or a route may select it: its tags only a look can tell."""
        site, specs = self.site, self.specs()
        if not site.bounds.cover(key) or (not key.is_family and not site.bounds.admit(key.cluster)):
            return False
        if site.memories.get(str(key)) is not None:
            return True
        if specs is None:
            return False
        if key.is_family:
            return bool(specs.index.routes_for_family(key))
        return specs.index.may_select(key)

    def _put_back(self, paths: Iterable[str]) -> None:
        """What a live revision names, and is not as it should be. Raises AwsError: the messages then come again."""
        naming = self._naming()
        for path in paths:
            if path not in naming:
                continue
            self.count("config")
            with self.shards.work(self.place) as ours:
                if not ours or self.world.read_only:
                    self.asks.resync(self.place)
                    return
                self._restore(path, naming[path])

    def _restore(self, path: str, services: tuple[ServiceKey, ...]) -> None:
        try:
            with at(Urgency.REPAIR):
                found = self.site.shelf.put_back(path)
        except LostForGood:
            self.asks.resync(self.place)  # a pass may make it anew from the specs
        except LeaseLost:
            return
        else:
            if found is not Found.RIGHT:
                self.telling.config_put_back(self.place, path, found, services)

    def _naming(self) -> dict[str, tuple[ServiceKey, ...]]:
        found: dict[str, list[ServiceKey]] = {}
        for text, memory in self.site.memories.items():
            for path in memory.configs:
                for one in (path, copy_of(path)):
                    found.setdefault(one, []).append(ServiceKey.parse(text))
        return {path: tuple(keys[:20]) for path, keys in found.items()}
